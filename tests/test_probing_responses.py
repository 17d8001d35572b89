"""Probes against equations, the FFT and planted filters (lesson 5)."""

import pytest
import torch
from planted import first_kernels, gabor, least_processor_seconds, plant, uneven_envnet
from torch import nn

from envnet_tutorial import probing
from envnet_tutorial.models import EnvNet, PooledNormEnvNet
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate


@pytest.fixture
def network():
    return uneven_envnet()


def test_short_probes_equal_long_ones_where_the_period_divides_a_frame(network):
    frequencies = torch.tensor([100.0, 800.0, 3000.0, 7900.0])
    short = probing.response_matrix(network, frequencies, num_frames=3)
    network.eval()
    tones = probing.sine_probes(frequencies, ENVNET_INPUT.num_samples, RATE, amplitude=0.5, num_phases=4)
    with torch.no_grad():
        maps = network.frontend(tones.flatten(0, 1).unsqueeze(1))  # (tone, filter, 150)
    assert maps.shape[-1] == 150
    torch.testing.assert_close(short, maps.mean(-1).unflatten(0, (4, 4)).mean(1).T, atol=1e-5, rtol=1e-4)


def test_probing_leaves_the_network_as_it_was(network):
    network.train()
    network.feature_conv.conv1.eval()
    modes = [m.training for m in network.modules()]
    state = {key: value.clone() for key, value in network.state_dict().items()}
    random_state = torch.get_rng_state()
    probing.response_matrix(network, torch.tensor([440.0, 880.0]))
    assert [m.training for m in network.modules()] == modes
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in network.parameters())
    assert torch.equal(torch.get_rng_state(), random_state)


def test_planted_filters_come_out_where_they_were_planted(network):
    planted = torch.tensor([2500.0, 4000.0, 5500.0, 6500.0])  # 8 taps are too short for much lower bands
    plant(network, torch.stack([gabor(f) for f in planted]))
    frequencies = probing.probe_frequencies(200, 50, 7950, scale="linear")
    matrix = probing.response_matrix(network, frequencies, num_phases=8)[: len(planted)]
    found = probing.centre_frequencies(matrix, frequencies)
    exact = probing.frequency_response(first_kernels(network)[: len(planted)], frequencies, RATE)
    # ReLU and max add harmonics, so a tenth of the band is the tolerance; the FFT gives the place itself.
    torch.testing.assert_close(found, frequencies[exact.argmax(dim=1)], atol=200, rtol=0)
    torch.testing.assert_close(found, planted.double(), atol=500, rtol=0)


def test_responses_are_not_proportional_to_amplitude(network):
    frequencies = torch.tensor([500.0, 3000.0])
    quiet = probing.response_matrix(network, frequencies, amplitude=0.1)
    loud = probing.response_matrix(network, frequencies, amplitude=1.0)
    assert not torch.allclose(loud, 10 * quiet, rtol=0.05)


def test_levels_are_probes_of_their_own(network):
    frequencies = probing.probe_frequencies(4, 100, 7000)
    levels = probing.response_levels(network, frequencies, [0.01, 0.5], num_frames=3)
    assert levels.shape == (2, 40, 4)
    for level, amplitude in zip(levels, (0.01, 0.5), strict=True):
        alone = probing.response_matrix(network, frequencies, amplitude=amplitude, num_frames=3)
        torch.testing.assert_close(level, alone)
    assert not torch.equal(levels[0], levels[1])


def test_what_has_no_front_end_is_refused():
    with pytest.raises(TypeError, match="Linear is no WaveformNetwork"):
        probing.response_matrix(nn.Linear(3, 2), torch.tensor([440.0]))


@pytest.mark.parametrize("kind", [EnvNet, PooledNormEnvNet])
def test_512_tones_take_less_than_two_seconds_on_two_cores(kind):
    network, frequencies = kind(2), probing.probe_frequencies(512, 50, 7900)
    assert least_processor_seconds(lambda: probing.response_matrix(network, frequencies), repeats=1) < 2 * 2.0
