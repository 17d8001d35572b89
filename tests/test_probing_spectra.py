"""Frequency responses of the merged filters, against torch.fft and the network itself."""

import math

import pytest
import torch
from planted import RATE, first_kernels, plant, uneven_envnet
from torch import nn

from envnet_tutorial import probing


@pytest.fixture
def network():
    return uneven_envnet()


def test_linear_network_agrees_with_its_frequency_response(network):
    linear = nn.Sequential(
        *(
            nn.Sequential(block.module[0], block.module[1])
            for block in (network.feature_conv.conv1, network.feature_conv.conv2)
        )
    ).eval()
    frequencies = probing.probe_frequencies(24, 50, 7900)
    amplitude, tones = 0.5, probing.sine_probes(frequencies, 814, RATE, amplitude=0.5, num_phases=1)
    with torch.no_grad():
        linear, tones = linear.double(), tones.double()
        outputs = linear(tones[:, :, None])[:, :, 0] - linear(torch.zeros_like(tones[:1, :, None]))[:, :, 0]
    time = torch.arange(outputs.shape[-1], dtype=torch.float64) / RATE
    angle = 2 * math.pi * frequencies[:, None] * time
    basis = torch.stack([angle.sin(), angle.cos()], dim=-1)  # (frequency, time, 2)
    fit = torch.linalg.lstsq(basis, outputs.transpose(1, 2)).solution  # (frequency, 2, filter)
    measured = fit.norm(dim=1).T / amplitude
    expected = probing.frequency_response(probing.composite_kernels(network), frequencies, RATE)
    torch.testing.assert_close(measured, expected, atol=1e-4, rtol=1e-4)


def test_frequency_response_agrees_with_torch_fft(network):
    kernels = first_kernels(network)
    bins = torch.fft.rfftfreq(512, 1 / RATE).double()
    expected = torch.fft.rfft(kernels, n=512).abs()
    torch.testing.assert_close(probing.frequency_response(kernels, bins, RATE), expected, atol=1e-9, rtol=1e-9)


def test_delays_constants_and_zeros_have_no_centre_of_their_own(network):
    delay, constant, zero = torch.zeros(8), torch.full((8,), 1 / 8), torch.zeros(8)
    delay[3] = 1
    plant(network, torch.stack([delay, constant, zero]))
    # frequencies whose period is a whole number of samples in a frame reach the same maximum
    frequencies = torch.tensor([100.0, 500.0, 1000.0, 2000.0])
    matrix = probing.response_matrix(network, frequencies, num_phases=1)[:3]
    torch.testing.assert_close(matrix[0], torch.full((4,), 0.5), atol=1e-4, rtol=0)  # a delay passes all alike
    assert probing.centre_frequencies(matrix, frequencies)[1] == 100.0  # the mean is a low-pass filter
    assert math.isnan(probing.centre_frequencies(matrix, frequencies)[2])
    assert probing.sort_by_centre(matrix, frequencies)[-1] == 2
