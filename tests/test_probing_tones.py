"""Sine probes: their frequencies, their scale, and the waveform itself."""

import math

import pytest
import torch

from envnet_tutorial import probing
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate


@pytest.mark.parametrize("scale", ["mel", "log", "linear"])
def test_frequencies_reach_both_ends_and_rise(scale):
    frequencies = probing.probe_frequencies(64, 50, 7900, scale=scale)
    assert len(frequencies) == 64
    torch.testing.assert_close(frequencies[[0, -1]], torch.tensor([50.0, 7900.0], dtype=torch.float64))
    assert (frequencies.diff() > 0).all()


@pytest.mark.parametrize(
    ("arguments", "scale"), [((1, 10, 20), "mel"), ((8, 20, 10), "mel"), ((8, 0, 20), "log"), ((8, 1, 20), "bark")]
)
def test_impossible_frequencies_are_refused(arguments, scale):
    with pytest.raises(ValueError, match=r"scale|space"):
        probing.probe_frequencies(*arguments, scale=scale)


def test_tones_follow_the_equation_and_alias_above_half_the_rate():
    tones = probing.sine_probes(torch.tensor([1000.0, 9000.0, 7000.0]), 32, RATE, amplitude=0.25, num_phases=4)
    assert tones.shape == (3, 4, 32)
    assert tones[0, 0, 4] == pytest.approx(0.25 * math.sin(2 * math.pi * 1000 * 4 / RATE), abs=1e-6)
    assert tones[0, 1, 0] == pytest.approx(0.25, abs=1e-6)
    # sin(2 pi 9000 n / 16000) = -sin(2 pi 7000 n / 16000): the samples cannot tell the two apart
    torch.testing.assert_close(tones[1, 0], -tones[2, 0], atol=1e-5, rtol=0)
