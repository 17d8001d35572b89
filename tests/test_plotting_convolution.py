"""The pictures of lesson 2 show exactly what PyTorch's convolution touches."""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from torch.nn import functional

from envnet_tutorial.plotting import convolution as pictures

TOUCHED = {to_rgba(pictures.TOUCHED), to_rgba(pictures.TOUCHED_PADDING)}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def cells(ax):
    """Read the picture back: (x, y) -> (touched, hatched, padding) of every input cell, and the output cells."""
    inputs, outputs = {}, {}
    for patch in ax.patches:
        if not isinstance(patch, Rectangle) or not patch.get_fill():
            continue
        place = (round(patch.get_x() + 0.5, 3), round(patch.get_y() + 0.5, 3))
        if patch.get_facecolor() in (to_rgba(pictures.OUTPUT), to_rgba(pictures.CURRENT)):
            outputs[place] = patch.get_facecolor() == to_rgba(pictures.CURRENT)
        else:
            dotted = patch.get_linestyle() in (":", "dotted")
            inputs[place] = (patch.get_facecolor() in TOUCHED, bool(patch.get_hatch()), dotted)
    return inputs, outputs


GRID = [
    (length, kernel, stride, padding, dilation)
    for length, kernel, stride, padding, dilation in product((5, 6, 9), (1, 3, 4), (1, 2, 3), (0, 2), (1, 2))
    if length + 2 * padding >= dilation * (kernel - 1) + 1
]


@pytest.mark.parametrize("setting", GRID, ids=str)
def test_rows_of_the_1d_picture_are_the_support_of_conv1d(setting):
    length, kernel, stride, padding, dilation = setting
    ax = pictures.plot_conv1d(length, kernel, stride=stride, padding=padding, dilation=dilation)
    inputs, outputs = cells(ax)
    x = torch.zeros(1, 1, length + 2 * padding, requires_grad=True)  # padded by hand, to see the padding touched too
    result = functional.conv1d(x, torch.ones(1, 1, kernel), None, stride, 0, dilation)[0, 0]
    support = np.stack([torch.autograd.grad(value, x, retain_graph=True)[0][0, 0].numpy() != 0 for value in result])
    assert len(outputs) == len(result)
    assert len(inputs) == support.size
    for (place, step), (touched, hatched, dotted) in inputs.items():
        outside = not 0 <= place < length
        assert touched == support[int(step), int(place) + padding]
        assert dotted == outside
        assert hatched == (not outside and not support[:, int(place) + padding].any())


def test_an_input_that_no_step_touches_is_hatched():
    """(6 - 3) / 2 is no integer: PyTorch floors and never reads the last sample."""
    inputs, outputs = cells(pictures.plot_conv1d(6, 3, stride=2))
    assert len(outputs) == 2
    assert {x for (x, _), (_, hatched, _) in inputs.items() if hatched} == {5}


SETTINGS_2D = [
    {"size": (5, 5), "kernel": (3, 3), "stride": (2, 2), "padding": (1, 1)},
    {"size": (6, 6), "kernel": (3, 3), "stride": (2, 2)},
    {"size": (4, 7), "kernel": (2, 3), "stride": (1, 3), "padding": (1, 0), "dilation": (2, 1)},
    {"size": (1, 9), "kernel": (1, 4), "padding": (0, 2)},
]


@pytest.mark.parametrize("setting", SETTINGS_2D, ids=str)
def test_panels_of_the_2d_picture_are_the_support_of_conv2d(setting):
    options = {name: setting[name] for name in ("stride", "padding", "dilation") if name in setting}
    x = torch.zeros(1, 1, *setting["size"], requires_grad=True)
    result = functional.conv2d(x, torch.ones(1, 1, *setting["kernel"]), **options)[0, 0]
    panels = pictures.plot_conv2d_steps(**setting)
    assert panels.shape == result.shape
    used = torch.autograd.grad(result.sum(), x, retain_graph=True)[0][0, 0] != 0
    for position, ax in np.ndenumerate(panels):
        support = torch.autograd.grad(result[position], x, retain_graph=True)[0][0, 0] != 0
        inputs, outputs = cells(ax)
        assert sum(outputs.values()) == 1
        assert len(outputs) == result.numel()
        real = {place: state for place, state in inputs.items() if not state[2]}
        assert len(real) == x.numel()
        for (column, row), (touched, hatched, _) in real.items():
            assert touched == support[int(row), int(column)]
            assert hatched == (not used[int(row), int(column)])


def test_current_output_cell_is_the_step_that_is_drawn():
    ax = pictures.plot_conv2d_step((5, 5), (3, 3), (1, 2))
    _, outputs = cells(ax)
    columns, rows = sorted({x for x, _ in outputs}), sorted({y for _, y in outputs})
    current = next(place for place, is_current in outputs.items() if is_current)
    assert (rows.index(current[1]), columns.index(current[0])) == (1, 2)


def test_pictures_are_drawn_where_they_are_told_and_refuse_what_does_not_fit():
    _, ax = plt.subplots()
    assert pictures.plot_conv1d(5, 3, ax=ax) is ax
    assert pictures.plot_conv2d_step((5, 5), (3, 3), ax=ax) is ax
    with pytest.raises(ValueError, match="does not fit"):
        pictures.plot_conv1d(3, 4)
