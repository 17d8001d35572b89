"""What is tried with which versions, and what counts as a change."""

import stat
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from scripts.repository import ROOT
from scripts.versions import LANES, changed, claimed_pythons, interpreter, reason_to_skip

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_claimed_versions_follow_each_other_from_the_lowest_on():
    claimed = claimed_pythons()
    assert f">={claimed[0]}" == PROJECT["requires-python"]
    minors = [Version(python).minor for python in claimed]
    assert minors == list(range(minors[0], minors[0] + len(minors)))


def test_only_a_version_is_a_claimed_version(tmp_path):
    lines = [f'"Programming Language :: Python :: {name}"' for name in ("3", "3.11", "3 :: Only", "3.14")]
    text = f'[project]\nclassifiers = ["Topic :: Education :: 3.9", {", ".join(lines)}]\n'
    (tmp_path / "pyproject.toml").write_text(text)
    assert claimed_pythons(tmp_path) == ["3.11", "3.14"]


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.skipif(sys.platform == "win32", reason="the names on the path are shell scripts")
def test_an_interpreter_is_one_that_runs_and_is_of_that_version(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    script(tmp_path / "python3.99", "echo choose a version first >&2; exit 127")
    assert interpreter("3.99") is None
    script(tmp_path / f"python{HERE}", "echo choose a version first >&2; exit 127")
    script(tmp_path / "python3", f'exec "{sys.executable}" "$@"')
    found = interpreter(HERE)
    shown = subprocess.run([found, "-V"], capture_output=True, text=True, check=True).stdout
    assert found == str(tmp_path / "python3")
    assert shown.startswith(f"Python {HERE}.")


def test_a_lane_is_left_out_only_where_its_versions_were_never_built():
    left_out = {
        name: [python for python in claimed_pythons() if reason_to_skip(lane, python)] for name, lane in LANES.items()
    }
    assert left_out == {"colab": ["3.13", "3.14"], "lowest": [], "newest": [], "plain": []}
    assert "3.12" in reason_to_skip(LANES["colab"], "3.13")
    assert reason_to_skip(LANES["colab"], "3.9") is None  # a number, no text


def requirements(lines):
    return {Requirement(line).name: Requirement(line).specifier for line in lines}


@pytest.mark.parametrize("extras", [[], PROJECT["optional-dependencies"]["lessons"]], ids=["alone", "lessons"])
def test_what_is_on_colab_is_allowed_by_the_package(extras):
    allowed = requirements(PROJECT["dependencies"]) | requirements(extras)
    for line in LANES["colab"].preinstalled:
        (pin,) = Requirement(line).specifier
        assert pin.operator == "=="
        name = Requirement(line).name
        assert allowed[name].contains(pin.version) if name in allowed else name in ("torchaudio", "ipywidgets")


def test_lessons_with_torchaudio_stop_at_the_pinned_torch():
    """Once there is a torchaudio for a later torch, the pins move, and the bound of the extra has to move too."""
    bound = requirements(PROJECT["optional-dependencies"]["lessons"])["torch"]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = Version(next(line for line in lines if line.startswith("torch==")).split("==")[1])
    assert bound.contains(pinned)
    assert not bound.contains(f"{pinned.major}.{pinned.minor + 1}")


def entry(name, version):
    return {"name": name, "version": version}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([entry("numpy", "2.0.2"), entry("torch", "2.9.0")], []),
        ([entry("NumPy", "2.0.2"), entry("torch", "2.9.0"), entry("pooch", "1.9")], []),
        ([entry("numpy", "2.4.0"), entry("torch", "2.9.0")], ["numpy 2.0.2 became 2.4.0"]),
        ([entry("numpy", "2.0.2")], ["torch 2.9.0 became nothing"]),
        ([], ["numpy 2.0.2 became nothing", "torch 2.9.0 became nothing"]),
    ],
)
def test_a_package_that_was_there_may_not_change(after, expected):
    assert changed([entry("numpy", "2.0.2"), entry("torch", "2.9.0")], after) == expected
