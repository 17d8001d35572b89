"""The checks of the appendix on statistics accept each right form and tell each wrong answer what was wrong."""

import pytest
from answer_forms import number_forms

from envnet_tutorial.exercises.appendix_statistics import check_alike, check_threshold

WRONG = [
    (0.05, "share it out"),
    (1, "so many false alarms"),
    (0.25, "in percent"),
    (0.64, "at least one false alarm"),
    (0.005, "what is left for each"),
    (0, "what is left for each"),
    ("small", "without quotes"),
]


@pytest.mark.parametrize("answer", [*number_forms(0.0025), 1 - 0.95 ** (1 / 20), 0.00256])
def test_right_answers_pass(answer):
    assert check_threshold(answer).correct is True


@pytest.mark.parametrize(("answer", "hint"), WRONG)
def test_wrong_answers_are_told_what_was_wrong(answer, hint):
    found = check_threshold(answer)
    assert found.correct is False and hint in str(found)


def test_all_five_folds_choose_alike():
    assert check_alike("yes").correct is True and check_alike("Yes.").correct is True
    assert check_alike("no").correct is False and "column `chosen`" in str(check_alike("no"))
    assert check_alike("perhaps").correct is False and "one of these words" in str(check_alike("perhaps"))


def test_the_dots_are_told_what_to_do():
    assert all("Your turn" in str(check(...)) for check in (check_alike, check_threshold))
