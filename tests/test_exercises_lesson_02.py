"""Lesson 2's checks accept each right form and tell each wrong answer what was wrong."""

import math

import numpy as np
import pytest
import torch
from answer_forms import number_forms, tuple_forms
from judged import judged
from scipy import signal as scipy_signal

from envnet_tutorial.exercises import lesson_02
from envnet_tutorial.shapes import conv_output_length

CHECKS = [
    lesson_02.check_samples_left,
    lesson_02.check_output_shape,
    lesson_02.check_weight_shape,
    lesson_02.check_output_length,
    lesson_02.check_convolve,
    lesson_02.check_same_padding,
    lesson_02.check_smoother,
    lesson_02.check_receptive_field,
]


def convolve(signal, kernel, stride):
    places = range(0, len(signal) - len(kernel) + 1, stride)
    return torch.stack([(signal[i : i + len(kernel)] * kernel).sum() for i in places])


def by_pytorch(signal, kernel, stride):
    return torch.nn.functional.conv1d(signal[None, None], kernel[None, None], stride=stride)[0, 0]


def by_layer(signal, kernel, stride):
    layer = torch.nn.Conv1d(1, 1, len(kernel), stride, bias=False)
    layer.weight.data[:] = kernel
    return layer(signal[None, None])[0, 0]


def four_taps(signal, kernel, stride):
    places = range(0, len(signal) - 3, stride)
    return torch.stack([sum(signal[i + j] * kernel[j] for j in range(4)) for i in places])


def four_samples(signal, kernel, stride):
    return torch.stack([signal[i : i + 4] @ kernel[:4] for i in range(0, len(signal) - 3, stride)])


