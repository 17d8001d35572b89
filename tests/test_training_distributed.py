"""Several processes train one network together and end where one process ends."""

import os
from dataclasses import replace
from functools import partial

import forked
import numpy as np
import pytest
import torch
from tiny import RECIPE, TinyNet, TinyPooledNorm, TinyReordered, tones, weights_of

from envnet_tutorial import training
from envnet_tutorial.errors import InputError
from envnet_tutorial.training import distributed

ODD = replace(RECIPE, mix="bc", batch_size=9, epochs=3)  # for two processes: shares of 5 and 4


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Compute on one core: a network this small is done before it is shared out."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def unscaled(num_classes):
    """Make a tiny network whose batch norm has no scale and offset, as before the mel networks' pictures."""
    model = TinyNet(num_classes, dropout=0.0)
    model.norm = torch.nn.BatchNorm2d(6, affine=False)
    return model


#: Dropout is off, since each process draws masks of its own.
SHARED = {
    "tiny": partial(TinyNet, dropout=0.0),
    "unscaled": unscaled,
    "pooled norm": TinyPooledNorm,
    "reordered": TinyReordered,
}


def fit_odd(name, progress=False):
    """Train one of the networks, and return where its weights end and its history."""
    model = training.build_model(SHARED[name], 3, seed=0)
    # At the tiny network's rate the reordered one's loss jumps to 4 nats, and rounding grows with it.
    recipe = ODD if name in ("tiny", "unscaled") else replace(ODD, learning_rate=0.01)
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


def test_several_processes_end_with_the_weights_of_one(tmp_path, monkeypatch, capsys):
    """To rounding: 1e-5 of the largest weight, also where batch norm is folded into the layer before it."""
    ports = forked.free_ports(2)
    with forked.torchrun(monkeypatch, tmp_path, 4, fit_shares, tmp_path, *ports):
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
    share, weight = distributed.shard(torch.arange(7))
    assert share.tolist() == [2, 5] and weight == 2 * 3 / 7
    with pytest.raises(InputError, match="fewer processes"):
        distributed.shard(torch.arange(2))
    distributed.refuse_uneven(99, 32)  # the last batch has three
    distributed.refuse_uneven(96, 32)
    with pytest.raises(InputError, match="the last batch of an epoch has 2 of 98 clips"):
        distributed.refuse_uneven(98, 32)
    with pytest.raises(InputError, match="too few to be shared by 3"):
        training.TrainingState.start(TinyNet(3), tones().select([0, 1]), RECIPE, 0, torch.device("cpu"))
