"""Lesson 1's checks accept the right answer and refuse wrong ones."""

import math

import pytest

from envnet_tutorial.exercises import lesson_01

RIGHT = [
    (lesson_01.check_file_size, 441_044),
    (lesson_01.check_picture_shape, (40, 150)),
    (lesson_01.check_decibels, lambda ratio: 20 * math.log10(ratio)),
    (lesson_01.check_quantisation, 49.9),
    (lesson_01.check_mel, lambda f: 2595 * math.log10(1 + f / 700)),
]
WRONG = [
    (lesson_01.check_file_size, 220_500),
    (lesson_01.check_file_size, 882_000),
    (lesson_01.check_picture_shape, (150, 40)),
    (lesson_01.check_picture_shape, (40, 24_000)),
    (lesson_01.check_picture_shape, 40),
    (lesson_01.check_decibels, lambda ratio: 10 * math.log10(ratio)),
    (lesson_01.check_decibels, lambda ratio: 20 * math.log(ratio)),
    (lesson_01.check_decibels, 20),
    (lesson_01.check_quantisation, 98),
    (lesson_01.check_quantisation, 48.16),
    (lesson_01.check_mel, lambda f: f),
    (lesson_01.check_mel, lambda f: 2595 * math.log(1 + f / 700)),
    (lesson_01.check_mel, lambda f: 1127 * math.log10(1 + f / 700)),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right_answers_pass(check, answer):
    assert check(answer).correct is True


@pytest.mark.parametrize(("check", "answer"), WRONG)
def test_wrong_answers_are_refused(check, answer):
    assert check(answer).correct is False


@pytest.mark.parametrize("check", [check for check, _ in RIGHT])
def test_open_answers_are_neither_right_nor_wrong(check):
    assert check(...).correct is None
