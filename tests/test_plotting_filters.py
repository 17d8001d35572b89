"""Figures of what filters hear, against the numbers that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from envnet_tutorial.plotting import filters, use_book_style
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate


@pytest.fixture(autouse=True)
def closed_figures():
    use_book_style()
    yield
    plt.close("all")


def test_importance_stands_at_the_middle_of_its_steps():
    ax = filters.plot_importance({"occlusion": torch.tensor([1.0, -2.0]), "gradient": [0.0, 0.5]}, 1.0)
    first, second = ax.lines[1:]  # behind the line at 0
    np.testing.assert_allclose(first.get_xdata(), [0.25, 0.75])
    np.testing.assert_allclose([first.get_ydata(), second.get_ydata()], [[1, -2], [0, 0.5]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["occlusion", "gradient"]
    assert "(s)" in ax.get_xlabel()
    assert "(log odds)" in ax.get_ylabel()
    assert filters.plot_importance({"alone": [1.0]}, 1.0, ax=ax) is ax
