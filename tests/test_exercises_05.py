"""Lesson 5's checks accept the right answer and refuse wrong ones."""

import pytest

from envnet_tutorial.exercises import lesson_05


def by_peak(matrix):
    return matrix.argmax(dim=1).argsort(stable=True)


def by_size_of_peak(matrix):
    return matrix.amax(dim=1).argsort(stable=True)


def highest_first(matrix):
    return matrix.argmax(dim=1).argsort(stable=True, descending=True)


RIGHT = [
    (lesson_05.check_bandwidth, 2000),
    (lesson_05.check_untrained_diagonal, "some"),
    (lesson_05.check_sort_order, by_peak),
    (lesson_05.check_alias, 7000.0),
]
WRONG = [
    (lesson_05.check_bandwidth, 8000),
    (lesson_05.check_bandwidth, 0.5),
    (lesson_05.check_bandwidth, "wide"),
    (lesson_05.check_untrained_diagonal, "none"),
    (lesson_05.check_untrained_diagonal, "full"),
    (lesson_05.check_untrained_diagonal, 3),
    (lesson_05.check_sort_order, by_size_of_peak),
    (lesson_05.check_sort_order, highest_first),
    (lesson_05.check_sort_order, 5),
    (lesson_05.check_alias, 9000),
    (lesson_05.check_alias, 1000),
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
