"""Levels agree with equations, with the values of IEC 61672, and with slow ones, one clip at a time in NumPy."""

import math

import numpy as np
import pytest
import torch

from envnet_tutorial.audio import level, levels
from envnet_tutorial.errors import InputError
from envnet_tutorial.settings import CLIP_RATE, ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate


@pytest.mark.parametrize("ratio", [1.0, 2.0, 2.5, float("inf")])
def test_compression_divides_differences_of_level(ratio):
    before = torch.tensor([0.0, -7.0, -20.0, -45.0, -60.0])
    shape = torch.tensor([1.0, -1.0, 1.0, -1.0])  # with a root mean square of 1
    waveforms = 10 ** (before[:, None] / 20) * shape
    compressed = levels.compress_levels(waveforms, ratio)
    found = 20 * compressed.square().mean(dim=1).sqrt().log10()
    torch.testing.assert_close(found.diff(), before.diff() / ratio, rtol=0, atol=1e-4)
    assert found[2] == pytest.approx(-20, abs=1e-4)
    torch.testing.assert_close(compressed, waveforms * (compressed[:, :1] / waveforms[:, :1]))  # a gain, nothing else


def test_compression_makes_nothing_of_silence_and_little_of_next_to_nothing():
    assert levels.compress_levels(torch.zeros(2, 5), 2.5).tolist() == torch.zeros(2, 5).tolist()
    whisper = torch.full((1, 4), 1e-5)  # -100 dB
    gain_db = 20 * (levels.compress_levels(whisper, 2.0) / whisper).log10()
    torch.testing.assert_close(gain_db, torch.full((1, 4), 20.0), rtol=0, atol=1e-3)  # that of -60 dB


def test_a_weighting_has_the_values_of_iec_61672():
    table = {31.5: -39.4, 63: -26.2, 100: -19.1, 250: -8.6, 500: -3.2, 1_000: 0.0, 2_000: 1.2, 4_000: 1.0, 8_000: -1.1}
    table |= {10_000: -2.5, 16_000: -6.6}
    # The table is for exact third-octave frequencies, 1000 * 10 ** (n / 10).
    exact = [1_000 * 10 ** (round(10 * np.log10(nominal / 1_000)) / 10) for nominal in table]
    weights = levels.a_weighting(torch.tensor(exact, dtype=torch.float64))
    np.testing.assert_allclose(weights.numpy(), list(table.values()), atol=0.06)
    assert levels.a_weighting(torch.tensor([0.0])).item() == -80


def slow_level(waveform, rate):
    size = {RATE: 2_048, CLIP_RATE: 4_096}[rate]
    square = np.maximum(np.fft.rfftfreq(size, 1 / rate) ** 2, 1.0)
    weight = 2.0 + 20 * (np.log10(12_194.0**2) + np.log10(square**2) - np.log10(square + 12_194.0**2))
    weight -= 20 * (np.log10(square + 20.6**2) + 0.5 * np.log10(square + 107.7**2) + 0.5 * np.log10(square + 737.9**2))
    energies = []
    for start in range(0, len(waveform) - size + 1, size // 2):
        spectrum = np.fft.rfft(np.hanning(size + 1)[:-1] * waveform[start : start + size])
        energies.append(np.sum(np.abs(spectrum) ** 2 * 10 ** (np.maximum(weight, -80) / 10)))
    return 10 * np.log10(max(max(energies), 1e-8))


@pytest.mark.parametrize("rate", [RATE, CLIP_RATE])
def test_level_agrees_with_a_slow_reference(rate):
    waveforms = torch.randn(4, 10_000, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [[1.0], [0.1], [1e-4], [0.0]]
    )
    waveforms[1, 5_000:] *= 30
    found = levels.a_weighted_level(waveforms, rate)
    np.testing.assert_allclose(found, [slow_level(row.numpy(), rate) for row in waveforms.double()], atol=1e-3)
    assert found[3] == -80


def test_level_refuses_less_than_a_window():
    with pytest.raises(ValueError, match="2,048"):
        levels.a_weighted_level(torch.zeros(1, 2_047), RATE)


@pytest.mark.parametrize(
    ("waveform", "expected"),
    [
        (np.ones(100), 0.0),
        (np.sin(2 * np.pi * np.arange(1000) / 100), -10 * math.log10(2)),
        (np.full((2, 50), 0.1), -20.0),
        (np.zeros(10), -math.inf),
    ],
)
def test_level_of_known_waveforms(waveform, expected):
    assert level(waveform) == pytest.approx(expected, abs=1e-6)


def test_level_refuses_what_has_none():
    with pytest.raises(InputError, match="at least one sample"):
        level(torch.zeros(0))
    with pytest.raises(InputError, match="finite"):
        level(torch.tensor([0.0, math.nan]))
