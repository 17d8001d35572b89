"""The permutation test of the filters' order: exact for four filters, even for random ones, sharp for sorted ones."""

import itertools

import numpy as np
import pytest
import torch

from envnet_tutorial.audio.spectrograms import hz_to_mel
from envnet_tutorial.probing import order_test, probe_frequencies

FREQUENCIES = probe_frequencies(96, 50, 7_900)


def bank(peaks):
    """One filter a peak, each answering one tone alone."""
    return torch.eye(96)[list(peaks)]


def test_the_p_value_is_the_share_of_all_orders():
    peaks = [5, 20, 80, 40]
    mels = hz_to_mel(FREQUENCIES).numpy()
    distance = lambda order: np.abs(np.diff(mels[list(order)])).mean()  # noqa: E731
    every = np.array([distance(order) for order in itertools.permutations(peaks)])
    found = order_test(bank(peaks), FREQUENCIES, num_permutations=20_000)
    assert found.p_value == pytest.approx((every <= distance(peaks) * (1 + 1e-12)).mean(), abs=0.01)
    assert found.ratio == pytest.approx(distance(peaks) / every.mean(), rel=0.01)


def test_random_orders_have_even_p_values():
    random = np.random.default_rng(0)
    values = [
        order_test(bank(random.permutation(96)[:40]), FREQUENCIES, num_permutations=200).p_value for _ in range(200)
    ]
    assert 0.4 < np.mean(values) < 0.6 and 0.02 < np.mean(np.array(values) <= 0.1) < 0.2


def test_sorted_filters_are_as_near_as_can_be_and_silent_ones_do_not_count():
    matrix = torch.cat([bank(range(0, 80, 2)), torch.zeros(3, 96)])[torch.randperm(43).sort().values]
    found = order_test(matrix, FREQUENCIES, num_permutations=500)
    assert found.ratio < 0.1 and found.p_value == 1 / 501 and found.num_filters == 40
    assert order_test(matrix.flip(0), FREQUENCIES, num_permutations=500).ratio == pytest.approx(found.ratio)


def test_two_filters_have_no_order():
    with pytest.raises(ValueError, match="at least three filters"):
        order_test(bank([3, 50]), FREQUENCIES)
