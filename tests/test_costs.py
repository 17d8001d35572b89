"""What a training step costs, against counts by hand and torch's own counter; the bounds and the benchmark hold."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from envnet_tutorial import costs
from envnet_tutorial.models import EnvNet, PooledNormEnvNet
from envnet_tutorial.models.reordered import ReorderedEnvNet
from envnet_tutorial.settings import ENVNET_INPUT

CPU = torch.device("cpu")
CONV2 = 960_000  # outputs of conv2 for one clip


@pytest.fixture(scope="module")
def passes():
    return costs.training_passes(EnvNet)


def only(table, layer, kind, name):
    (row,) = table[(table["layer"] == layer) & (table["kind"] == kind) & (table["pass"] == name)].to_dict("records")
    return row


def test_operations_are_those_that_torch_counts(passes):
    model = EnvNet(10)
    with FlopCounterMode(display=False) as counter:
        scores = model(torch.zeros(1, 1, ENVNET_INPUT.num_samples))
        forward = counter.get_total_flops()
        scores.sum().backward()
    assert passes.loc[passes["pass"] == "forward", "operations"].sum() == forward
    assert passes["operations"].sum() == counter.get_total_flops()


def test_bytes_of_conv2_by_hand(passes):
    roof = costs.roofline(passes, 1.0, 1.0, batch=64, value_bytes=2)
    for name in ("forward", "input gradient", "weight gradient"):
        picture = 40 * 24_007 + 40 * 24_000  # numbers before and behind conv2
        assert only(roof, "conv2", "conv", name)["bytes"] == 2 * picture + 2 * 40 * 40 * 8 / 64
    assert only(roof, "conv2", "conv", "optimiser")["bytes"] == 4 * 5 * 40 * 40 * 8 / 64  # stays float32


def test_the_waveform_needs_no_gradient(passes):
    assert passes[passes["layer"] == "conv1"].query("kind == 'conv'")["pass"].tolist() == [
        "forward",
        "weight gradient",
        "optimiser",
    ]


def test_what_the_reordered_network_saves(passes):
    saved = passes["elements"].sum() - costs.reordered(passes)["elements"].sum()
    folded = 5 * 40 * 24_007
    relus = sum(5 * (dense - pooled) for dense, pooled in ((CONV2, 6_000), (227_700, 25_300), (23_100, 7_700)))
    assert saved == folded + relus
    assert costs.reordered(passes)["operations"].sum() == passes["operations"].sum()


def test_what_the_pooled_norm_saves(passes):
    table = costs.pooled_norm(passes, in_cache=True)
    dense_backward = 2 * 2 * CONV2 * 320 + 2 * 40 * 24_007 * 8  # conv2 twice, conv1's weights once
    window = 2 * 8 * 8 * 40  # conv1 again, for the 8 places and 40 filters that a winner saw
    gather = 6_000 * (window + 2 * 320 + 320 + window)
    assert passes["operations"].sum() - table["operations"].sum() == dense_backward - gather
    assert only(table, "conv2", "conv", "forward")["elements"] == 0
    assert only(table, "conv1", "conv", "forward")["elements"] == ENVNET_INPUT.num_samples
    outside = costs.pooled_norm(passes, in_cache=False)
    assert only(outside, "conv2", "conv", "forward")["elements"] == 40 * 24_007 + CONV2


def test_bounds_are_ordered_and_meet_their_limits(passes):
    speed = {name: costs.fastest(order(passes), 3e11, 1e10, batch=64) for name, order in costs.ORDERS.items()}
    assert list(speed.values()) == sorted(speed.values())
    alone = costs.fastest(passes, 3e11, np.inf, batch=64)
    assert alone == pytest.approx(3e11 / passes["operations"].sum())
    assert speed["plain"] < alone
    moved = 4 * (passes["elements"].sum() + passes["weights"].sum() / 64)
    assert costs.fastest(passes, np.inf, 1e10, batch=64) == pytest.approx(1e10 / moved)
    assert speed["plain"] < 1e10 / moved


def test_memory_is_what_autograd_keeps():
    memory = costs.training_memory(EnvNet)
    # Outputs of conv, ReLU (the next layer's input) for each block; the waveform; the pools' outputs and int64 places.
    pictures = 2 * (40 * 24_007 + CONV2 + 227_700 + 23_100) + ENVNET_INPUT.num_samples + 6_000 + 25_300 + 7_700
    places = 8 * (6_000 + 25_300 + 7_700)
    assert memory["activations"] == pytest.approx(4 * pictures + places, rel=0.01)  # the rest is the head
    weights = 40 * 8 + 40 * 40 * 8 + 50 * 8 * 13 + 50 * 50 * 5 + 2 * (40 + 40 + 50 + 50)
    weights += (7_700 + 1) * 4_096 + (4_096 + 1) * 4_096 + (4_096 + 1) * 10
    assert memory["weights"] == memory["gradients"] == memory["momentum"] == 4 * weights


def test_our_networks_keep_less():
    networks = (EnvNet, ReorderedEnvNet, PooledNormEnvNet)
    plain, reordered, ours = (costs.training_memory(network)["activations"] for network in networks)
    assert ours < plain / 4 < reordered < plain


def test_counting_leaves_the_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    costs.training_passes(EnvNet)
    costs.training_memory(EnvNet)
    assert torch.equal(torch.rand(4), expected)
