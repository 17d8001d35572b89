"""What the tests of every lesson's exercises ask: right answers pass, wrong ones get their hint, dots get neither."""

from collections.abc import Callable, Sequence

import pytest


def judged(right: Sequence[tuple], wrong: Sequence[tuple], checks: Sequence[Callable]) -> tuple[Callable, ...]:
    """Make three tests of a lesson's checks, to be bound to names that begin with ``test_``.

    Parameters
    ----------
    right : sequence of (check, answer) or (check, answer, praise)
        Answers that pass; praise is a part of what the reader is told.
    wrong : sequence of (check, answer, hint)
        Answers that are refused; hint is a part of what the reader is told.
    checks : sequence of callable
        All checks of the lesson.
    """

    @pytest.mark.parametrize("case", right)
    def right_answers_pass(case):
        check, answer, *praise = case
        feedback = check(answer)
        assert feedback.correct is True
        assert all(words in feedback.message for words in praise)

    @pytest.mark.parametrize(("check", "answer", "hint"), wrong)
    def wrong_answers_are_told_what_was_wrong(check, answer, hint):
        feedback = check(answer)
        assert feedback.correct is False
        assert hint in feedback.message

    @pytest.mark.parametrize("check", checks)
    def open_answers_are_neither_right_nor_wrong(check):
        feedback = check(...)
        assert feedback.correct is None
        assert repr(feedback).startswith("Your turn")

    return right_answers_pass, wrong_answers_are_told_what_was_wrong, open_answers_are_neither_right_nor_wrong
