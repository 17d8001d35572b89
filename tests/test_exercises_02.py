"""Lesson 2's checks accept the right answer and refuse wrong ones."""

import pytest
import torch

from envnet_tutorial.exercises import lesson_02
from envnet_tutorial.shapes import conv_output_length


def convolve(signal, kernel, stride):
    places = range(0, len(signal) - len(kernel) + 1, stride)
    return torch.stack([(signal[i : i + len(kernel)] * kernel).sum() for i in places])


def rounded_up(length, kernel, stride, padding, dilation):
    return -(-(length + 2 * padding - dilation * (kernel - 1) - 1) // stride) + 1


def without_dilation(length, kernel, stride, padding, dilation):
    return (length + 2 * padding - kernel) // stride + 1


def padded_once(length, kernel, stride, padding, dilation):
    return (length + padding - dilation * (kernel - 1) - 1) // stride + 1


RIGHT = [
    (lesson_02.check_samples_left, 15_993),
    (lesson_02.check_output_shape, (4, 32, 3, 3)),
    (lesson_02.check_output_shape, torch.nn.Conv2d(1, 32, 3, 2, 1)(torch.zeros(4, 1, 5, 5)).shape),
    (lesson_02.check_weight_shape, (40, 40, 1, 8)),
    (lesson_02.check_output_length, conv_output_length),
    (lesson_02.check_convolve, convolve),
    (lesson_02.check_same_padding, lambda kernel, dilation: dilation * (kernel - 1) // 2),
    (lesson_02.check_smoother, [0.25, 0.5, 0.25]),
    (lesson_02.check_receptive_field, 15),
]
WRONG = [
    (lesson_02.check_samples_left, 16_000),
    (lesson_02.check_samples_left, 15_992),
    (lesson_02.check_samples_left, "15,993"),
    (lesson_02.check_output_shape, (4, 32, 5, 5)),
    (lesson_02.check_output_shape, (32, 4, 3, 3)),
    (lesson_02.check_output_shape, (4, 32, 3)),
    (lesson_02.check_output_shape, 3),
    (lesson_02.check_weight_shape, (40, 1, 1, 8)),
    (lesson_02.check_weight_shape, (40, 40, 8, 1)),
    (lesson_02.check_output_length, rounded_up),
    (lesson_02.check_output_length, without_dilation),
    (lesson_02.check_output_length, padded_once),
    (lesson_02.check_output_length, lambda length, kernel: length - kernel + 1),
    (lesson_02.check_convolve, lambda signal, kernel, stride: convolve(signal, kernel.flip(0), stride)),
    (lesson_02.check_convolve, lambda signal, kernel, stride: convolve(signal, kernel, 1)),
    (lesson_02.check_convolve, lambda signal, kernel, stride: convolve(signal, kernel, stride)[:-1]),
    (lesson_02.check_same_padding, lambda kernel, dilation: kernel // 2),
    (lesson_02.check_same_padding, lambda kernel, dilation: dilation * (kernel - 1)),
    (lesson_02.check_smoother, [1 / 3, 1 / 3, 1 / 3]),
    (lesson_02.check_smoother, [0.5, 0.5]),
    (lesson_02.check_smoother, [1, 2, 1]),
    (lesson_02.check_receptive_field, 7),
    (lesson_02.check_receptive_field, 9),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right_answers_pass(check, answer):
    assert check(answer).correct is True


@pytest.mark.parametrize(("check", "answer"), WRONG)
def test_wrong_answers_are_refused(check, answer):
    assert check(answer).correct is False


@pytest.mark.parametrize("check", [check for check, _ in RIGHT])
def test_open_answers_are_neither_right_nor_wrong(check):
    feedback = check(...)
    assert feedback.correct is None
    assert repr(feedback).startswith("Your turn")
