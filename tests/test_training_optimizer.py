"""The optimiser and its schedule, against the update written out and the bug of a schedule never stepped."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import RECIPE, train_tiny
from torch import nn

from envnet_tutorial import training

pytestmark = pytest.mark.usefixtures("one_thread")


def rates_of(history):
    return history.epochs["learning_rate"].to_numpy()


def test_the_scheduler_is_stepped(monkeypatch):
    recipe = replace(RECIPE, schedule="steps", epochs=4, learning_rate=0.01, warmup=0.0)
    assert_falls = lambda history: np.testing.assert_allclose(rates_of(history), [1e-2, 1e-2, 1e-3, 1e-4])  # noqa: E731
    assert_falls(train_tiny(recipe)[1])

    class NeverStepped(torch.optim.lr_scheduler.LambdaLR):  # the bug
        def step(self, epoch=None):
            if self.last_epoch < 0:
                super().step(epoch)

    monkeypatch.setattr(torch.optim.lr_scheduler, "LambdaLR", NeverStepped)
    with pytest.raises(AssertionError):
        assert_falls(train_tiny(recipe)[1])


def test_the_optimizer_is_nesterovs():
    """Two steps on a parabola, against the update written out."""
    parameter = nn.Parameter(torch.tensor([2.0]))
    recipe = replace(RECIPE, schedule="steps", milestones=(), learning_rate=0.1, weight_decay=0.01, warmup=0.0)
    module = nn.Module()
    module.register_parameter("weight", parameter)
    optimizer, scheduler = training.make_optimizer(module, recipe, 10)
    value, velocity = 2.0, 0.0
    for _ in range(2):
        optimizer.zero_grad()
        parameter.square().sum().backward()
        optimizer.step()
        scheduler.step()
        gradient = 2 * value + 0.01 * value
        velocity = 0.9 * velocity + gradient
        value -= 0.1 * (gradient + 0.9 * velocity)
        assert parameter.item() == pytest.approx(value, rel=1e-6)


@pytest.fixture
def no_compiler(monkeypatch):
    """Make an import of torch's compiler an error, and forget what an earlier one has left."""
    monkeypatch.setitem(sys.modules, "torch._dynamo", None)
    for method in (torch.optim.SGD.add_param_group, torch.optim.SGD.zero_grad, torch.optim.SGD.state_dict):
        monkeypatch.delattr(training.optimizer._uncompiled(method), "__dynamo_disable", raising=False)


def test_a_training_does_not_wait_for_torchs_compiler(no_compiler):
    model, _ = train_tiny(RECIPE)
    one, other = (training.make_optimizer(model, RECIPE, 1)[0] for _ in range(2))
    one.load_state_dict(other.state_dict())


def test_the_weights_are_those_of_torchs_own_optimizer(monkeypatch):
    ours, _ = train_tiny(RECIPE)
    monkeypatch.setattr(training.optimizer, "_QuickSGD", torch.optim.SGD)
    torchs, _ = train_tiny(RECIPE)
    for weight, expected in zip(ours.parameters(), torchs.parameters(), strict=True):
        assert torch.equal(weight, expected)
