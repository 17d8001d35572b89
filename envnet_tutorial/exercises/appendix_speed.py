"""Checks for the exercises of the appendix on speed."""

import torch

from envnet_tutorial.exercises.feedback import Feedback, grade

POOL = 160


def check_winning_share(answer: float) -> Feedback:
    """Check the share of conv2's outputs that have a gradient if the pool follows directly (appendix): 1/160."""
    return grade(
        answer,
        lambda share: abs(float(share) - 1 / POOL) < 2e-5,
        praise="one of 160, or 0.625 %: in each frame of each filter only the winner.",
        hint="each frame of 160 samples has one maximum, and the others may move without changing it.",
        task="replace the dots with a share between 0 and 1.",
    )


def check_variance_behind(answer) -> Feedback:
    """Check a function that finds the variance behind filters from the covariance of their windows (appendix).

    Parameters
    ----------
    answer : callable
        Takes weights (filter, taps) and a covariance (taps, taps), and returns the variances (filter,).
    """
    generator = torch.Generator().manual_seed(8)
    weight = torch.randn(5, 4, generator=generator, dtype=torch.float64)
    windows = torch.randn(200, 4, generator=generator, dtype=torch.float64).cumsum(dim=1) + 3  # (window, taps)
    expected = (windows @ weight.T).var(dim=0, correction=0)
    return grade(
        answer,
        lambda variance: torch.allclose(torch.as_tensor(variance(weight, windows.T.cov(correction=0))), expected),
        praise="w C w for each filter: 8 by 8 numbers know what 24,007 outputs would tell.",
        hint="the variance of a sum counts each pair of taps: w_i w_j times their covariance, summed over i and j.",
        task="write a function of the weights (filter, taps) and the covariance (taps, taps).",
    )
