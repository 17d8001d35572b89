"""Long work behaves: checkpoints, kills, full disks, run folders, several processes."""

import os
import resource
import signal
import socket
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial

import forked
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from tiny import RATE, RECIPE, TinyNet, TinyPooledNorm, TinyReordered, tones, weights_of

from envnet_tutorial import runs, training
from envnet_tutorial.__main__ import main
from envnet_tutorial.errors import InputError
from envnet_tutorial.trained import load_trained
from envnet_tutorial.training import checkpoints, distributed

LONG = replace(RECIPE, epochs=30, mix="bc")
ODD = replace(RECIPE, mix="bc", batch_size=9, epochs=3)  # for two processes: shares of 5 and 4


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Compute on one core: a network this small is done before it is shared out."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def fit_tiny(recipe, **options):
    model = training.build_model(TinyNet, 3, seed=0)
    history = training.fit(model, tones(), recipe, progress=False, **options)
    return model, history


# ------------------------------------------------------------------------------------------------------- checkpoints


def fit_slowly(path):
    """Train for long enough to be killed on the way."""
    fit_tiny(LONG, callbacks=[lambda step, model: time.sleep(0.02)], checkpoint=path, checkpoint_every=1)


def test_killed_at_any_moment_and_resumed_it_ends_with_the_same_weights(tmp_path):
    path = tmp_path / "checkpoint.pt"
    process = forked.start(fit_slowly, path, errors=tmp_path / "errors.txt")
    deadline = time.monotonic() + 120
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    done = len(torch.load(path, weights_only=True)["history"])
    assert 0 < done < 30
    resumed, history = fit_tiny(LONG, checkpoint=path, resume=True)
    whole, expected = fit_tiny(LONG)
    assert torch.equal(weights_of(resumed), weights_of(whole))
    assert history.epochs.loss.tolist() == expected.epochs.loss.tolist()


def test_a_checkpoint_comes_every_so_many_epochs_and_after_the_last(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(training.loop, "save_checkpoint", lambda path, run: saved.append(len(run.history.rows)))
    fit_tiny(replace(RECIPE, epochs=5), checkpoint=tmp_path / "c.pt", checkpoint_every=2)
    assert saved == [2, 4, 5]


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "c.pt"
    fit_tiny(replace(RECIPE, epochs=1), checkpoint=path)
    with pytest.raises(InputError, match="other recipe"):
        fit_tiny(replace(RECIPE, epochs=2), checkpoint=path, resume=True)
    with pytest.raises(InputError, match="other seed"):
        fit_tiny(replace(RECIPE, epochs=1), seed=1, checkpoint=path, resume=True)
    with pytest.raises(InputError, match="other clips"):
        training.fit(TinyNet(3), tones(seed=1), replace(RECIPE, epochs=1), progress=False, checkpoint=path, resume=True)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match="damaged"):
        fit_tiny(replace(RECIPE, epochs=1), checkpoint=path, resume=True)


def test_numbers_that_are_none_leave_the_last_good_checkpoint(tmp_path):
    path = tmp_path / "c.pt"

    def poison(step, model):
        if step == 15:  # the last step of the third epoch: the loss is still a number
            model.head[1].weight.data[0, 0] = torch.nan

    with pytest.raises(training.TrainingStopped, match="epoch 3 left"):
        fit_tiny(RECIPE, checkpoint=path, checkpoint_every=1, callbacks=[poison])
    state = torch.load(path, weights_only=True)
    assert len(state["history"]) == 2
    assert all(value.isfinite().all() for value in state["model"].values())


