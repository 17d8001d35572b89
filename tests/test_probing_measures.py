"""Measures of a response matrix, on matrices whose values are known."""

import math

import pytest
import torch

from envnet_tutorial import probing
from envnet_tutorial.audio.spectrograms import hz_to_mel
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate


def test_sorting_is_stable_and_leaves_ties_in_order():
    frequencies = torch.tensor([1.0, 2.0, 3.0])
    matrix = torch.tensor([[0, 0, 1.0], [1.0, 0, 0], [0, 0, 2.0], [3.0, 0, 0], [1, 1, 1]])
    assert probing.sort_by_centre(matrix, frequencies).tolist() == [1, 3, 0, 2, 4]


def test_bandwidth_of_a_triangle_is_half_of_its_base():
    frequencies = torch.linspace(0, 1000, 1001)
    triangle = (1 - (frequencies - 500).abs() / 200).clamp(min=0)
    assert probing.bandwidths(triangle[None], frequencies)[0] == pytest.approx(200, abs=1e-6)
    assert math.isnan(probing.bandwidths(torch.ones(1, 1001), frequencies)[0])


def test_diagonality_of_known_matrices():
    frequencies = torch.linspace(100, 8000, 80)
    narrow = torch.eye(80)[::2]
    assert (
        probing.diagonality(narrow[torch.randperm(40, generator=torch.Generator().manual_seed(1))], frequencies) > 0.99
    )
    assert probing.diagonality(torch.ones(40, 80), frequencies) == 0
    noise = torch.rand(40, 80, generator=torch.Generator().manual_seed(2))
    assert 0 < probing.diagonality(noise, frequencies) < 0.15  # sorting alone makes a little
    same = torch.zeros(40, 80)
    same[:, 30] = 1
    assert probing.diagonality(same, frequencies) == pytest.approx(0, abs=1e-9)


def test_mel_fit_prefers_a_mel_filter_bank():
    centres = probing.probe_frequencies(42, 0, 8000)[1:-1]
    assert probing.mel_fit(centres, 0, 8000) == pytest.approx(1)
    linear = probing.probe_frequencies(42, 0, 8000, scale="linear")[1:-1]
    assert probing.mel_fit(linear, 0, 8000) < 0.8
    assert probing.mel_fit(torch.full((40,), 1000.0), 0, 8000) == float("-inf")


def test_peak_widths_are_those_of_planted_peaks():
    frequencies = torch.linspace(0, 1000, 101, dtype=torch.float64)
    triangle = (1 - (frequencies - 300).abs() / 80).clamp(min=0)  # half height 40 Hz to each side
    with_second = triangle + 0.8 * (1 - (frequencies - 700).abs() / 80).clamp(min=0)
    at_edge = (1 - frequencies / 80).clamp(min=0)
    flat = torch.ones_like(frequencies)
    widths = probing.peak_widths(torch.stack([triangle, with_second, at_edge, flat]), frequencies)
    torch.testing.assert_close(widths[:3], torch.tensor([80.0, 80.0, 40.0], dtype=torch.float64))
    assert widths[3].isnan()
    assert probing.bandwidths(with_second[None], frequencies) > 1.5 * widths[1]  # which counts the second peak too


def test_selectivity_of_a_single_tone_is_one_and_of_boxcars_what_they_leave_out():
    frequencies = torch.linspace(0, 1000, 101)
    boxcar = torch.zeros(3, 101)
    boxcar[0, 20:31], boxcar[1, :51], boxcar[2, 1:] = 1, 1, 1
    # each tone stands for 10 Hz, the two ends for 5 Hz; the first tone of a boxcar is its peak and is left out
    expected = torch.tensor([1 - 100 / 990, 1 - 500 / 995, 5 / 990], dtype=torch.float64)
    torch.testing.assert_close(probing.selectivity(boxcar, frequencies), expected, atol=1e-6, rtol=0)
    assert (probing.selectivity(torch.eye(101) + 3, frequencies) == 1).all()
    assert probing.selectivity(torch.full((2, 101), 4.0), frequencies).isnan().all()


def test_selectivity_does_not_depend_on_the_spacing_of_the_tones():
    found = []
    for scale in ("linear", "mel"):
        frequencies = probing.probe_frequencies(600, 0, 8000, scale=scale)
        bump = torch.exp(-0.5 * ((frequencies - 3000) / 400) ** 2)
        found.append(float(probing.selectivity(bump[None], frequencies)[0]))
    assert found[0] == pytest.approx(found[1], abs=2e-3)
    assert found[0] == pytest.approx(1 - 400 * math.sqrt(2 * math.pi) / 8000, abs=2e-3)  # area of the bell


def test_mel_bank_is_triangles_at_equal_mel_steps():
    frequencies = probing.probe_frequencies(997, 0, RATE / 2, scale="linear")
    bank = probing.mel_bank(40, frequencies, RATE)
    corners = probing.probe_frequencies(42, 0, RATE / 2)  # in Hz
    left, peak, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    triangles = torch.minimum((frequencies - left) / (peak - left), (right - frequencies) / (right - peak)).clamp(min=0)
    torch.testing.assert_close(bank, triangles, atol=2e-3, rtol=0)
    with pytest.raises(ValueError, match="outside"):
        probing.mel_bank(40, torch.tensor([8001.0]), RATE)


def test_the_measures_know_a_mel_bank():
    frequencies = probing.probe_frequencies(512, 0, RATE / 2)
    bank = probing.mel_bank(40, frequencies, RATE)
    centres, step = probing.centre_frequencies(bank, frequencies), float(hz_to_mel(RATE / 2)) / 41
    expected = step * torch.arange(1, 41, dtype=torch.float64)
    grid = float(hz_to_mel(RATE / 2)) / 511
    torch.testing.assert_close(hz_to_mel(centres), expected, atol=grid, rtol=0)
    assert probing.diagonality(bank, frequencies) > 0.998
    assert probing.mel_fit(centres, 0, RATE / 2) > 0.999
    assert probing.selectivity(bank, frequencies).min() > 0.9
