"""Run folders say what was done and what came of it, and are taken up where they were left."""

import errno
import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import forked
import numpy as np
import pandas as pd
import pytest
import torch
from filelock import FileLock
from tiny import RECIPE, TinyNet, TinyPooledNorm, weights_of, write_set

from envnet_tutorial import training
from envnet_tutorial.__main__ import main
from envnet_tutorial.errors import InputError
from envnet_tutorial.files import has_parts
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result, views
from envnet_tutorial.run_folder import RunFolder, RunSettings
from envnet_tutorial.trained import load_trained


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Compute on one core: a network this small is done before it is shared out."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data"))


@pytest.fixture(autouse=True)
def tiny_networks(monkeypatch, tmp_path_factory):
    monkeypatch.setitem(NETWORKS, "tiny", TinyNet)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def train(data, out, *arguments):
    common = ["--network", "tiny", "--data", str(data), "--out", str(out), "--epochs", "3", "--quiet"]
    return main(["train", *common, *arguments])


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """Make a finished run over both folds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "tiny", TinyNet)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        out = tmp_path_factory.mktemp("runs") / "run"
        assert train(data, out, "--mix", "bc", "--seed", "3", "--data-name", "tones", "--data-note", "made here") == 0
    return out


def test_a_run_folder_knows_its_network_and_how_it_hears(finished, monkeypatch):
    monkeypatch.setitem(NETWORKS, "tiny", TinyNet)
    found = load_trained(finished)
    assert isinstance(found.network, TinyNet) and found.classes == ("a", "b", "c")
    assert found.preparation == training.FAST.preparation != training.PAPER.preparation
    for told in ({"network": "envnet"}, {"preset": "paper"}):
        with pytest.raises(InputError, match="knows its own"):
            load_trained(finished, **told)


def test_a_run_folder_says_what_was_done_and_what_came_of_it(finished, data):
    folder = RunFolder.open(finished)
    assert folder.settings.recipe == replace(training.FAST.between_class(), epochs=3)
    assert (folder.settings.seed, folder.settings.classes) == (3, ("a", "b", "c"))
    assert folder.finished_folds() == [1, 2]
    results = pd.read_csv(finished / "results.csv")
    assert results.clips.tolist() == [12, 12]
    confusion = pd.read_csv(finished / "confusion.csv", index_col="truth")
    assert confusion.to_numpy().sum(axis=1).tolist() == [8, 8, 8]
    assert np.trace(confusion) == results.correct.sum()
    for fold in (1, 2):
        predictions = folder.predictions(fold)
        assert (predictions.name.str[0] == str(fold)).all()
        np.testing.assert_allclose(predictions[["a", "b", "c"]].sum(axis=1), 1, atol=1e-5)
        assert pd.read_csv(finished / f"fold-{fold}" / "history.csv").epoch.tolist() == [1, 2, 3]
        assert sorted(path.name for path in (finished / f"fold-{fold}").iterdir()) == [
            "confusion.csv",
            "history.csv",
            "predictions.csv",
            "weights.pt",
        ]


def test_evaluate_agrees_and_says_so_when_it_does_not(finished, data, tmp_path, capsys):
    assert main(["evaluate", str(finished)]) == 0
    assert capsys.readouterr().out.count("as recorded") == 2
    path = finished / "fold-1" / "predictions.csv"
    table = pd.read_csv(path)
    right = table.index[table.label == table.prediction]
    wrong = table.index[table.label != table.prediction]
    changed = table.copy()
    changed.loc[right[:1], "prediction"] = (table.label[right[:1]] + 1) % 3
    if not len(right):
        changed.loc[wrong[:1], "prediction"] = table.label[wrong[:1]]
    changed.to_csv(path, index=False)
    try:
        assert main(["evaluate", str(finished), "--data", str(data)]) == 1
        assert "is recorded: the weights or the data have changed" in capsys.readouterr().out
    finally:
        table.to_csv(path, index=False)


def test_the_same_command_makes_the_same_run_and_a_stopped_one_is_taken_up(data, finished, tmp_path, monkeypatch):
    arguments = ["--mix", "bc", "--seed", "3", "--checkpoint-every", "1"]

    def stop_after(count):
        check = training.TrainingState.check_numbers

        def stop(run):
            check(run)
            if len(run.history.rows) == count:
                raise training.TrainingStopped("enough")

        return stop

    with monkeypatch.context() as patch:
        patch.setattr(training.TrainingState, "check_numbers", stop_after(3))
        assert train(data, tmp_path / "run", *arguments) == 1
    assert RunFolder.open(tmp_path / "run").finished_folds() == []
    assert train(data, tmp_path / "run", *arguments, "--resume") == 0
    for fold in (1, 2):
        first, second = (RunFolder.open(out).load_network(fold) for out in (finished, tmp_path / "run"))
        assert torch.equal(weights_of(first), weights_of(second))
        assert not (tmp_path / "run" / f"fold-{fold}" / "checkpoint.pt").exists()


def test_a_fold_belongs_to_one_process_at_a_time(data, tmp_path, capsys):
    out = tmp_path / "run"
    assert train(data, out) == 0
    folder = RunFolder.open(out)
    for fold in (1, 2):
        (folder.fold_path(fold) / "weights.pt").unlink()
    with folder.reserved(2):
        half_written = folder.fold_path(2) / ".weights.pt.x1.part"
        half_written.touch()
        capsys.readouterr()
        assert train(data, out, "--resume") == 2
        said = capsys.readouterr().err
        assert "another process is training fold 2" in said and said.count("\n") == 1
        folder.write_summary()
        assert folder.finished_folds() == [1] and half_written.exists()
    assert train(data, out, "--resume") == 0
    assert folder.finished_folds() == [1, 2] and not has_parts(out)


def test_a_fold_that_cannot_be_locked_is_one_sentence_and_status_2(data, tmp_path, monkeypatch, capsys):
    acquire = FileLock.acquire

    def read_only(lock, timeout=None):
        if Path(lock.lock_file).name.startswith(".fold"):
            raise OSError(errno.EROFS, "Read-only file system")
        return acquire(lock, timeout)

    monkeypatch.setattr(FileLock, "acquire", read_only)
    assert train(data, tmp_path / "run", "--folds", "1") == 2
    said = capsys.readouterr().err
    assert ".fold-1.lock could not be written (Read-only file system)" in said and said.count("\n") == 1


def train_own_folds(data, out):
    """Train as one of several processes that share the folds; a forked process does not know the tiny network yet."""
    return train(data, out, "--mix", "bc", "--seed", "3", "--share", "folds")


def test_processes_that_share_the_folds_make_the_run_of_one(data, finished, tmp_path, monkeypatch, capsys):
    with forked.torchrun(monkeypatch, tmp_path, 2, train_own_folds, data, tmp_path / "run"):
        assert train_own_folds(data, tmp_path / "run") == 0
    folder = RunFolder.open(tmp_path / "run")
    for fold in (1, 2):
        assert torch.equal(
            weights_of(folder.load_network(fold)), weights_of(RunFolder.open(finished).load_network(fold))
        )
    assert (tmp_path / "run" / "results.csv").read_text() == (finished / "results.csv").read_text()


def test_the_front_end_is_kept_along_the_way(tmp_path):
    settings = RunSettings(data="x", network="envnet", recipe=RECIPE, seed=0, folds=(1,), classes=("a", "b"))
    folder = RunFolder.create(tmp_path / "run", settings, {})
    front_end = torch.nn.Sequential(torch.nn.Conv2d(1, 2, (1, 3)))
    model = TinyNet(2)
    model.conv = front_end
    keep = folder.front_end_keeper(1, every=2)
    seen = {}
    for step in range(5):
        torch.nn.init.constant_(front_end[0].weight, float(step))
        seen[step] = front_end[0].weight.detach().clone()
        keep(step, model)
    kept = folder.front_ends(1)
    assert list(kept) == [0, 2, 4]
    assert all(torch.equal(kept[step]["0.weight"], seen[step]) for step in kept)
    folder.front_end_keeper(1, every=2)  # as it was begun
    with pytest.raises(InputError, match=r"fold 1 of .* was not begun with --keep-filters 4"):
        folder.front_end_keeper(1, every=4)
    folder.front_end_keeper(2, every=4)  # not begun at all
    folder.checkpoint(3).touch()
    with pytest.raises(InputError, match=r"fold 3 of .* was not begun with --keep-filters 4"):
        folder.front_end_keeper(3, every=4)
    with pytest.raises(InputError, match=r"fold 1 of .* was begun with --keep-filters: go on"):
        folder.front_end_keeper(1, every=0)  # would leave a hole
    assert folder.front_end_keeper(3, every=0) is None and folder.front_end_keeper(4, every=0) is None


def make_run_folder(path, barrier, answers):
    settings = RunSettings(data="x", network="envnet", recipe=RECIPE, seed=0, folds=(1,), classes=("a", "b"))
    barrier.wait()
    try:
        RunFolder.create(path, settings, {})
        answers.append("made")
    except InputError as error:
        answers.append(str(error))


def test_of_several_that_ask_for_one_folder_one_gets_it(tmp_path):
    barrier, answers = threading.Barrier(4), []
    asking = [threading.Thread(target=make_run_folder, args=(tmp_path / "run", barrier, answers)) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert answers.count("made") == 1 and sum("is not empty" in answer for answer in answers) == 3


def test_damaged_predictions_are_said_to_be(data, finished, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(finished, copy)
    (copy / "fold-1" / "predictions.csv").write_bytes(b"\xff\xfe,")
    with pytest.raises(InputError, match=r"predictions.csv cannot be read as a table"):
        RunFolder.open(copy).result()
    (copy / "fold-1" / "predictions.csv").write_text("name,label\n")
    with pytest.raises(InputError, match=r"predictions.csv has no column prediction"):
        RunFolder.open(copy).write_summary()


def test_a_run_of_a_network_that_is_not_here_is_said_to_be(finished, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path / "run")
    monkeypatch.delitem(NETWORKS, "tiny")
    with pytest.raises(InputError, match="trained with tiny, a network that is not here"):
        RunFolder.open(tmp_path / "run")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--preset", "slow"],
        ["--epochs", "0"],
        ["--seed", "-1"],
        ["--folds", "one"],
        ["--network", "resnet"],
        ["--data-note", "note.bin"],
        ["--out", "occupied"],
    ],
)
def test_a_slip_is_told_before_a_set_is_fetched(data, tmp_path, monkeypatch, capsys, arguments):
    def fetch(*given, **options):
        raise AssertionError("the clips are loaded")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("envnet_tutorial.datasets.load_clips", fetch)
    (tmp_path / "occupied").mkdir()
    (tmp_path / "occupied" / "mine.txt").touch()
    (tmp_path / "note.bin").write_bytes(b"\xff\xfe\x00")
    assert train(data, tmp_path / "run", *arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [path.name for path in (tmp_path / "occupied").iterdir()] == ["mine.txt"]  # and no lock


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--keep-filters", "-1"], "--keep-filters"),
        (["--network", "resnet"], "there is no network resnet"),
        (["--preset", "slow"], "there is no preset slow"),
        (["--folds", "1,7"], "no clip is in fold 7"),
        (["--folds", "one"], "--folds takes"),
        (["--epochs", "0"], "epochs"),
        (["--checkpoint-every", "0"], "--checkpoint-every"),
        (["--device", "abacus"], "no device abacus"),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_wrong_input_gets_one_sentence_and_status_2(data, tmp_path, capsys, arguments, sentence):
    assert train(data, tmp_path / "run", *arguments) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


def test_a_folder_in_use_and_a_folder_without_a_run_are_refused(data, finished, tmp_path, capsys):
    assert train(data, finished) == 2
    assert "not empty" in capsys.readouterr().err
    assert train(data, finished, "--resume") == 2
    assert "other settings (seed 3, not 0)" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "not a run folder" in capsys.readouterr().err


def test_damaged_weights_are_refused(finished, tmp_path):
    folder = RunFolder(tmp_path, RunFolder.open(finished).settings, {})
    with pytest.raises(InputError, match="not finished"):
        folder.load_network(1)
    folder.fold_path(1).mkdir()
    whole = (finished / "fold-1" / "weights.pt").read_bytes()
    (folder.fold_path(1) / "weights.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="does not hold"):
        folder.load_network(1)


def test_provenance_is_of_the_start_and_names_no_place(finished, data):
    record = json.loads((finished / "settings.json").read_text("utf-8"))["provenance"]
    assert RunFolder.open(finished).provenance == record
    assert (record["data"], record["note"], record["seed"]) == ("tones", "made here", 3)
    assert record["command"].startswith("python -m envnet_tutorial train --network tiny --data tones --out run ")
    assert str(data) not in record["command"]


def test_a_resumed_run_keeps_its_provenance_and_loses_its_leftovers(data, tmp_path):
    out = tmp_path / "run"
    assert train(data, out, "--folds", "1") == 0
    before = RunFolder.open(out).provenance
    for place in (out, out / "fold-1"):
        (place / ".weights.pt.x1.part").touch()
    assert train(data, out, "--folds", "1", "--resume", "--data-name", "other") == 0
    assert RunFolder.open(out).provenance == before
    assert not has_parts(out)


def test_a_folder_whose_first_write_was_killed_is_free(data, tmp_path):
    (tmp_path / ".settings.json.x1.part").touch()
    assert train(data, tmp_path, "--folds", "1", "--resume") == 0
    assert RunFolder.open(tmp_path).finished_folds() == [1] and not has_parts(tmp_path)


def test_a_full_disk_during_training_is_one_sentence_and_status_2(data, tmp_path, monkeypatch, capsys):
    def full(stream, **arrays):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", lambda value, stream: full(stream))
    assert train(data, tmp_path / "run", "--folds", "1") == 2
    said = capsys.readouterr().err
    assert "checkpoint.pt could not be written (No space left on device)" in said and said.count("\n") == 1


def test_the_finished_folds_are_a_result(data, tmp_path, monkeypatch):
    monkeypatch.setitem(NETWORKS, "tiny", TinyPooledNorm)
    assert train(data, tmp_path / "run", "--seed", "4") == 0
    folder = RunFolder.open(tmp_path / "run")
    folder.result().save(tmp_path / "result")
    result = Result.load(tmp_path / "result")
    assert result.settings["provenance"] == [folder.provenance]
    assert result.settings["commands"] == [folder.provenance["command"]]
    assert (result.settings["seeds"], result.settings["folds"]) == ([4], [1, 2])
    assert RunSettings.from_json(result.settings | {"seed": 4}).recipe == folder.settings.recipe
    written = pd.read_csv(tmp_path / "run" / "results.csv")
    counted = views.by_fold(result)
    assert counted["correct"].tolist() == written.correct.tolist() and counted.index.tolist() == [1, 2]
    for fold in (1, 2):
        clips = folder.predictions(fold)
        rows = result.arrays["probabilities"][result.tables["predictions"]["fold"] == fold]
        assert rows.dtype == np.float32 and (rows == clips[["a", "b", "c"]].to_numpy(np.float32)).all()
        found = views.front_end(result, fold).frontend_module.state_dict()
        expected = folder.load_network(fold).frontend_module.state_dict()
        assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_a_run_without_a_finished_fold_is_no_result(tmp_path):
    settings = RunSettings(data="x", network="envnet", recipe=RECIPE, seed=0, folds=(1,), classes=("a", "b"))
    with pytest.raises(InputError, match="is finished: train it further"):
        RunFolder.create(tmp_path / "run", settings, {}).result()


def test_what_another_process_finishes_while_the_summary_waits_is_in_it(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    folder, late = RunFolder.open(tmp_path / "run"), tmp_path / "fold-2"
    (folder.path / "fold-2").rename(late)
    with ThreadPoolExecutor(1) as pool:
        with FileLock(folder.path / ".lock"):
            summary = pool.submit(folder.write_summary)
            time.sleep(0.5)  # time to read too early, were it not to wait
            late.rename(folder.path / "fold-2")
        assert summary.result()["fold"].tolist() == [1, 2]


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(finished, tmp_path, lost):
    shutil.copytree(finished, tmp_path / "run")
    path = tmp_path / "run" / "fold-1" / "weights.pt"
    weights = torch.load(path, weights_only=True)
    weights["conv.weight"][0, 0, 0, 0] = lost
    torch.save(weights, path)
    for place, told in ((tmp_path / "run", {}), (path, {"network": "tiny"})):
        with pytest.raises(InputError, match=r"numbers that are not finite \(conv.weight\)"):
            load_trained(place, **told)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--seed", "-1"], "--seed takes a whole number from 0 on"), (["--folds", "3"], "no clip is in fold 3")],
)
def test_what_cannot_be_trained_leaves_no_run_folder(data, tmp_path, capsys, arguments, complaint):
    assert train(data, tmp_path / "run", *arguments) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("column", "value", "arguments", "complaint"),
    [
        (1, "1", [], "all clips are in one fold"),
        (slice(2, 4), ["0", "a"], ["--mix", "bc"], "--mix bc mixes two classes"),
    ],
)
def test_a_set_of_one_fold_or_one_class_is_refused_before_anything_is_made(
    data, tmp_path, capsys, column, value, arguments, complaint
):
    shutil.copytree(data, tmp_path / "set")
    table = tmp_path / "set" / "meta" / "esc50.csv"
    head, *rows = [line.split(",") for line in table.read_text().splitlines()]
    for row in rows:
        row[column] = value
    table.write_text("\n".join(map(",".join, [head, *rows])))
    assert train(tmp_path / "set", tmp_path / "run", *arguments) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
