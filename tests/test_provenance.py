"""Provenance: what a number depends on, as plain values, without the places of one computer."""

import datetime
import json
import shlex
import shutil
import subprocess

import pytest
import torch

from envnet_tutorial import provenance
from envnet_tutorial.errors import InputError
from scripts.repository import ROOT

CPU = torch.device("cpu")


@pytest.fixture
def repository(tmp_path):
    """Make a repository with one commit that holds some code."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "code.py").write_text("x = 1\n")
    (tmp_path / ".gitignore").write_text("site-packages\n")
    author = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return tmp_path


def test_everything_is_taken_down_as_plain_values():
    record = provenance.provenance(CPU, command="python -m x", data="ESC-10", note="rejoined", seed=3)
    assert json.loads(json.dumps(record)) == record
    assert set(record) == {"command", "seed", "data", "note", "commit", "changed", "versions", "hardware", "started"}
    assert record["versions"]["torch"] == torch.__version__.split("+")[0]
    assert record["hardware"]["device"] == "cpu" and record["hardware"]["processes"] == 1
    assert record["hardware"]["threads"] == torch.get_num_threads()
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(record["started"])
    assert 0 <= age.total_seconds() < 60


def test_the_commit_is_gits_and_a_change_is_told(repository):
    head = subprocess.run(["git", "-C", str(repository), "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    assert provenance.commit(repository / "package") == {"commit": head.strip(), "changed": False}
    (repository / "notes.txt").write_text("mine")
    assert not provenance.commit(repository / "package")["changed"]
    (repository / "package" / "code.py").write_text("x = 2\n")
    assert provenance.commit(repository / "package") == {"commit": head.strip(), "changed": True}


def test_the_package_itself_has_the_commit_of_its_repository():
    listed = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    assert provenance.commit()["commit"] == (listed.stdout.strip() if listed.returncode == 0 else None)


def test_an_installed_copy_has_no_commit_even_inside_another_repository(repository, tmp_path_factory, monkeypatch):
    nothing = {"commit": None, "changed": None}
    installed = repository / "site-packages"
    shutil.copytree(repository / "package", installed)
    assert provenance.commit(installed) == nothing
    assert provenance.commit(tmp_path_factory.mktemp("alone")) == nothing
    monkeypatch.setenv("PATH", "")
    assert provenance.commit(repository / "package") == nothing


def test_a_command_names_no_place_of_this_computer():
    typed = ["train", "--data", "/home/me/sounds/ESC-10", "--out=/home/me/runs/fast", "--only", "rate in steps, from 1"]
    line = provenance.command_line("envnet_tutorial", typed, data="/home/me/sounds/ESC-10", name="ESC 10")
    assert line == ("python -m envnet_tutorial train --data 'ESC 10' --out=fast --only 'rate in steps, from 1'")
    assert shlex.split(provenance.command_line("x", ["~/a b", "../c", ""])) == ["python", "-m", "x", "a b", "../c", ""]


def test_data_are_called_by_name(tmp_path, monkeypatch):
    monkeypatch.delenv("ENVNET_DATA", raising=False)
    assert provenance.data_name(None) == "synthetic"
    assert provenance.data_name("esc50") == "esc50"
    assert provenance.data_name(str(tmp_path / "ESC-10") + "/") == "ESC-10"
    assert provenance.data_name(str(tmp_path), "ESC-10") == "ESC-10"
    monkeypatch.setenv("ENVNET_DATA", str(tmp_path / "mine"))
    assert provenance.data_name(None) == "mine"


def test_a_note_is_a_text_or_a_file(tmp_path):
    (tmp_path / "note.txt").write_text("ESC-50 at 16 kHz,\nrejoined\n")
    assert provenance.data_note(str(tmp_path / "note.txt")) == "ESC-50 at 16 kHz, rejoined"
    assert provenance.data_note("rejoined") == "rejoined"
    assert provenance.data_note(None) is None
    assert provenance.data_note("a long note " * 300) == "a long note " * 300  # no file has such a name
    (tmp_path / "note.wav").write_bytes(b"RIFF\xff")
    with pytest.raises(InputError, match=r"note.wav is no text"):
        provenance.data_note(str(tmp_path / "note.wav"))


def test_a_package_that_is_not_there_is_no_error():
    assert provenance.versions(["no-such-package"])["no-such-package"] == "not installed"


def test_a_gpu_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a card")
    monkeypatch.setattr(provenance, "processor_name", lambda: "Apple M4")
    names = {kind: provenance.gpu_name(torch.device(kind)) for kind in ("cpu", "cuda", "mps")}
    assert names == {"cpu": None, "cuda": "a card", "mps": "Apple M4 (mps)"}
