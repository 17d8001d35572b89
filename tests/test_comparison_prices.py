"""What a network costs, against torch's own counters, sums by hand, and a process whose memory is known."""

import pytest
import torch
from tiny import TinyNet, parameters_of
from torch.utils.flop_counter import FlopCounterMode

from envnet_tutorial.comparison import blocks, latency, operations, parameters
from envnet_tutorial.comparison.prices import plain_form, time_windows, window_samples
from envnet_tutorial.models import M3, M5, NETWORKS, CompactEnvNet, CompactPooledNorm, EnvNet, MelFixedFilters
from envnet_tutorial.settings import ENVNET_INPUT

BOOK = sorted(name for name, network in NETWORKS.items() if network is not TinyNet)


@pytest.mark.parametrize("network", [TinyNet, M5, CompactEnvNet])
def test_operations_are_those_that_torch_counts(network):
    model = network(7)
    with FlopCounterMode(display=False) as counter:  # old versions of it count nothing in inference mode
        model.eval()(torch.zeros(1, 1, window_samples(network)))
    assert operations(network, 7) == counter.get_total_flops()


def test_a_network_that_takes_any_length_is_priced_for_the_same_sound():
    assert window_samples(M3) == 12_000  # of its 32,000
    assert window_samples(EnvNet) == window_samples(CompactEnvNet) == ENVNET_INPUT.num_samples


def test_a_fast_order_costs_what_its_plain_form_does():
    assert plain_form(NETWORKS["envnet-pooled-norm"]) is plain_form(NETWORKS["envnet-reordered"]) is EnvNet
    assert plain_form(CompactPooledNorm) is CompactEnvNet
    assert plain_form(NETWORKS["mel-cnn"]) is NETWORKS["mel-cnn"]
    assert operations(CompactPooledNorm, 10) == operations(CompactEnvNet, 10)


@pytest.mark.parametrize("name", BOOK)
def test_every_network_has_a_price(name):
    assert parameters(NETWORKS[name], 50) > 1e5
    least = 5e7 if name == "compact-mel" else 1e8  # which has neither a learned front end nor a large classifier
    assert least < operations(NETWORKS[name], 50) < 1e10


def test_parameters_are_what_is_learned():
    assert parameters(TinyNet, 3) == parameters_of(TinyNet(3)) == 6 * 16 + 12 + 48 * 3 + 3
    learned = parameters(NETWORKS["mel-start"], 10)
    assert learned - parameters(MelFixedFilters, 10) == 80 * 400  # the filters stay
    assert parameters(EnvNet, 50) == 48_560_638


def test_blocks_stand_in_the_order_of_the_sound():
    table = blocks(EnvNet, 50)
    kinds = ["conv", "conv", "pool", "conv", "pool", "conv", "pool", "linear", "linear", "linear"]
    assert table["kind"].tolist() == kinds
    assert table["outputs"].tolist()[:4] == [40 * 24_007, 40 * 24_000, 40 * 150, 50 * 33 * 138]
    assert blocks(NETWORKS["envnet-pooled-norm"], 50).equals(table) and not table["branch"].any()


def test_what_stands_side_by_side_is_told_apart():
    table = blocks(NETWORKS["wavemsnet"], 50)
    of_branch = table.groupby("branch", sort=False)["outputs"].last()
    assert of_branch.index.tolist() == ["short", "middle", "long", ""]
    assert of_branch.tolist() == [32 * 441] * 3 + [50]


class Heavy(TinyNet):
    """A network with 400 MB of weights that nothing reads."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.ballast = torch.nn.Parameter(torch.ones(100_000_000))


def test_latency_has_quartiles_and_the_memory_of_its_own_process():
    ballast = torch.ones(50_000_000)  # of this process, which must not count
    light, heavy = latency(TinyNet, 3, rounds=5), latency(Heavy, 3, rounds=5)
    assert 0 < light.low <= light.median <= light.high < 1
    assert light.rounds == 5
    assert light.peak < ballast.nbytes / 2
    assert heavy.peak - light.peak == pytest.approx(400e6, rel=0.1)


def test_warm_up_does_not_count(monkeypatch):
    calls = []
    monkeypatch.setattr(torch, "set_num_threads", calls.append)
    monkeypatch.setattr(TinyNet, "classify", lambda self, features: calls.append(features.shape))
    seconds, _ = time_windows(TinyNet, 3, 4)
    assert (len(seconds), calls[0], calls[1:]) == (4, 1, [(1, 6, 299)] * 7)
