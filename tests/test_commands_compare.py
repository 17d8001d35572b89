"""The table from end to end with a tiny network: trained, killed, resumed, added to, and refused in one sentence."""

import json
import os
import signal
import time

import pytest
from forked import start
from tiny import TinyNet, write_set

from envnet_tutorial.__main__ import main
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result
from envnet_tutorial.run_folder import RunFolder
from envnet_tutorial.training import TrainingStopped
from envnet_tutorial.training import loop as training_loop

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Return the arguments that name a tiny set, the tiny network and a place for its trainings."""
    (tmp_path / "tones").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    common = ["--data", str(write_set(tmp_path / "tones")), "--networks", "tiny", "--preset", "lesson", "--quiet"]
    return ["compare", *common, "--rounds", "0", "--trainings", str(tmp_path / "runs")]


def folders(tmp_path):
    return sorted(path.name for path in (tmp_path / "runs").iterdir())


def test_what_is_missing_is_trained_and_each_training_is_kept(told, tmp_path, capsys):
    assert main([*told, "--folds", "1"]) == 0
    shown = capsys.readouterr().out
    assert "1 x 1" in shown and "not run: to be trained" not in shown
    assert folders(tmp_path) == ["tiny-lesson-seed0-fold1"]
    kept = tmp_path / "runs" / "tiny-lesson-seed0-fold1" / "fold-1" / "weights.pt"
    before = kept.stat().st_mtime_ns
    assert main([*told, "--seeds", "0,1", "--out", str(tmp_path / "table")]) == 0
    assert len(folders(tmp_path)) == 4 and kept.stat().st_mtime_ns == before
    assert "2 x 2" in capsys.readouterr().out
    result = Result.load(tmp_path / "table")
    (row,) = result.tables["networks"].to_dict("records")
    runs = [RunFolder.open(path).result() for path in (tmp_path / "runs").iterdir()]
    clips = [run.tables["predictions"] for run in runs]
    right = sum((table["label"] == table["prediction"]).sum() for table in clips)
    assert row["accuracy"] == pytest.approx(right / 48) and (row["seeds"], row["folds"]) == (2, 2)
    assert result.settings["seeds"] == [0, 1] and result.settings["folds"] == [1, 2]
    assert result.settings["commands"][0].startswith("python -m envnet_tutorial compare --data tones --networks tiny")


def test_the_command_of_a_training_makes_it_again(told, tmp_path):
    assert main([*told, "--folds", "2"]) == 0
    run = RunFolder.open(tmp_path / "runs" / "tiny-lesson-seed0-fold2")
    assert run.provenance["command"] == (
        "python -m envnet_tutorial train --data tones --out tiny-lesson-seed0-fold2 --folds 2 --network tiny "
        "--preset lesson --seed 0 --checkpoint-every 10 --quiet --resume"
    )


def test_a_fold_that_is_missing_is_said_and_not_trained(told, tmp_path, capsys):
    assert main([*told, "--folds", "1"]) == 0
    capsys.readouterr()
    assert main([*told, "--no-train"]) == 0
    assert "1 x 1" in capsys.readouterr().out and len(folders(tmp_path)) == 1
    assert main([*told, "--no-train", "--folds", "2"]) == 0
    shown = capsys.readouterr().out
    asked = f"--data {tmp_path / 'tones'} --networks tiny --folds 2 --preset lesson --trainings {tmp_path / 'runs'}"
    assert f"compare {asked}\n" in shown and len(folders(tmp_path)) == 1


def test_seeds_are_asked_for_where_nothing_is_trained_too(told, tmp_path, capsys):
    assert main([*told, "--folds", "1", "--seeds", "3"]) == 0
    for asked, cell in ((["--seeds", "3"], "1 x 1"), ([], "1 x 1"), (["--seeds", "7"], "not run")):
        capsys.readouterr()
        assert main([*told, "--no-train", *asked]) == 0
        assert cell in capsys.readouterr().out
    assert main([*told, "--no-train", "--seeds=-3"]) == 2
    assert "--seeds takes whole numbers from 0 on" in capsys.readouterr().err


def slow(arguments):
    """Train with steps so slow that they can be killed; called in a process of its own."""
    step = training_loop.train_epoch

    def train_epoch(*given, **options):
        time.sleep(0.1)
        return step(*given, **options)

    training_loop.train_epoch = train_epoch
    return main(arguments)


def test_killed_and_called_again_it_goes_on(told, tmp_path, capsys):
    checkpointed = [*told, "--folds", "1,2", "--checkpoint-every", "1"]
    process = start(slow, checkpointed, errors=tmp_path / "errors.txt")
    second = tmp_path / "runs" / "tiny-lesson-seed0-fold2" / "fold-2" / "checkpoint.pt"
    deadline = time.monotonic() + 120
    while not second.exists() and time.monotonic() < deadline and process.is_alive():
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert second.exists(), (tmp_path / "errors.txt").read_text()
    first = tmp_path / "runs" / "tiny-lesson-seed0-fold1" / "fold-1" / "weights.pt"
    before = first.stat().st_mtime_ns
    assert main(checkpointed) == 0
    assert first.stat().st_mtime_ns == before and not second.exists()
    history = RunFolder.open(second.parents[1]).result().tables["history"]
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert "1 x 2" in capsys.readouterr().out


def test_a_training_that_stops_leaves_its_cell_empty_and_the_others_go_on(told, tmp_path, monkeypatch, capsys):
    def train_fold(build, clips, recipe, fold, **options):
        if fold == 1:
            raise TrainingStopped("the loss is not a number")
        return train(build, clips, recipe, fold, **options)

    from envnet_tutorial import training

    train = training.train_fold
    monkeypatch.setattr(training, "train_fold", train_fold)
    assert main(told) == 1
    shown = capsys.readouterr()
    assert "the loss is not a number" in shown.err and "1 x 1" in shown.out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--networks", "tiny,echo"], "there is no network echo; there are"),
        (["--preset", "slow"], "there is no preset slow; there are paper"),
        (["--folds", "1,7"], "no clip is in fold 7; the folds are 1, 2"),
        (["--seeds", "one"], "--seeds takes numbers such as 1,2; got 'one'"),
        (["--rounds", "-1"], "--rounds must be 0 or more"),
        (["--data", "nowhere"], "nowhere is not a data set"),
        (["--device", "abacus"], "no device abacus"),
        (["--out", "."], "exists: remove it or choose another name"),
    ],
)
def test_wrong_input_gets_one_sentence_and_status_2(told, change, words, tmp_path, capsys):
    assert main([*told, *change]) == 2
    shown = capsys.readouterr()
    assert words in shown.err and len(shown.err.splitlines()) == 1 and shown.out == ""


def test_without_a_place_nothing_is_trained(told, capsys):
    assert main(told[:-2]) == 2
    assert capsys.readouterr().err == "give a folder for --trainings, or --no-train to see only what there is\n"


def test_trainings_on_other_data_are_refused(told, tmp_path, capsys):
    assert main([*told, "--folds", "1"]) == 0
    path = tmp_path / "runs" / "tiny-lesson-seed0-fold1" / "settings.json"
    settings = json.loads(path.read_text())
    settings["provenance"]["data"] = "other"
    path.write_text(json.dumps(settings))
    assert main([*told, "--no-train"]) == 2
    assert "was trained on other data or with another recipe" in capsys.readouterr().err


def test_the_tiny_network_is_registered():
    assert NETWORKS["tiny"] is TinyNet
