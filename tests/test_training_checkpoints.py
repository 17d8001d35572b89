"""Checkpoints: a training that is killed, or whose disk is full, goes on as if nothing had happened."""

import resource
import signal
import time
from dataclasses import replace
from functools import partial

import forked
import pytest
import torch
from tiny import RECIPE, TinyNet, tones, weights_of

from envnet_tutorial import training
from envnet_tutorial.errors import InputError

LONG = replace(RECIPE, epochs=30, mix="bc")


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


def fit_slowly(path):
    """Train for long enough to be killed on the way."""
    fit_tiny(LONG, callbacks=[lambda step, model: time.sleep(0.02)], checkpoint=path, checkpoint_every=1)


def fit_and_keep(out, **options):
    """Train to the end in a process of its own, and write down what came of it."""
    model, history = fit_tiny(LONG, **options)
    torch.save((weights_of(model), history.epochs.loss.tolist()), out)


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
    found = {}
    for name, options in {"resumed": {"checkpoint": path, "resume": True}, "whole": {}}.items():
        process = forked.start(partial(fit_and_keep, **options), tmp_path / name, errors=tmp_path / "errors.txt")
        process.join(timeout=120)
        assert (process.exitcode, (tmp_path / "errors.txt").read_text()) == (0, "")
        found[name] = torch.load(tmp_path / name, weights_only=True)
    assert torch.equal(found["resumed"][0], found["whole"][0])
    assert found["resumed"][1] == found["whole"][1]


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


def test_a_checkpoint_of_another_network_is_refused_though_its_weights_would_fit(tmp_path):
    class Twin(TinyNet):
        """Another network whose weights have the same names and shapes."""

    path, once = tmp_path / "c.pt", replace(RECIPE, epochs=1)
    fit_tiny(once, checkpoint=path)
    with pytest.raises(InputError, match="other network"):
        training.fit(Twin(3), tones(), once, progress=False, checkpoint=path, resume=True)


@pytest.mark.parametrize("part", ["model", "optimizer", "history"])
def test_a_checkpoint_that_lacks_a_part_is_damaged(tmp_path, part):
    path, once = tmp_path / "c.pt", replace(RECIPE, epochs=1)
    fit_tiny(once, checkpoint=path)
    saved = torch.load(path, weights_only=True)
    del saved[part]
    torch.save(saved, path)
    with pytest.raises(InputError, match="is damaged: remove it"):
        fit_tiny(once, checkpoint=path, resume=True)


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
        with pytest.raises(InputError) as stopped:
            fit_tiny(RECIPE, callbacks=[fill_the_disk], checkpoint=path, checkpoint_every=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "could not be written" in str(stopped.value) and "\n" not in str(stopped.value)
    assert len(torch.load(path, weights_only=True)["history"]) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.pt"]