def test_a_full_disk_stops_with_a_sentence_and_keeps_the_last_good_checkpoint(tmp_path):
    """A limit on the size of files stands for the full disk: the kernel refuses the write either way."""
    path = tmp_path / "checkpoint.pt"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_the_disk(step, model):
        if step == 11:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))

    try:
        with pytest.raises(training.TrainingStopped) as stopped:
            fit_tiny(RECIPE, callbacks=[fill_the_disk], checkpoint=path, checkpoint_every=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "could not be written" in str(stopped.value) and "\n" not in str(stopped.value)
    assert len(torch.load(path, weights_only=True)["history"]) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail(file):
        file.write(b"half of the new")
        raise OSError(28, "No space left on device")

    with pytest.raises(training.TrainingStopped, match="No space left"):
        checkpoints.write_atomically(path, fail)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


# ------------------------------------------------------------------------------------------------- several processes


#: Dropout is off, since each process draws masks of its own.
SHARED = {"tiny": partial(TinyNet, dropout=0.0), "pooled norm": TinyPooledNorm, "reordered": TinyReordered}


def fit_odd(name, progress=False):
    """Train one of the networks, and return where its weights end and its history."""
    model = training.build_model(SHARED[name], 3, seed=0)
    # At the tiny network's rate the reordered one's loss jumps to 4 nats, and rounding grows with it.
    recipe = ODD if name == "tiny" else replace(ODD, learning_rate=0.01)
    history = training.fit(model, tones(), recipe, progress=progress)
    return weights_of(model), history.rows


def fit_shares(folder, *ports):
    """Train the networks together with the other processes, all and then two; write down where each ends."""
    for size, port in zip((4, 2), ports, strict=True):
        if int(os.environ["RANK"]) < size:
            os.environ |= {"WORLD_SIZE": str(size), "MASTER_PORT": str(port)}
            distributed.join_processes()
            rank = distributed.rank_and_size()[0]
            torch.save({name: fit_odd(name, progress=True) for name in SHARED}, f"{folder}/{rank}-of-{size}.pt")
            distributed.leave_processes()


def free_ports(count):
    """Return ports of this machine that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return [free.getsockname()[1] for free in sockets]


@contextmanager
def torchrun(monkeypatch, folder, size, function, *arguments):
    """Be the first of several processes that torchrun would start; the others call the function."""
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_ports(1)[0]), "WORLD_SIZE": str(size)}
    errors = [folder / f"errors-{rank}.txt" for rank in range(1, size)]
    others = [
        forked.start(function, *arguments, errors=file, environment=shared | {"RANK": str(rank)})
        for rank, file in enumerate(errors, start=1)
    ]
    for name, value in (shared | {"RANK": "0"}).items():
        monkeypatch.setenv(name, value)
    try:
        yield
        for other, file in zip(others, errors, strict=True):
            other.join(timeout=120)
            assert (other.exitcode, file.read_text()) == (0, "")  # the first process reports
    finally:
        for other in others:
            other.kill()


def test_several_processes_end_with_the_weights_of_one(tmp_path, monkeypatch, capsys):
    """To rounding: 1e-5 of the largest weight, also where batch norm is folded into the layer before it."""
    ports = free_ports(2)
    with torchrun(monkeypatch, tmp_path, 4, fit_shares, tmp_path, *ports):
        fit_shares(tmp_path, *ports)
    assert "".join(capsys.readouterr()).count("epoch    3  loss") == 2 * len(SHARED)
    ends = [torch.load(path, weights_only=True) for path in sorted(tmp_path.glob("*-of-*.pt"))]
    assert len(ends) == 4 + 2
    for name in SHARED:
        expected, expected_rows = fit_odd(name)
        for weights, rows in (end[name] for end in ends):
            assert (weights - expected).abs().max() < 1e-5 * expected.abs().max(), name
            for column, tolerance in (("loss", 1e-4), ("accuracy", 1e-6)):
                np.testing.assert_allclose(
                    [row[column] for row in rows], [row[column] for row in expected_rows], rtol=tolerance
                )


def test_more_processes_than_clips_are_refused(monkeypatch):
    monkeypatch.setattr(distributed, "rank_and_size", lambda: (2, 3))
    assert distributed.own_share(torch.arange(7)).tolist() == [2, 5]
    with pytest.raises(InputError, match="fewer processes"):
        distributed.own_share(torch.arange(2))


# ------------------------------------------------------------------------------------------------------- run folders


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Write a folder in ESC-50's layout with 24 short clips in two folds."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "audio").mkdir()
    (folder / "meta").mkdir()
    clips, rows = tones(num_clips=24), []
    for row in range(24):
        name = f"{clips.folds[row]}-{row}-A-{clips.labels[row]}.wav"
        soundfile.write(folder / "audio" / name, clips.samples[row], RATE)
        category = clips.classes[clips.labels[row]]
        rows.append([name, clips.folds[row], clips.labels[row], category, False, row, "A"])
    columns = ["filename", "fold", "target", "category", "esc10", "src_file", "take"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "meta" / "esc50.csv", index=False)
    return folder


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch, tmp_path_factory):
    monkeypatch.setitem(runs.NETWORKS, "tiny", TinyNet)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def train(data, out, *arguments):
    common = ["--network", "tiny", "--data", str(data), "--out", str(out), "--epochs", "3", "--quiet"]
    return main(["train", *common, *arguments])


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """Make a finished run over both folds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(runs.NETWORKS, "tiny", TinyNet)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        out = tmp_path_factory.mktemp("runs") / "run"
        assert train(data, out, "--mix", "bc", "--seed", "3") == 0
    return out


def test_a_run_folder_knows_its_network_and_how_it_hears(finished, monkeypatch):
    monkeypatch.setitem(runs.NETWORKS, "tiny", TinyNet)
    found = load_trained(finished)
    assert isinstance(found.network, TinyNet) and found.classes == ("a", "b", "c")
    assert found.preparation == training.FAST.preparation != training.PAPER.preparation
    for told in ({"network": "envnet"}, {"preset": "paper"}):
        with pytest.raises(InputError, match="knows its own"):
            load_trained(finished, **told)


def test_a_run_folder_says_what_was_done_and_what_came_of_it(finished, data):
    folder = runs.RunFolder.open(finished)
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
        check = training.Run.check_numbers

        def stop(run):
            check(run)
            if len(run.history.rows) == count:
                raise training.TrainingStopped("enough")

        return stop

    with monkeypatch.context() as patch:
        patch.setattr(training.Run, "check_numbers", stop_after(3))
        assert train(data, tmp_path / "run", *arguments) == 1
    assert runs.RunFolder.open(tmp_path / "run").finished_folds() == []
    assert train(data, tmp_path / "run", *arguments, "--resume") == 0
    for fold in (1, 2):
        first, second = (runs.RunFolder.open(out).load_network(fold) for out in (finished, tmp_path / "run"))
        assert torch.equal(weights_of(first), weights_of(second))
        assert not (tmp_path / "run" / f"fold-{fold}" / "checkpoint.pt").exists()


def train_own_folds(data, out):
    """Train as one of several processes that share the folds; a forked process does not know the tiny network yet."""
    runs.NETWORKS["tiny"] = TinyNet
    return train(data, out, "--mix", "bc", "--seed", "3", "--share", "folds")


def test_processes_that_share_the_folds_make_the_run_of_one(data, finished, tmp_path, monkeypatch, capsys):
    with torchrun(monkeypatch, tmp_path, 2, train_own_folds, data, tmp_path / "run"):
        assert train_own_folds(data, tmp_path / "run") == 0
    folder = runs.RunFolder.open(tmp_path / "run")
    for fold in (1, 2):
        assert torch.equal(
            weights_of(folder.load_network(fold)), weights_of(runs.RunFolder.open(finished).load_network(fold))
        )
    assert (tmp_path / "run" / "results.csv").read_text() == (finished / "results.csv").read_text()


def test_the_front_end_is_kept_along_the_way(tmp_path):
    settings = runs.RunSettings(data="x", network="envnet", recipe=RECIPE, seed=0, folds=(1,), classes=("a", "b"))
    folder = runs.RunFolder.create(tmp_path / "run", settings, torch.device("cpu"))
    front_end = torch.nn.Sequential(torch.nn.Conv2d(1, 2, (1, 3)))
    model = torch.nn.Module()
    model.feature_conv = front_end
    keep = folder.front_end_keeper(1, every=2)
    seen = {}
    for step in range(5):
        torch.nn.init.constant_(front_end[0].weight, float(step))
        seen[step] = front_end[0].weight.detach().clone()
        keep(step, model)
    kept = folder.front_ends(1)
    assert list(kept) == [0, 2, 4]
    assert all(torch.equal(kept[step]["0.weight"], seen[step]) for step in kept)


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
    assert "other settings" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "not a run folder" in capsys.readouterr().err


def test_damaged_weights_are_refused(finished, tmp_path):
    folder = runs.RunFolder(tmp_path, runs.RunFolder.open(finished).settings)
    with pytest.raises(InputError, match="not finished"):
        folder.load_network(1)
    folder.fold_path(1).mkdir()
    whole = (finished / "fold-1" / "weights.pt").read_bytes()
    (folder.fold_path(1) / "weights.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="does not hold"):
        folder.load_network(1)
