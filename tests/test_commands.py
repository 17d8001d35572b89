"""The command line: help at once, one sentence and status 2 for wrong input, and predictions that are what they say."""

import io
import platform
import re
import subprocess
import sys
from pkgutil import iter_modules

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from matplotlib.figure import Figure

from envnet_tutorial import commands
from envnet_tutorial.__main__ import main
from envnet_tutorial.commands import VERBS
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import EnvNet
from envnet_tutorial.probing import response_matrix
from envnet_tutorial.settings import ENVNET_INPUT

COMMAND = [sys.executable, "-m", "envnet_tutorial"]


def test_help_lists_every_verb(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert set(VERBS) == {"train", "evaluate", "probe", "predict", "compare", "synthesize", "data", "info"}
    assert all(re.search(rf"^\s+{verb}\b", shown, re.MULTILINE) for verb in VERBS)


def test_every_verb_is_a_module_and_every_module_a_verb():
    assert set(VERBS) == {module.name for module in iter_modules(commands.__path__)}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert f"usage: python -m envnet_tutorial {verb}" in capsys.readouterr().out


def test_help_does_not_wait_for_torch():
    """The import of torch takes seconds, so help must not need it."""
    script = (
        "import sys; from envnet_tutorial.__main__ import build_parser; build_parser(); print(*sorted(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "argparse" in loaded
    assert not {"torch", "numpy", "pandas", "matplotlib"} & set(loaded)


def test_a_reader_that_leaves_is_no_error():
    writer = subprocess.Popen([*COMMAND, "info"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    writer.stdout.close()
    complaint = writer.stderr.read()
    writer.stderr.close()
    assert (writer.wait(), complaint) == (141, "")


def test_an_interruption_leaves_no_traceback(monkeypatch, capsys):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("envnet_tutorial.provenance.facts", interrupt)
    assert main(["info"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(3)
    network = EnvNet(4)
    path = tmp_path_factory.mktemp("weights") / "envnet.pt"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def noise(tmp_path):
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 50_000), ENVNET_INPUT.sample_rate)
    return path


def wrong_inputs(folder, weights, noise):
    """Return command lines that a person may type, and what the answer should speak of."""
    text = folder / "text.wav"
    text.write_text("no sound")
    (folder / "empty.wav").touch()
    other = folder / "other.pt"
    torch.save({"weight": torch.zeros(2)}, other)
    classes = folder / "classes"
    (classes / "audio").mkdir(parents=True)
    (classes / "meta").mkdir()
    header = "filename,fold,target,category,esc10,src_file,take\n"
    (classes / "meta" / "esc50.csv").write_text(header + "a.wav,1,0,dog,True,1,A\n")
    (classes / "audio" / "a.wav").touch()
    return {
        "no such sound": (["predict", folder / "none.wav", "--weights", weights], "none.wav is not there"),
        "a folder as sound": (["predict", folder, "--weights", weights], "is a folder"),
        "text as sound": (["predict", text, "--weights", weights], "not a sound file"),
        "empty sound": (["predict", folder / "empty.wav", "--weights", weights], "empty"),
        "no such weights": (["predict", noise, "--weights", folder / "none.pt"], "none.pt is not there"),
        "sound as weights": (["predict", noise, "--weights", noise], "does not hold the weights"),
        "other weights": (["predict", noise, "--weights", other], "does not hold the weights"),
        "no such network": (["predict", noise, "--weights", weights, "--network", "echo"], "envnet-pooled-norm"),
        "no such preset": (["predict", noise, "--weights", weights, "--preset", "slow"], "paper, short"),
        "another network": (["probe", "--weights", weights, "--network", "envnet-v2", "--out", "x.png"], "envnet-v2"),
        "no run": (["predict", noise, "--weights", folder], "is not a run folder"),
        "other class count": (["predict", noise, "--weights", weights, "--data", classes], "4 classes"),
        "no such device": (["predict", noise, "--weights", weights, "--device", "abacus"], "no device abacus"),
        "a device that computes nothing": (["predict", noise, "--weights", weights, "--device", "meta"], "device meta"),
        "a picture that is none": (["probe", "--weights", weights, "--out", folder / "x.v2"], "is the name of a PNG"),
        "a picture that is a folder": (["probe", "--weights", weights, "--out", folder], "is a folder"),
        "none of the classes": (["predict", noise, "--weights", weights, "--top", "0"], "--top"),
        "one tone": (["probe", "--weights", weights, "--out", folder / "x.png", "--tones", "1"], "--tones"),
        "nothing to probe": (["probe", "--weights", noise, "--out", folder / "x.png"], "does not hold the weights"),
        "no place to draw": (["probe", "--weights", weights, "--out", folder / "no" / "x.png"], "is no folder"),
        "occupied folder": (["synthesize", classes], "not empty"),
        "uneven folds": (["synthesize", folder / "new", "--clips-per-class", "7"], "multiple of 5"),
        "no such data": (["train", "--data", folder / "none", "--out", folder / "run"], "none is not a data set"),
        "no such run": (["evaluate", folder / "none"], "none is not a run folder"),
        "a name too long": (["predict", folder / f"{'long' * 70}.wav"], "cannot be used: File name too long"),
    }


def test_wrong_input_gets_one_sentence_and_status_2(tmp_path, weights, noise, capsys):
    for case, (arguments, words) in wrong_inputs(tmp_path, weights, noise).items():
        status = main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        assert status == 2, case
        assert words in shown.err, case
        assert len(shown.err.splitlines()) == 1, case
        assert shown.out == "", case


def test_an_error_of_the_system_that_is_of_no_file_is_shown_whole(monkeypatch):
    def fail(*_):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("envnet_tutorial.commands.info.run", fail)
    with pytest.raises(OSError, match="Cannot allocate memory"):
        main(["info"])


def test_wrong_input_on_a_real_command_line():
    done = subprocess.run([*COMMAND, "predict", "none.wav", "--weights", "x"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "none.wav is not there: give the path of a sound file\n"


def test_probe_draws_what_the_filters_answer(weights, tmp_path, capsys):
    """Row by row against the response matrix of the same network, in the order of the largest responses."""
    assert main(["probe", "--weights", str(weights), "--out", str(tmp_path / "filters.png"), "--tones", "24"]) == 0
    assert "diagonality" in capsys.readouterr().out
    assert (tmp_path / "filters.png").read_bytes().startswith(b"\x89PNG")
    table = pd.read_csv(tmp_path / "filters.csv", index_col="filter")
    frequencies = torch.tensor([float(column.removesuffix(" Hz")) for column in table])
    network = EnvNet(4)
    network.load_state_dict(torch.load(weights, weights_only=True))
    expected = response_matrix(network, frequencies).numpy()
    assert table.shape == (40, 24)
    np.testing.assert_allclose(table.to_numpy(), expected[table.index], rtol=2e-2, atol=2e-3)
    peaks = table.to_numpy().argmax(axis=1)
    assert (np.diff(peaks) >= 0).all()


def test_a_probe_that_fails_leaves_what_was_there(weights, tmp_path, monkeypatch, capsys):
    """The picture is drawn before either file is touched, and a name without an ending gets the usual one."""
    command = ["probe", "--weights", str(weights), "--out", str(tmp_path / "filters"), "--tones", "24"]
    assert main(command) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["filters.csv", "filters.png"]
    before = (tmp_path / "filters.csv").read_bytes()

    def refuse(*_, **__):
        raise InputError("no ink")

    monkeypatch.setattr(Figure, "savefig", refuse)
    assert main([*command[:-1], "12"]) == 2
    assert (tmp_path / "filters.csv").read_bytes() == before


def test_a_name_that_the_terminal_cannot_write_is_written_all_the_same(monkeypatch):
    told = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stderr", told)
    assert main(["predict", "done ✓.wav"]) == 2
    told.flush()
    assert told.buffer.getvalue().startswith(rb"done \u2713.wav is not there")


def test_synthesize_writes_the_clips_it_speaks_of(tmp_path, capsys):
    folder = tmp_path / "set"
    assert main(["synthesize", str(folder), "--clips-per-class", "5"]) == 0
    assert capsys.readouterr().out == f"50 clips are in {folder}\n"
    assert len(list((folder / "audio").glob("*.wav"))) == 50


def test_info_tells_versions_and_folders(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path))
    monkeypatch.setenv("ENVNET_DATA", "somewhere")
    assert main(["info"]) == 0
    shown = capsys.readouterr().out
    assert re.search(rf"^torch +{re.escape(torch.__version__.split('+')[0])}", shown, re.MULTILINE)
    assert str(tmp_path) in shown
    assert "somewhere" in shown
    assert platform.python_version() in shown
