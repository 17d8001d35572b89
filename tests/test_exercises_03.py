"""Lesson 3's checks accept the right answer and refuse wrong ones."""

import pytest
from torch.nn import functional

from envnet_tutorial.exercises import lesson_03


def samples_for(steps, pooling, kernels):
    return steps * pooling + sum(kernel - 1 for kernel in kernels)


def pool_first(block, features):
    convolution, norm, relu = block.module
    return relu(functional.max_pool2d(norm(convolution(features)), (1, 160)))


def pool_last(block, features):
    return functional.max_pool2d(block(features), (1, 160))


def average_first(block, features):
    convolution, norm, relu = block.module
    return relu(functional.avg_pool2d(norm(convolution(features)), (1, 160)))


def pool_before_norm(block, features):
    convolution, norm, relu = block.module
    return norm(relu(functional.max_pool2d(convolution(features), (1, 160))))


RIGHT = [
    (lesson_03.check_rows_and_steps, (40, 150)),
    (lesson_03.check_samples_for, samples_for),
    (lesson_03.check_counterexample, (100, 30)),
    (lesson_03.check_counterexample, (23, 12)),
    (lesson_03.check_conv_weights, 12_880),
    (lesson_03.check_pool_first, pool_first),
    (lesson_03.check_seen_milliseconds, 10.9),
    (lesson_03.check_seen_milliseconds, 174 / 16),
]
WRONG = [
    (lesson_03.check_rows_and_steps, (150, 40)),
    (lesson_03.check_rows_and_steps, (40, 24_000)),
    (lesson_03.check_rows_and_steps, 40),
    (lesson_03.check_samples_for, lambda steps, pooling, kernels: steps * pooling),
    (lesson_03.check_samples_for, lambda steps, pooling, kernels: steps * pooling + sum(kernels)),
    (lesson_03.check_samples_for, lambda steps, pooling, kernels: steps * pooling + 14),
    (lesson_03.check_samples_for, lambda steps, pooling, kernels: samples_for(steps, pooling, kernels) + 1),
    (lesson_03.check_counterexample, (16_000, 8)),
    (lesson_03.check_counterexample, (100, 10)),
    (lesson_03.check_counterexample, (10, 30)),
    (lesson_03.check_counterexample, (100.5, 30)),
    (lesson_03.check_counterexample, 30),
    (lesson_03.check_conv_weights, 12_800),
    (lesson_03.check_conv_weights, 12_840),
    (lesson_03.check_conv_weights, 400),
    (lesson_03.check_pool_first, pool_last),
    (lesson_03.check_pool_first, average_first),
    (lesson_03.check_pool_first, pool_before_norm),
    (lesson_03.check_pool_first, lambda block, features: features),
    (lesson_03.check_seen_milliseconds, 10),
    (lesson_03.check_seen_milliseconds, 174),
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
