"""Checks for the exercises of lesson 2, convolution arithmetic."""

import numpy as np
import torch
from torch.nn import functional

from envnet_tutorial.exercises.feedback import Feedback, grade
from envnet_tutorial.settings import ENVNET_INPUT

#: (length, kernel, stride, padding, dilation): whole steps, floored steps, padding, gaps, one sample.
SETTINGS = [(8, 3, 1, 0, 1), (10, 3, 3, 1, 1), (6, 3, 2, 0, 1), (14, 3, 2, 2, 3), (24_014, 8, 1, 0, 1), (1, 1, 5, 0, 2)]


def _same_ints(answer, expected: tuple[int, ...]) -> bool:
    values = tuple(answer)
    return len(values) == len(expected) and all(float(a) == b for a, b in zip(values, expected, strict=True))


def check_samples_left(answer: int) -> Feedback:
    """Check a prediction: how many samples an 8-tap filter leaves of one second (lesson 2), 15,993."""
    left = ENVNET_INPUT.sample_rate - 7
    return grade(
        answer,
        lambda samples: float(samples) == left,
        praise=f"the filter fits at {left:,} places: its first tap can stand on every sample but the last seven.",
        hint="slide until the last tap reaches the end: which samples does the first tap never reach?",
        task="replace the dots with the number of samples that you expect.",
    )


def check_output_shape(answer: tuple[int, ...]) -> Feedback:
    """Check a prediction: the shape behind `Conv2d(1, 32, 3, padding=1, stride=2)` on (4, 1, 5, 5) (lesson 2)."""
    return grade(
        answer,
        lambda shape: _same_ints(shape, (4, 32, 3, 3)),
        praise="4 pictures stay 4, 32 filters give 32 channels, and floor((5 + 2 - 2 - 1)/2) + 1 = 3 on both axes.",
        hint="batch first, then one channel for each filter, then the output length of each axis.",
        task="replace the dots with a tuple of four numbers.",
    )


def check_weight_shape(answer: tuple[int, ...]) -> Feedback:
    """Check the weight shape of EnvNet's second layer, `Conv2d(40, 40, (1, 8))` (lesson 2)."""
    return grade(
        answer,
        lambda shape: _same_ints(shape, (40, 40, 1, 8)),
        praise="40 filters, each with 8 taps on each of 40 input channels: 12,800 weights.",
        hint="(out_channels, in_channels, height, width).",
        task="replace the dots with a tuple of four numbers.",
    )


def check_output_length(answer) -> Feedback:
    """Check a function of length, kernel, stride, padding and dilation against PyTorch's own `conv1d` (lesson 2)."""

    def agrees(function) -> bool:
        for length, kernel, stride, padding, dilation in SETTINGS:
            x, weight = torch.zeros(1, 1, length), torch.zeros(1, 1, kernel)
            expected = functional.conv1d(x, weight, None, stride, padding, dilation).shape[-1]
            if float(function(length, kernel, stride, padding, dilation)) != expected:
                return False
        return True

    return grade(
        answer,
        agrees,
        praise="PyTorch agrees on every setting that was tried, floored steps included.",
        hint="the span of the kernel is dilation (kernel - 1) + 1; padding counts twice; the division is floored.",
        task="write a function of (length, kernel, stride, padding, dilation).",
    )


def check_convolve(answer) -> Feedback:
    """Check a naive convolution, a function of signal, kernel and stride, against PyTorch (lesson 2)."""
    generator = torch.Generator().manual_seed(2)
    signal, kernel = torch.randn(23, generator=generator), torch.randn(4, generator=generator)

    def agrees(function) -> bool:
        for stride in (1, 2, 3):
            expected = functional.conv1d(signal[None, None], kernel[None, None], stride=stride)[0, 0]
            found = torch.as_tensor(function(signal, kernel, stride), dtype=torch.float32)
            if found.shape != expected.shape or not torch.allclose(found, expected, atol=1e-5):
                return False
        return True

    return grade(
        answer,
        agrees,
        praise="the same numbers as PyTorch for strides 1, 2 and 3.",
        hint="window number i begins at i times the stride; the kernel is not flipped; the last whole window counts.",
        task="write a function of (signal, kernel, stride).",
    )


def check_same_padding(answer) -> Feedback:
    """Check a function of kernel and dilation that gives the padding which keeps the length (lesson 2)."""
    return grade(
        answer,
        lambda function: all(
            float(function(kernel, dilation)) == dilation * (kernel - 1) / 2
            for kernel in (1, 3, 5, 9)
            for dilation in (1, 2, 3)
        ),
        praise="d(k - 1)/2 on each side gives back what the kernel takes away. It is whole where d(k - 1) is even.",
        hint="set the output length equal to L, with stride 1, and solve for the padding.",
        task="write a function of (kernel, dilation), for an odd kernel.",
    )


def check_smoother(answer) -> Feedback:
    """Check three taps that leave a constant alone and silence the fastest alternation (lesson 2): 1/4, 1/2, 1/4."""

    def silences(taps) -> bool:
        taps = np.asarray(taps, dtype=float)
        alternating = np.array([1.0, -1.0, 1.0])
        return taps.shape == (3,) and abs(taps.sum() - 1) < 1e-6 and abs(taps @ alternating) < 1e-6

    return grade(
        answer,
        silences,
        praise="the taps add up to 1, and with alternating signs to 0: a low-pass with its zero at half the rate.",
        hint="a constant meets the sum of the taps; +1, -1, +1, ... meets the first minus the second plus the third.",
        task="replace the dots with a list of three taps.",
    )


def check_receptive_field(answer: int) -> Feedback:
    """Check the receptive field of three 3-tap layers with dilations 1, 2 and 4 (lesson 2): 15 samples."""
    return grade(
        answer,
        lambda samples: float(samples) == 15,
        praise="1 + 2 + 4 + 8 = 15: with doubled dilations the field grows as a power of two.",
        hint="each layer adds dilation x (kernel - 1) times the step so far, and the step stays 1.",
        task="replace the dots with a number of samples.",
    )
