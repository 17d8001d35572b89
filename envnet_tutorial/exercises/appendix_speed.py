"""Checks for the exercises of the appendix on speed."""

import torch
from torch import Tensor

from envnet_tutorial.exercises.feedback import Feedback
from envnet_tutorial.exercises.functions import FunctionQuestion
from envnet_tutorial.exercises.questions import Case, NumberQuestion
from envnet_tutorial.exercises.quizzes.appendix_speed import QUIZ as QUIZ

POOL = 160

#: The tolerance takes two figures, 0.0062 and 0.0063.
WINNING_SHARE = NumberQuestion(
    name="check_winning_share",
    task="replace the dots with a share between 0 and 1.",
    answer=1 / POOL,
    tolerance=6e-5,
    praise="one of 160, or 0.625 %: in each frame of each filter only the winner.",
    hints=(
        Case(1 / 159, "the winner is one of all 160: 159 others have none."),
        Case(1 / 161, "the winner is one of all 160."),
        Case(0.006, "near: give two figures.", 1e-6),
        Case(0.625, "that is in percent: the share is a hundredth of it.", 0.006),
        Case(159 / 160, "so many have none: which share has one?", 0.0005),
        Case(99.375, "so many percent have none: which share has one?", 0.05),
        Case(160, "one of so many: as a share between 0 and 1?"),
        Case(1, "the maximum does not move when one of the others does, so those have no gradient."),
        Case(0, "the maximum itself has a gradient."),
    ),
    hint="each frame of 160 samples has one maximum, and the others may move without changing it.",
)


def check_winning_share(answer: float) -> Feedback:
    """Check the share of conv2's outputs that have a gradient if the pool follows directly (appendix): 1/160."""
    return WINNING_SHARE.judge(answer)


def check_variance_behind(answer) -> Feedback:
    """Check a function that finds the variance behind filters from the covariance of their windows (appendix).

    Parameters
    ----------
    answer : callable
        Takes weights (filter, taps) and a covariance (taps, taps), and returns the variances (filter,).
    """
    generator = torch.Generator().manual_seed(8)
    return FunctionQuestion(
        calls=[_filters_and_covariance(filters, taps, generator) for filters, taps in ((5, 4), (3, 8))],
        reference=lambda weight, covariance: ((weight @ covariance) * weight).sum(dim=1),
        mistakes=(
            (lambda w, c: w @ c @ w.T, "only the diagonal is wanted: the variance of each filter."),
            (
                lambda w, c: w.square() @ c.diagonal(),
                "that would be so if the taps' inputs had nothing to do with one another.",
            ),
            (lambda w, c: ((w @ c) * w).sum(dim=1).sqrt(), "that is the standard deviation."),
            (lambda w, c: (w @ c).sum(dim=1), "each weight occurs twice: multiply by the weights once more."),
            (lambda w, c: ((w @ c) * w).mean(dim=1), "the products are summed, not averaged."),
        ),
        rtol=1e-3,  # single precision will do, though terms of both signs cancel
        praise="w Σ w for each filter: 8 by 8 numbers know what 24,007 outputs would tell.",
        hint="the variance of a sum counts each pair of taps: w_i w_j times their covariance, summed over i and j.",
        task="write a function of weights (filter, taps) and covariance (taps, taps).",
    ).judge(answer)


def _filters_and_covariance(filters: int, taps: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw filters, and windows of a random walk, whose neighbours depend on one another."""
    weight = torch.randn(filters, taps, generator=generator, dtype=torch.float64)
    windows = torch.randn(200, taps, generator=generator, dtype=torch.float64).cumsum(dim=1) + 3  # (window, taps)
    return weight, windows.T.cov(correction=0)
