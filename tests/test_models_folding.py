"""Moments of all windows, without the windows."""

import torch

from envnet_tutorial.models.folding import window_moments


def test_window_moments_are_those_of_all_windows():
    x = torch.randn(3, 50) + 5
    windows = x.double().unfold(1, 8, 1).reshape(-1, 8)  # (window, taps)
    mean, covariance, count = window_moments(x, 8)
    torch.testing.assert_close(mean, windows.mean(dim=0))
    torch.testing.assert_close(covariance, windows.T.cov(correction=0))
    assert count == len(windows)


def test_variance_behind_a_high_pass_filter_survives_a_large_offset():
    x = 100 + 1e-3 * torch.randn(2, 4_000)
    taps = torch.tensor([1.0, -1.0, 0, 0, 0, 0, 0, 0], dtype=torch.float64)
    _, covariance, _ = window_moments(x, 8)
    truth = (x.double()[:, :-7] - x.double()[:, 1:-6]).var(correction=0)
    torch.testing.assert_close(taps @ covariance @ taps, truth, rtol=1e-3, atol=0)
