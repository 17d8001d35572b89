"""Pictures of a shape walk: where the parameters sit, and how far each layer sees (lesson 3)."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from envnet_tutorial.plotting.style import PALETTE


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
        Bars on a logarithmic scale, the share of the whole beside each.
    """
    held = table[table.parameters > 0]
    ax = ax or plt.figure().add_subplot()
    bars = ax.barh(held.layer, held.parameters, color=PALETTE["blue"])
    shares = 100 * held.parameters / table.parameters.sum()
    ax.bar_label(bars, [f"{share:.2g} %" for share in shares], padding=4)
    ax.set(xscale="log", xlabel="parameters", ylabel="layer", xlim=(100, held.parameters.max() * 8))
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
