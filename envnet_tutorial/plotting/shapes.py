"""Pictures of a shape walk: the network, where its parameters sit, and how far each layer sees (lesson 3)."""

import math
from collections.abc import Container

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from envnet_tutorial.plotting.style import PALETTE

#: Stages in one line of `plot_network`, and how far one lies from the next, across and down.
STAGES_IN_LINE, ACROSS, DOWN = 5, 2.0, 2.95
#: A phone shows a figure at three quarters, and there a label keeps 9 pixels of height from this size on.
LABEL_POINTS = 8.5
#: No more sheets than this stand for the channels of a stage.
MOST_SHEETS = 6


def plot_network(
    table: pd.DataFrame, input_shape: tuple[int, ...], *, hidden: Container[str] = (), ax: Axes | None = None
) -> Axes:
    """Draw a network stage by stage: sheets for its channels, as high as its rows and as wide as its steps (lesson 3).

    Parameters
    ----------
    table : DataFrame
        What `envnet_tutorial.shapes.walk` returns.
    input_shape : tuple of int
        Shape of the input, (batch, channel, row, step).
    hidden : container of str
        Layers whose shape the drawing keeps to itself, for the reader to find; a linear layer behind one does not
        name its sizes, which would tell.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Rows and steps are drawn on a logarithmic scale, so that one sample and 24,014 fit on one page. Below each
        stage stand its name, the module that makes it, what that was made with, and its shape without the batch.
    """
    stages = [("input", "", input_shape), *zip(table.layer, table.module, table.output_shape, strict=True)]
    lines = math.ceil(len(stages) / STAGES_IN_LINE)
    ax = ax or plt.figure(figsize=(7.2, 0.2 + 2.02 * lines)).add_subplot()
    for number, (name, module, shape) in enumerate(stages):
        line, column = divmod(number, STAGES_IN_LINE)
        x, y = ACROSS * column, -DOWN * line
        known = None if name in hidden else tuple(shape[1:])
        _sheets(ax, x, y, known, list(PALETTE.values())[line % len(PALETTE)])
        if len(shape) == 2 and number and stages[number - 1][0] in hidden and name not in hidden:
            module = module.partition("(")[0]
        text = "?" if known is None else " × ".join(f"{size:,}" for size in known)
        kind, bracket, sizes = module.partition("(")
        sizes = (bracket + sizes).replace("()", "")
        # A line each: side by side, whole modules would touch.
        for down, words, weight in ((0.95, name, "bold"), (1.22, kind, None), (1.47, sizes, None), (1.74, text, None)):
            ax.text(x, y - down, words, ha="center", va="center", size=LABEL_POINTS, weight=weight)
        if column:
            ax.text(x - ACROSS / 2, y, "→", ha="center", va="center", size=12, color="#555555")
    ax.set(xlim=(-1.1, ACROSS * (STAGES_IN_LINE - 1) + 1.1), ylim=(-DOWN * (lines - 1) - 2.0, 1.0))
    ax.set(aspect="equal")
    ax.axis("off")
    return ax


def _sheets(ax: Axes, x: float, y: float, shape: tuple[int, ...] | None, colour: str) -> None:
    """Draw the channels of one stage behind each other around a point; dashed where the shape is not told."""
    if shape is None:
        channels, rows, steps = 1, 16, 16
    elif len(shape) == 1:
        channels, rows, steps = 1, shape[0], 1
    else:
        channels, rows, steps = shape[0], *(shape[1:] if len(shape) == 3 else (1, shape[1]))
    height = min(0.06 + 0.2 * math.log2(rows), 1.45)
    width = min(0.1 + 0.1 * math.log2(steps), 1.25)
    sheets = min(channels, MOST_SHEETS)
    for sheet in reversed(range(sheets)):
        shift = 0.045 * (sheet - (sheets - 1) / 2)
        corner = (x + shift - width / 2, y + shift - height / 2)
        known = {"facecolor": colour, "alpha": 0.75, "edgecolor": "white", "linewidth": 0.6}
        told = {"facecolor": "none", "edgecolor": "#555555", "linestyle": "--"} if shape is None else known
        ax.add_patch(Rectangle(corner, width, height, **told))


def plot_parameters(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many parameters each layer holds (lesson 3).

    Parameters
    ----------
    table : DataFrame
        What `envnet_tutorial.shapes.walk` returns; layers without parameters are left out.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Bars in millions, the number and its share of the whole beside each.
    """
    held = table[table.parameters > 0]
    ax = ax or plt.figure().add_subplot()
    millions = held.parameters / 1e6
    bars = ax.barh(held.layer, millions, color=PALETTE["blue"])
    shares = 100 * held.parameters / table.parameters.sum()
    labels = [f"{count:,} ({share:.2g} %)" for count, share in zip(held.parameters, shares, strict=True)]
    ax.bar_label(bars, labels, padding=4)
    ax.set(xlabel="parameters (millions)", ylabel="layer", xlim=(0, millions.max() * 1.35))
    ax.invert_yaxis()
    return ax


def plot_receptive_fields(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how much sound one position of each layer sees (lesson 3).

    Parameters
    ----------
    table : DataFrame
        What `envnet_tutorial.shapes.walk` returns for a known sampling rate; unknown fields are left out.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Bars in ms on a logarithmic scale.
    """
    known = table[table.field_samples.notna()]
    milliseconds = known.field_ms.astype(float)
    ax = ax or plt.figure().add_subplot()
    bars = ax.barh(known.layer, milliseconds, color=PALETTE["green"])
    ax.bar_label(bars, [f"{value:,.1f} ms" for value in milliseconds], padding=4)
    ax.set(xscale="log", xlabel="receptive field (ms)", ylabel="layer")
    ax.set_xlim(milliseconds.min() / 3, milliseconds.max() * 8)
    ax.invert_yaxis()
    return ax
