"""The networks of the book side by side: a row of blocks each, and one number against another (lesson 7)."""

import math
from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from envnet_tutorial.plotting.style import PALETTE

#: What a block's colour says, and the kinds of layers (`costs.KINDS`) that have it.
COLOURS = {
    "convolution": ("blue", ("conv",)),
    "pooling, averaging": ("sky", ("pool", "average")),
    "fixed: spectrum, power, dB": ("green", ("spectrogram", "power", "level")),
    "linear layer": ("vermillion", ("linear",)),
}
#: Height of a row with its name, and of its tallest block; and the width of a block, with the gap behind it.
ROW, TALLEST, STEP, WIDTH = 1.1, 0.62, 1.0, 0.82


def plot_family(networks: Mapping[str, pd.DataFrame], *, ax: Axes | None = None) -> Axes:
    """Draw each network as a row of blocks, from the waveform on the left to the classes on the right (lesson 7).

    Parameters
    ----------
    networks : mapping of str to DataFrame
        What to write above each row, and what `comparison.blocks` returns of the network.
    ax : Axes, optional
        Where to draw; without it a new figure, narrow enough for a phone.

    Returns
    -------
    Axes
        A block is as tall as the logarithm of how many numbers its layer makes of the sound. Layers side by side are
        drawn under one another.
    """
    ax = ax or plt.figure(figsize=(4, 0.5 + 0.66 * len(networks))).add_subplot()
    most = max(table["outputs"].max() for table in networks.values())
    for number, (name, table) in enumerate(networks.items()):
        floor = -ROW * number
        ax.text(0, floor + TALLEST, name, va="bottom", size=9.5)
        _row(ax, floor, table, most)
    widest = max(_columns(table).max() + 1 for table in networks.values())
    ax.set(xlim=(-0.3, widest * STEP), ylim=(-ROW * (len(networks) - 1) - 0.1, ROW))
    handles = [Patch(color=PALETTE[colour], label=label) for label, (colour, _) in COLOURS.items()]
    ax.figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8.5)
    ax.axis("off")
    return ax


def _columns(table: pd.DataFrame) -> pd.Series:
    """Return the place of each block in its row: branches begin side by side, and what follows stands behind them."""
    inside = table["branch"] != ""
    columns = table.groupby("branch").cumcount()
    longest = columns[inside].max() + 1 if inside.any() else 0
    return columns + longest * ~inside


def _row(ax: Axes, floor: float, table: pd.DataFrame, most: int) -> None:
    """Draw the blocks of one network on a floor."""
    branches = [name for name in dict.fromkeys(table["branch"]) if name]
    for column, block in zip(_columns(table), table.itertuples(), strict=True):
        room = TALLEST / len(branches) if block.branch else TALLEST
        bottom = floor + (room * branches.index(block.branch) if block.branch else 0)
        height = 0.92 * room * math.log10(max(block.outputs, 2)) / math.log10(most)
        label, (colour, _) = next(item for item in COLOURS.items() if block.kind in item[1][1])
        ax.add_patch(Rectangle((column * STEP, bottom), WIDTH, height, color=PALETTE[colour], label=label))


#: Where a point has its name.
PLACES = {
    "above": {"xytext": (0, 6), "ha": "center", "va": "bottom"},
    "below": {"xytext": (0, -6), "ha": "center", "va": "top"},
    "left": {"xytext": (-6, 0), "ha": "right", "va": "center"},
    "right": {"xytext": (6, 0), "ha": "left", "va": "center"},
}


def plot_against(
    table: pd.DataFrame,
    across: str,
    up: str,
    *,
    logarithmic: str = "xy",
    places: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a point for each network that has both numbers, its name beside it (lesson 7).

    Parameters
    ----------
    table : DataFrame
        A row for each network, by name.
    across, up : str
        The two columns.
    logarithmic : {"xy", "x", ""}, default "xy"
        Which axes are.
    places : mapping of str to str, optional
        A key of `PLACES` for each network whose name would not be legible where it comes by itself.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
    """
    ax = ax or plt.figure(figsize=(4, 3.9)).add_subplot()
    known = table[[across, up]].dropna()
    ax.plot(known[across], known[up], "o", markersize=5)
    if "x" in logarithmic:
        ax.set_xscale("log")
    if "y" in logarithmic:
        ax.set_yscale("log")
    ax.margins(0.18)
    # Above and below in turn, from left to right, so that neighbours do not write over each other; of the first two the
    # higher is above. Of points above each other the lowest has its name below; networks of one price share a point and
    # a label.
    groups = known.groupby([across, up]).groups
    heights = [y for _, y in groups]
    turn = int(heights[:1] > heights[1:2])
    for number, ((x, y), names) in enumerate(groups.items(), start=turn):
        column = known.loc[known[across] == x, up]
        is_above = y > column.min() if column.nunique() > 1 else number % 2
        place = (places or {}).get(names[0], "above" if is_above else "below")
        ax.annotate("\n".join(names), (x, y), textcoords="offset points", size=8.5, **PLACES[place])
    return ax
