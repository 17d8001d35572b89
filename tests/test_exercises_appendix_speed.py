"""The checks of the appendix on speed accept each right form and tell each wrong answer what was wrong."""

from fractions import Fraction

import torch
from answer_forms import number_forms
from judged import judged

from envnet_tutorial.exercises import appendix_speed


def variance_behind(weight, covariance):
    return ((weight @ covariance) * weight).sum(dim=1)


RIGHT = [
    *((appendix_speed.check_winning_share, form) for form in number_forms(1 / 160)),
    *((appendix_speed.check_winning_share, form) for form in number_forms(0.0063)),
    (appendix_speed.check_winning_share, 0.0062),
    (appendix_speed.check_winning_share, Fraction(1, 160)),
    (appendix_speed.check_variance_behind, variance_behind),
    (appendix_speed.check_variance_behind, lambda weight, covariance: (weight @ covariance @ weight.T).diagonal()),
    (appendix_speed.check_variance_behind, lambda *call: variance_behind(*call).float()),
    (appendix_speed.check_variance_behind, lambda w, c: variance_behind(w.float(), c.float())),
    (appendix_speed.check_variance_behind, lambda *call: variance_behind(*call).tolist()),
    (appendix_speed.check_variance_behind, lambda *call: variance_behind(*call).numpy()),
    (appendix_speed.check_variance_behind, lambda w, c: torch.einsum("fi,ij,fj->f", w, c, w)),
    (appendix_speed.check_variance_behind, lambda w, c: [float(row @ c @ row) for row in w]),
]
WRONG = [
    (appendix_speed.check_winning_share, 1 / 159, "one of all 160"),
    (appendix_speed.check_winning_share, 1 / 161, "one of all 160"),
    (appendix_speed.check_winning_share, 0.006, "two figures"),
    (appendix_speed.check_winning_share, 0.625, "in percent"),
    (appendix_speed.check_winning_share, 159 / 160, "so many have none"),
    (appendix_speed.check_winning_share, 99.375, "so many percent have none"),
    (appendix_speed.check_winning_share, 160, "between 0 and 1"),
    (appendix_speed.check_winning_share, 1.0, "does not move"),
    (appendix_speed.check_winning_share, 0, "the maximum itself"),
    (appendix_speed.check_winning_share, 0.0125, "each frame of 160"),
    (appendix_speed.check_winning_share, "one", "without quotes"),
    (appendix_speed.check_variance_behind, lambda w, c: w @ c @ w.T, "only the diagonal"),
    (appendix_speed.check_variance_behind, lambda w, c: w.square() @ c.diagonal(), "nothing to do with one another"),
    (appendix_speed.check_variance_behind, lambda *call: variance_behind(*call).sqrt(), "standard deviation"),
    (appendix_speed.check_variance_behind, lambda w, c: (w @ c).sum(dim=1), "once more"),
    (appendix_speed.check_variance_behind, lambda w, c: ((w @ c) * w).mean(dim=1), "not averaged"),
    (appendix_speed.check_variance_behind, lambda *call: 1.01 * variance_behind(*call), "w_i w_j"),
    (appendix_speed.check_variance_behind, lambda w, c: w @ c, "gave the shape (5, 4) where (5,) is wanted"),
    (appendix_speed.check_variance_behind, lambda w, c: w.T @ c @ w, "stopped with RuntimeError"),
    (appendix_speed.check_variance_behind, 3, "a function is wanted"),
]


test_right_answers, test_wrong_answers, test_open_answers = judged(
    RIGHT, WRONG, [appendix_speed.check_winning_share, appendix_speed.check_variance_behind]
)


def test_the_variance_is_that_of_what_the_filters_give():
    """The reference against the filters' own outputs over all windows."""
    generator = torch.Generator().manual_seed(1)
    windows = torch.randn(500, 8, generator=generator, dtype=torch.float64).cumsum(dim=1)  # (window, taps)
    weight = torch.randn(3, 8, generator=generator, dtype=torch.float64)
    expected = (windows @ weight.T).var(dim=0, correction=0)
    torch.testing.assert_close(variance_behind(weight, windows.T.cov(correction=0)), expected)
