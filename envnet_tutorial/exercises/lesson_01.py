"""Checks for the exercises of lesson 1, loading audio."""

import math

import torch

from envnet_tutorial.exercises.feedback import Feedback, grade
from envnet_tutorial.settings import CLIP_RATE, CLIP_SECONDS, ENVNET_INPUT


def check_file_size(answer: int) -> Feedback:
    """Check the number of bytes of a clip as 16-bit mono WAV (lesson 1): 2 x 44,100 x 5 and a header of 44 bytes."""
    samples = 2 * CLIP_RATE * CLIP_SECONDS
    return grade(
        answer,
        lambda size: samples <= float(size) <= samples + 100,
        praise="5 x 44,100 samples of two bytes are 441,000, and the header takes 44 more.",
        hint="how many samples are 5 s at 44,100 Hz, and how many bytes has one of 16 bits?",
        task="replace the dots with the size of the file in bytes.",
    )


def check_picture_shape(answer: tuple[int, int]) -> Feedback:
    """Check the shape of a 40-band mel spectrogram of 1.5 s with a hop of 10 ms (lesson 1): (40, 150)."""
    return grade(
        answer,
        lambda shape: tuple(float(number) for number in shape) == (40, 150),
        praise="40 bands, and 1.5 s / 10 ms = 150 frames: the shape that EnvNet's own picture will have.",
        hint="one row for each band, one column for each hop of 10 ms.",
        task="replace the dots with (bands, frames).",
    )


def check_decibels(answer) -> Feedback:
    """Check a function that turns a ratio of amplitudes into decibels (lesson 1).

    Parameters
    ----------
    answer : callable
        Takes a ratio of amplitudes and returns ``20 log10(ratio)`` in dB.
    """
    cases = {1.0: 0.0, 10.0: 20.0, 0.5: -6.0206, 0.001: -60.0}
    return grade(
        answer,
        lambda function: all(abs(float(function(ratio)) - level) < 0.01 for ratio, level in cases.items()),
        praise="a factor of 10 in amplitude is 20 dB, because power is the square of amplitude.",
        hint="decibels are 10 log10 of a ratio of powers; what is the power of an amplitude?",
        task="write a function of the ratio of two amplitudes.",
    )


def check_quantisation(answer: float) -> Feedback:
    """Check the signal-to-noise ratio in dB of a full-scale sine with 8 bits (lesson 1): 6.02 x 8 + 1.76 = 49.9."""
    return grade(
        answer,
        lambda ratio: abs(float(ratio) - (20 * math.log10(2) * 8 + 10 * math.log10(1.5))) < 1,
        praise="each bit is worth 6.02 dB: 8 bits give 49.9 dB, 16 bits 98.1 dB.",
        hint="each bit halves the rounding error, and halving an amplitude is 6.02 dB; start from 1.76 dB at no bits.",
        task="replace the dots with the ratio in dB.",
    )


def check_mel(answer) -> Feedback:
    """Check a function from Hz to mel (lesson 1).

    Parameters
    ----------
    answer : callable
        Takes a frequency in Hz and returns ``2595 log10(1 + f / 700)``.
    """
    frequencies = torch.tensor([0.0, 100.0, 1000.0, 4000.0, ENVNET_INPUT.sample_rate / 2])
    expected = 2595 * torch.log10(1 + frequencies / 700)
    return grade(
        answer,
        lambda function: all(
            abs(float(function(float(f))) - float(mel)) < 0.1 for f, mel in zip(frequencies, expected, strict=True)
        ),
        praise="1,000 Hz is 1,000 mel by construction; far above, the scale grows with the logarithm.",
        hint="the formula is 2595 log10(1 + f / 700); check it at 1,000 Hz.",
        task="write a function of a frequency in Hz.",
    )
