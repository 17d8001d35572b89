"""The checks of the appendix on speed accept the right answer and refuse wrong ones."""

import pytest

from envnet_tutorial.exercises import appendix_speed

RIGHT = [
    (appendix_speed.check_winning_share, 1 / 160),
    (appendix_speed.check_variance_behind, lambda weight, covariance: ((weight @ covariance) * weight).sum(dim=1)),
    (appendix_speed.check_variance_behind, lambda weight, covariance: (weight @ covariance @ weight.T).diagonal()),
]
WRONG = [
    (appendix_speed.check_winning_share, 1.0),
    (appendix_speed.check_winning_share, 0.625),  # in percent
    (appendix_speed.check_winning_share, 159 / 160),
    (appendix_speed.check_winning_share, "one"),
    (appendix_speed.check_variance_behind, lambda weight, covariance: weight @ covariance @ weight.T),
    (appendix_speed.check_variance_behind, lambda weight, covariance: weight.square() @ covariance.diagonal()),
    (appendix_speed.check_variance_behind, lambda weight, covariance: (weight @ covariance).sum(dim=1)),
    (appendix_speed.check_variance_behind, 3),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right_answers_pass(check, answer):
    assert check(answer).correct is True


@pytest.mark.parametrize(("check", "answer"), WRONG)
def test_wrong_answers_are_refused(check, answer):
    assert check(answer).correct is False


@pytest.mark.parametrize("check", [appendix_speed.check_winning_share, appendix_speed.check_variance_behind])
def test_open_answers_are_neither_right_nor_wrong(check):
    feedback = check(...)
    assert feedback.correct is None
    assert repr(feedback).startswith("Your turn")
