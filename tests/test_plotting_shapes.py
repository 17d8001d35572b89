"""The pictures of a shape walk show its numbers."""

import matplotlib.pyplot as plt
import pytest
import torch
from torch import nn

from envnet_tutorial.models import EnvNet
from envnet_tutorial.plotting import use_book_style
from envnet_tutorial.plotting.shapes import plot_network, plot_parameters, plot_receptive_fields
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
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([18e-6, 5e-6])
    assert ax.get_xscale() == "linear"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "3"]
    assert [text.get_text() for text in ax.texts] == ["18 (78 %)", "5 (22 %)"]


def test_fields_are_drawn_in_ms_where_they_are_known(table):
    ax = plot_receptive_fields(table)
    assert [bar.get_width() for bar in ax.patches] == [8, 8, 17]
    assert "ms" in ax.get_xlabel()


def test_pictures_are_drawn_where_they_are_told(table):
    _, ax = plt.subplots()
    assert plot_parameters(table, ax=ax) is ax
    assert plot_receptive_fields(table, ax=ax) is ax
    _, drawing = plt.subplots()
    assert plot_network(table, (1, 1, 107), ax=drawing) is drawing


ENVNET_INPUT_SHAPE = (1, 1, 1, 24_014)


@pytest.fixture(scope="module")
def envnet():
    with torch.device("meta"):
        return walk(EnvNet(num_classes=50), (1, 1, 24_014))


def told(ax) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_text() not in ("→", "")]


def test_the_drawing_of_a_network_tells_every_shape(envnet):
    ax = plot_network(envnet, ENVNET_INPUT_SHAPE)
    texts = told(ax)
    assert texts[:2] == ["input", "1 × 1 × 24,014"]
    for row in envnet.itertuples():
        shape = " × ".join(f"{size:,}" for size in row.output_shape[1:])
        place = texts.index(row.layer)
        told_of = "".join(texts[place : texts.index(shape, place) + 1])
        assert told_of == row.layer + row.module.removesuffix("()") + shape


def test_labels_are_read_on_a_phone_and_none_touches_another(envnet):
    with plt.rc_context():
        use_book_style()
        ax = plot_network(envnet, ENVNET_INPUT_SHAPE)
        ax.figure.canvas.draw()
    labels = [text for text in ax.texts if text.get_text() not in ("→", "")]
    shown = 0.75  # of a figure's pixels, in the phone's pixels: book.css
    assert min(text.get_size() for text in labels) * ax.figure.dpi / 72 * shown >= 9
    boxes = [text.get_window_extent() for text in labels]
    touching = [
        (one.get_text(), other.get_text())
        for i, one in enumerate(labels)
        for j, other in enumerate(labels[:i])
        if boxes[i].overlaps(boxes[j])
    ]
    assert touching == []


def test_more_channels_rows_and_steps_are_drawn_larger(envnet):
    def sheets(name):
        ax = plot_network(envnet[envnet.layer == name], ENVNET_INPUT_SHAPE)
        return ax.patches[1:]  # without the input's

    assert len(sheets("transpose")) == 1 < len(sheets("conv1"))
    assert sheets("conv1")[0].get_width() > sheets("pool2")[0].get_width()
    assert sheets("transpose")[0].get_height() > sheets("pool2")[0].get_height()


def test_what_the_reader_is_to_find_is_not_told(envnet):
    ax = plot_network(envnet, ENVNET_INPUT_SHAPE, hidden=("pool2", "transpose"))
    assert told(ax).count("?") == 2
    assert "150" not in " ".join(told(ax)[: told(ax).index("conv3")])
    assert {patch.get_linestyle() for patch in ax.patches} == {"solid", "--"}
    ax = plot_network(envnet, ENVNET_INPUT_SHAPE, hidden=("flatten",))
    assert "7,700" not in " ".join(told(ax)) and not any("7700" in words for words in told(ax))
    assert told(ax).count("LinearBlock") == 2 and told(ax).count("(4096, 4096)") == 1


def test_every_stage_lies_within_the_drawing(envnet):
    ax = plot_network(envnet, ENVNET_INPUT_SHAPE)
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    for patch in ax.patches:
        box = patch.get_bbox()
        assert left < box.x0 < box.x1 < right and low < box.y0 < box.y1 < high