RIGHT = [
    *((lesson_02.check_samples_left, form) for form in number_forms(15_993)),
    *((lesson_02.check_output_shape, form) for form in tuple_forms((4, 32, 3, 3))),
    (lesson_02.check_output_shape, torch.nn.Conv2d(1, 32, 3, 2, 1)(torch.zeros(4, 1, 5, 5)).shape),
    *((lesson_02.check_weight_shape, form) for form in tuple_forms((40, 40, 1, 8))),
    *((lesson_02.check_receptive_field, form) for form in number_forms(53)),
    *((lesson_02.check_smoother, form) for form in tuple_forms((0.25, 0.5, 0.25))),
    *((lesson_02.check_smoother, form) for form in tuple_forms((0.1, 0.5, 0.4))),  # not exact in single precision
    (lesson_02.check_smoother, [0.5, 0.5, 0]),
    (lesson_02.check_smoother, [0, 0.5, 0.5]),
    (lesson_02.check_smoother, [0.6, 0.5, -0.1]),  # amplifies nothing yet
    (lesson_02.check_output_length, conv_output_length),
    (lesson_02.check_output_length, lambda n, k, s, p, d: math.floor((n + 2 * p - d * (k - 1) - 1) / s + 1)),
    (lesson_02.check_output_length, lambda *setting: torch.tensor(conv_output_length(*setting))),
    (lesson_02.check_convolve, convolve),
    (lesson_02.check_convolve, lambda *call: convolve(*call).tolist()),
    (lesson_02.check_convolve, lambda *call: tuple(convolve(*call))),
    (lesson_02.check_convolve, lambda *call: convolve(*call).double().numpy()),
    (lesson_02.check_convolve, lambda x, k, s: np.correlate(x.numpy(), k.numpy(), "valid")[::s]),
    (lesson_02.check_same_padding, lambda kernel, dilation: dilation * (kernel - 1) // 2),
    (lesson_02.check_same_padding, lambda kernel, dilation: np.float32(dilation * (kernel - 1) / 2)),
]
WRONG = [
    (lesson_02.check_samples_left, 16_000, "hang over"),
    (lesson_02.check_samples_left, 15_992, "one too few"),
    (lesson_02.check_samples_left, 15_994, "one too many"),
    (lesson_02.check_samples_left, 16_007, "less comes out"),
    (lesson_02.check_samples_left, 2_000, "not by eight"),
    (lesson_02.check_samples_left, 7, "how many are left"),
    (lesson_02.check_samples_left, 15_993.5, "slide until"),
    (lesson_02.check_samples_left, "15,993", "without quotes"),
    (lesson_02.check_samples_left, True, "True or False"),
    (lesson_02.check_output_shape, (4, 32, 5, 5), "stride of 1"),
    (lesson_02.check_output_shape, (4, 32, 2, 2), "without padding"),
    (lesson_02.check_output_shape, (32, 4, 3, 3), "batch comes first"),
    (lesson_02.check_output_shape, (4, 1, 3, 3), "a channel of its own"),
    (lesson_02.check_output_shape, (4, 3, 3, 32), "second place"),
    (lesson_02.check_output_shape, (32, 1, 3, 3), "shape of the weight"),
    (lesson_02.check_output_shape, (1, 32, 3, 3), "four pictures"),
    (lesson_02.check_output_shape, (4, 32, 3, 4), "batch first"),
    (lesson_02.check_output_shape, (4, 32, 3), "numbers wanted: 4; numbers given: 3"),
    (lesson_02.check_output_shape, 3, "numbers given: 1"),
    (lesson_02.check_weight_shape, (40, 1, 1, 8), "each of its 40"),
    (lesson_02.check_weight_shape, (1, 40, 1, 8), "40 filters"),
    (lesson_02.check_weight_shape, (40, 40, 8, 1), "height comes before"),
    (lesson_02.check_weight_shape, (1, 8, 40, 40), "in front"),
    (lesson_02.check_weight_shape, (40, 40, 1, 7), "out_channels"),
    (lesson_02.check_weight_shape, (40, 40, 8), "numbers given: 3"),
    (lesson_02.check_receptive_field, 13, "without dilation"),
    (lesson_02.check_receptive_field, 15, "not fifteen"),
    (lesson_02.check_receptive_field, 27, "three taps"),
    (lesson_02.check_receptive_field, 52, "to what"),
    (lesson_02.check_receptive_field, 55, "overlap in one sample"),
    (lesson_02.check_receptive_field, 65, "not dilation x kernel"),
    (lesson_02.check_receptive_field, 66, "not dilation x kernel"),
    (lesson_02.check_receptive_field, 125, "do not multiply"),
    (lesson_02.check_receptive_field, 54, "each layer adds"),
    (lesson_02.check_smoother, [1 / 3, 1 / 3, 1 / 3], "that is not 0"),
    (lesson_02.check_smoother, [1, 2, 1], "has to be 1"),
    (lesson_02.check_smoother, [0, 1, 0], "that is not 0"),
    (lesson_02.check_smoother, [-0.25, 0.5, -0.25], "has to be 1"),
    (lesson_02.check_smoother, [100, 0.5, -99.5], "louder"),
    (lesson_02.check_smoother, [0.62, 0.5, -0.12], "louder"),
    (lesson_02.check_smoother, [0.5, 0.5], "numbers wanted: 3; numbers given: 2"),
    (lesson_02.check_smoother, [0.25, float("nan"), 0.25], "NaN"),
    (lesson_02.check_output_length, lambda n, k, s, p, d: -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1, "not up"),
    (lesson_02.check_output_length, lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1, "whole"),
    (lesson_02.check_output_length, lambda n, k, s, p, d: (n + 2 * p - k) // s + 1, "span"),
    (lesson_02.check_output_length, lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1, "counts twice"),
    (lesson_02.check_output_length, lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s, "one too few"),
    (lesson_02.check_output_length, lambda n, k, s, p, d: round((n + 2 * p - d * (k - 1) - 1) / s) + 1, "floored"),
    (lesson_02.check_output_length, lambda n, k, s, p, d: n - k + 1, "given 10, 3, 3, 1, 1, your function gave 8"),
    (lesson_02.check_output_length, lambda length, kernel: length - kernel + 1, "stopped with TypeError"),
    (lesson_02.check_convolve, lambda x, k, s: convolve(x, k.flip(0), s), "not flip"),
    (lesson_02.check_convolve, by_pytorch, "PyTorch's convolution found them"),
    (lesson_02.check_convolve, by_layer, "PyTorch's convolution found them"),
    (lesson_02.check_convolve, lambda x, k, s: convolve(x, k, 1), "makes no difference"),
    (lesson_02.check_convolve, lambda x, k, s: convolve(x, k, s)[:-1], "last whole window"),
    (lesson_02.check_convolve, lambda x, k, s: convolve(x, k, s) / len(k), "not their mean"),
    (lesson_02.check_convolve, four_taps, "shape (1,), 1, your function stopped with IndexError"),
    (lesson_02.check_convolve, four_samples, "shape (1,), 1, your function stopped with RuntimeError"),
    (lesson_02.check_convolve, lambda x, k, s: torch.zeros(3), "gave the shape (3,) where (20,) is wanted"),
    (lesson_02.check_same_padding, lambda kernel, dilation: kernel // 2, "dilated"),
    (lesson_02.check_same_padding, lambda kernel, dilation: dilation * (kernel - 1), "both sides"),
    (lesson_02.check_same_padding, lambda kernel, dilation: dilation * kernel // 2, "not dk"),
    (lesson_02.check_same_padding, lambda kernel, dilation: kernel, "solve for the padding"),
]


test_right_answers, test_wrong_answers, test_open_answers = judged(RIGHT, WRONG, CHECKS)


@pytest.mark.parametrize("first", np.linspace(-0.3, 0.8, 23).round(3))
def test_a_smoother_is_what_amplifies_no_tone(first):
    """The condition on the outer taps is that of a frequency response which nowhere exceeds 1."""
    taps = [first, 0.5, 0.5 - first]
    gains = np.abs(scipy_signal.freqz(taps, worN=4_001)[1])
    assert bool(lesson_02.check_smoother(taps)) == (gains.max() < 1 + 1e-9)


def test_the_receptive_field_is_that_of_torchs_layers():
    """The answer of `check_receptive_field`: a signal of so many samples leaves one output."""
    x = torch.zeros(1, 1, lesson_02.RECEPTIVE_FIELD.answer)
    for dilation in (1, 3, 9):
        x = torch.nn.functional.conv1d(x, torch.zeros(1, 1, 5), dilation=dilation)
    assert x.shape[-1] == 1
