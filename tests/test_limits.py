"""What a training step costs, against counts by hand and torch's own counter; the bounds and the benchmark hold."""

import json
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import limits, throughput
from envnet_tutorial import costs
from envnet_tutorial.models import EnvNet, LinearBlock, PooledNormEnvNet
from envnet_tutorial.models.reordered import ReorderedEnvNet
from envnet_tutorial.settings import ENVNET_INPUT
from scripts.repository import ROOT

CPU = torch.device("cpu")
RECORDINGS = sorted((ROOT / "envnet_tutorial" / "recordings").glob("throughput-*.json"))
CONV2 = 960_000  # outputs of conv2 for one clip


class SmallHead(EnvNet):
    """EnvNet whose 48 million weights of the head are few: they take seconds to draw and gigabytes to train."""

    def __init__(self, num_classes):
        with torch.device("meta"):
            super().__init__(num_classes)
            self.classifier.fc5 = LinearBlock(50 * 11 * 14, 4)
            self.classifier.fc6 = LinearBlock(4, 4)
            self.classifier.fc7 = nn.Linear(4, num_classes)
        self.to_empty(device=torch.get_default_device())
        for module in self.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()


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


def test_a_real_step_is_slower_than_its_bound(passes):
    """The layer with most of the work, forwards, on the machine at hand."""
    torch.manual_seed(0)
    x, conv = torch.randn(1, 40, 1, 24_007), nn.Conv2d(40, 40, (1, 8), bias=False)
    with torch.no_grad():
        seconds = limits.shortest(lambda: conv(x), CPU, 3) / len(x)
    rate, bandwidth = limits.matrix_rate(CPU, torch.float32, size=1024), limits.copy_bandwidth(CPU, megabytes=64)
    row = pd.DataFrame([only(passes, "conv2", "conv", "forward")])
    bound = costs.roofline(row, rate, bandwidth, batch=len(x))["seconds"].item()
    assert 0.5 * bound < seconds  # half: other programs may come between the two measurements


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


def measured(monkeypatch, arguments):
    networks = {"plain": SmallHead}
    for name, network in (("paper, reordered", ReorderedEnvNet), ("pooled norm", PooledNormEnvNet)):
        networks[name] = type(name, (SmallHead, network), {})
    monkeypatch.setattr(throughput, "NETWORKS", networks)
    return throughput.parse(["--batch", "2", "--rounds", "1", "--threads", "1", *arguments])


def test_the_benchmark_measures_and_writes(monkeypatch, tmp_path):
    out = tmp_path / "measured.json"
    options = measured(monkeypatch, ["--mix", "bc", "--out", str(out)])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        recipe = throughput.recipe_of(options)
        trainers = {name: throughput.Trainer(name, recipe, CPU) for name in throughput.NETWORKS}
        turns = {name: partial(throughput.take_turn, trainer, 1) for name, trainer in trainers.items()}
        table = throughput.measure(options, turns)
    finally:
        torch.set_num_threads(threads)
    summary = throughput.summarise(table, 2, 4)
    throughput.write(out, options, table, summary)
    kept = json.loads(out.read_text())
    assert [row["network"] for row in kept["summary"]] == list(throughput.NETWORKS)
    ratios = pd.DataFrame(kept["summary"]).set_index("network")[["ratio_low", "ratio", "ratio_high"]]
    assert (ratios.loc["plain"] == 1).all()
    assert np.isfinite(ratios).all(axis=None) and (ratios > 0).all(axis=None)
    assert len(kept["rounds"]) == len(throughput.NETWORKS)  # the round that warms up is left out
    assert "1.00 (1.00 to 1.00)" in throughput.spelled_out(summary)["ratio"].tolist()


@pytest.mark.parametrize("mix", ["none", "bc"])
def test_the_plain_loop_and_ours_train_on_alike_batches(mix):
    recipe = throughput.recipe_of(throughput.parse(["--batch", "4", "--mix", mix]))
    for batches in (throughput.plain_batches(recipe, 0), throughput.our_batches(recipe, CPU)):
        for _ in range(2):
            waveforms, targets = next(batches)
            assert waveforms.shape == (4, 1, ENVNET_INPUT.num_samples)
            assert ((targets > 0).sum(dim=1) == (2 if mix == "bc" else 1)).all()
            torch.testing.assert_close(targets.sum(dim=1), torch.ones(4))


def test_peak_memory_is_the_process_own_and_sees_the_larger_tensor():
    code = """if True:
        import torch
        from benchmarks.throughput import own_peak
        for megabytes in (100, 400):
            torch.ones(megabytes * 2**20, dtype=torch.uint8)
            print(own_peak(torch.device("cpu")) / 2**20)
        """
    ballast = torch.ones(3 * 2**29, dtype=torch.uint8)  # of the parent, which must not count
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    small, large = map(float, shown.split())
    assert large < ballast.nbytes / 2**20
    assert large - small == pytest.approx(300, abs=30)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_the_recorded_measurements_are_whole(path):
    recording = json.loads(path.read_text())
    rounds = pd.DataFrame(recording["rounds"])
    summary = pd.DataFrame(recording["summary"]).set_index("network")
    speed = rounds.pivot(index="round", columns="network", values="clips/s")
    assert len(speed) == recording["options"]["rounds"]
    for name, row in summary.iterrows():
        assert row["clips/s"] == pytest.approx(np.median(speed[name]))
        assert row["ratio"] == pytest.approx(np.median(speed[name] / speed["plain"]))
        assert row["clips/s"] < row["bound"], "faster than its own roofline"
    limit = rounds["rate"].median() / costs.training_passes(EnvNet)["operations"].sum()
    np.testing.assert_allclose(summary["limit"], limit)
    np.testing.assert_allclose(summary["share"], summary["clips/s"] / limit)


def test_the_command_prints_the_bounds(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["limits", "--rate", "8100", "--bandwidth", "320"])
    limits.main()
    shown = capsys.readouterr().out
    (line,) = [line for line in shown.splitlines() if line.startswith("pooled norm, in cache")]
    passes = costs.pooled_norm(costs.training_passes(EnvNet), in_cache=True)
    bound = costs.fastest(passes, 8.1e12, 320e9, batch=64)
    assert f"{bound:.2f}" in line.split()


def test_counting_leaves_the_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    costs.training_passes(EnvNet)
    costs.training_memory(EnvNet)
    assert torch.equal(torch.rand(4), expected)
