"""The pictures of a shape walk show its numbers."""

import matplotlib.pyplot as plt
import pytest
from torch import nn

from envnet_tutorial.plotting.shapes import plot_parameters, plot_receptive_fields
from envnet_tutorial.shapes import walk


@pytest.fixture
def table():
    network = nn.Sequential(nn.Conv1d(1, 2, 8), nn.ReLU(), nn.AvgPool1d(10), nn.ConvTranspose1d(2, 1, 2))
    return walk(network, (1, 1, 107), sample_rate=1_000)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_parameters_are_drawn_for_the_layers_that_have_some(table):
    ax = plot_parameters(table)
    assert [bar.get_width() for bar in ax.patches] == [18, 5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "3"]
    assert [text.get_text() for text in ax.texts] == ["78 %", "22 %"]


def test_fields_are_drawn_in_ms_where_they_are_known(table):
    ax = plot_receptive_fields(table)
    assert [bar.get_width() for bar in ax.patches] == [8, 8, 17]
    assert "ms" in ax.get_xlabel()


def test_pictures_are_drawn_where_they_are_told(table):
    _, ax = plt.subplots()
    assert plot_parameters(table, ax=ax) is ax
    assert plot_receptive_fields(table, ax=ax) is ax
