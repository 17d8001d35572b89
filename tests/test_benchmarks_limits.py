"""The limits of a machine, measured, and the bounds that follow."""

import sys

import pytest
import torch
from torch import nn

from benchmarks import limits
from envnet_tutorial import costs
from envnet_tutorial.models import EnvNet

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def passes():
    return costs.training_passes(EnvNet)


def test_a_real_step_is_slower_than_its_bound(passes):
    """The layer with most of the work, forwards, on the machine at hand."""
    torch.manual_seed(0)
    x, conv = torch.randn(1, 40, 1, 24_007), nn.Conv2d(40, 40, (1, 8), bias=False)
    with torch.no_grad():
        seconds = limits.shortest(lambda: conv(x), CPU, 3) / len(x)
    rate, bandwidth = limits.matrix_rate(CPU, torch.float32, size=1024), limits.copy_bandwidth(CPU, megabytes=64)
    is_conv2 = (passes["layer"] == "conv2") & (passes["kind"] == "conv") & (passes["pass"] == "forward")
    row = passes[is_conv2]
    bound = costs.roofline(row, rate, bandwidth, batch=len(x))["seconds"].item()
    assert 0.5 * bound < seconds  # half: other programs may come between the two measurements


def test_the_command_prints_the_bounds(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["limits", "--rate", "8100", "--bandwidth", "320"])
    limits.main()
    shown = capsys.readouterr().out
    (line,) = [line for line in shown.splitlines() if line.startswith("pooled norm, in cache")]
    passes = costs.pooled_norm(costs.training_passes(EnvNet), in_cache=True)
    bound = costs.fastest(passes, 8.1e12, 320e9, batch=64)
    assert f"{bound:.2f}" in line.split()
