"""Are neighbouring filters tuned to neighbouring frequencies? A permutation test (lesson 5).

Nothing in `feature_conv` knows a filter's number: exchange two filters, and it computes the same. The convolution
behind it does: it slides along the filters as along time, so that neighbours are read together.
"""

from typing import NamedTuple

import numpy as np
from torch import Tensor

from envnet_tutorial.audio.spectrograms import hz_to_mel
from envnet_tutorial.probing.measures import centre_frequencies


class OrderTest(NamedTuple):
    """Result of `order_test`.

    Parameters
    ----------
    ratio : float
        Mean distance of neighbouring filters' centres on the mel scale, over its mean in random orders: 1 for no order.
    p_value : float
        Share of orders, the filters' own counted in, in which neighbours are at most as far apart.
    num_filters : int
        Filters that answer some tones more than others; the silent ones have no centre and are left out.
    """

    ratio: float
    p_value: float
    num_filters: int


def order_test(matrix: Tensor, frequencies: Tensor, *, num_permutations: int = 2000, seed: int = 0) -> OrderTest:
    """Compare the order of a bank's filters with random orders of the same filters (lesson 5).

    Parameters
    ----------
    matrix : Tensor, shape (filter, frequency)
        Responses, the filters in the network's own order, not sorted.
    frequencies : Tensor, shape (frequency,)
        In Hz.
    num_permutations : int, default 2000
    seed : int, default 0
        Of the permutations.

    Returns
    -------
    OrderTest

    Raises
    ------
    ValueError
        If fewer than three filters have a centre: two are always neighbours.
    """
    mels = hz_to_mel(centre_frequencies(matrix, frequencies)).numpy()
    mels = mels[~np.isnan(mels)]
    if len(mels) < 3:
        raise ValueError(f"an order needs at least three filters that answer some tones more; got {len(mels)}")
    orders = np.random.default_rng(seed).permuted(np.tile(mels, (num_permutations, 1)), axis=1)
    own, chance = neighbour_distance(mels), neighbour_distance(orders)
    # Distances are sums of the same numbers in another sequence: equal ones may differ by rounding.
    at_most = int((chance <= own * (1 + 1e-12)).sum())
    return OrderTest(float(own / chance.mean()), (1 + at_most) / (1 + num_permutations), len(mels))


def neighbour_distance(mels: np.ndarray) -> np.ndarray:
    """Return the mean distance from each value to the next along the last axis."""
    return np.abs(np.diff(mels, axis=-1)).mean(axis=-1)
