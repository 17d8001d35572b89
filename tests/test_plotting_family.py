"""The family's pictures show the numbers they are given, and write no name over another."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from envnet_tutorial.plotting.family import COLOURS, ROW, TALLEST, WIDTH, plot_against, plot_family

PLAIN = pd.DataFrame({"branch": "", "kind": ["conv", "pool", "linear"], "outputs": [10**6, 10**3, 10]})
SPLIT = pd.DataFrame(
    {"branch": ["a", "a", "b", "b", ""], "kind": ["conv", "pool", "conv", "pool", "linear"], "outputs": [1000] * 5}
)


def test_a_block_is_as_tall_as_the_logarithm_of_what_its_layer_makes():
    ax = plot_family({"plain": PLAIN, "also": PLAIN})
    heights = [patch.get_height() for patch in ax.patches]
    assert heights == pytest.approx([0.92 * TALLEST * power / 6 for power in (6, 3, 1)] * 2)
    assert [patch.get_x() for patch in ax.patches[:3]] == [0, 1, 2]
    assert [patch.get_y() for patch in ax.patches[::3]] == [0, -ROW]
    assert [text.get_text() for text in ax.texts] == ["plain", "also"]


def test_colours_tell_the_kinds_apart():
    ax = plot_family({"plain": PLAIN})
    labels = [patch.get_label() for patch in ax.patches]
    assert labels == ["convolution", "pooling, averaging", "linear layer"]
    assert len({patch.get_facecolor() for patch in ax.patches}) == 3
    assert [text.get_text() for text in ax.figure.legends[0].texts] == list(COLOURS)


def test_branches_lie_under_one_another_and_what_follows_behind_them():
    ax = plot_family({"split": SPLIT})
    places = [(patch.get_x(), patch.get_y()) for patch in ax.patches]
    assert places == [(0, 0), (1, 0), (0, TALLEST / 2), (1, TALLEST / 2), (2, 0)]
    for patch in ax.patches[:4]:
        assert patch.get_height() <= TALLEST / 2 and patch.get_width() == WIDTH


def test_a_point_for_each_network_that_has_both_numbers():
    table = pd.DataFrame({"x": [1.0, 10.0, 10.0, np.nan], "y": [2.0, 3.0, 3.0, 4.0]}, index=["a", "b", "c", "d"])
    _, own = plt.subplots()
    ax = plot_against(table, "x", "y", ax=own)
    assert ax is own and (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.lines[0].get_xdata().tolist() == [1, 10, 10]
    assert [text.get_text() for text in ax.texts] == ["a", "b\nc"]
    assert plot_against(table, "x", "y", logarithmic="x").get_yscale() == "linear"


def test_names_of_points_above_each_other_do_not_stand_between_them():
    table = pd.DataFrame({"x": [1.0, 5.0, 5.0, 7.0], "y": [2.0, 3.0, 4.0, 4.0]}, index=["a", "low", "high", "b"])
    places = {text.get_text(): text.get_va() for text in plot_against(table, "x", "y").texts}
    assert places == {"a": "top", "low": "top", "high": "bottom", "b": "bottom"}


def test_of_the_first_two_the_higher_has_its_name_above():
    for heights, places in (
        ([1.0, 2.0, 3.0], ["top", "bottom", "top"]),
        ([2.0, 1.0, 3.0], ["bottom", "top", "bottom"]),
    ):
        table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": heights}, index=list("abc"))
        assert [text.get_va() for text in plot_against(table, "x", "y").texts] == places


def test_a_name_is_put_where_it_is_asked_for():
    table = pd.DataFrame({"x": [1.0, 2.0], "y": [1.0, 2.0]}, index=["a", "b"])
    for place, (side, height) in {"left": ("right", "center"), "below": ("center", "top")}.items():
        ax = plot_against(table, "x", "y", places={"a": place})
        names = {text.get_text(): (text.get_ha(), text.get_va()) for text in ax.texts}
        assert names == {"a": (side, height), "b": ("center", "bottom")}
