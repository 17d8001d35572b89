"""Figures of training and testing: learning curves, schedules, crops, confusion matrices (lesson 4)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from envnet_tutorial.plotting.style import PALETTE


def plot_history(epochs: pd.DataFrame, column: str, *, label: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw one column of a training history over the epochs.

    Parameters
    ----------
    epochs : DataFrame
        One row an epoch, with a column ``epoch``.
    column : str
        ``"loss"`` (nats per clip), ``"accuracy"`` (share of the crops) or ``"learning_rate"``.
    label : str, optional
        Name of the line.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
    """
    units = {"loss": "loss (nats per clip)", "accuracy": "training accuracy (%)", "learning_rate": "learning rate"}
    if column not in units:
        raise ValueError(f"column must be one of {', '.join(units)}; got {column!r}")
    ax = ax or plt.subplots()[1]
    values = epochs[column] * (100 if column == "accuracy" else 1)
    ax.plot(epochs["epoch"], values, label=label)
    ax.set(xlabel="epoch", ylabel=units[column])
    return ax


def plot_confusion(
    confusion: np.ndarray, classes: Sequence[str], *, cmap: str = "magma", ax: Axes | None = None
) -> Axes:
    """Draw a confusion matrix with its counts.

    Parameters
    ----------
    confusion : ndarray of int, shape (truth, prediction)
        Number of clips of each true class (row) that were given each class (column).
    classes : sequence of str
        Class names in the order of the rows.
    cmap : str, default "magma"
        Colour map of the share of each row.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
    """
    confusion = np.asarray(confusion)
    if confusion.shape != (len(classes), len(classes)):
        raise ValueError(f"{len(classes)} classes need a square matrix of that size; got {confusion.shape}")
    ax = ax or plt.subplots(figsize=(5.0, 4.8))[1]
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, vmin=0, vmax=1, origin="upper", aspect="equal", cmap=cmap)
    for row, column in zip(*np.nonzero(confusion), strict=True):
        colour = "black" if share[row, column] > 0.6 else "white"
        ax.text(column, row, str(confusion[row, column]), ha="center", va="center", color=colour)
    names = [name.replace("_", " ") for name in classes]
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="given class", ylabel="true class")
    ax.spines[:].set_visible(False)
    return ax


def plot_windows(
    waveform: np.ndarray,
    starts: Sequence[int],
    num_samples: int,
    sample_rate: int,
    *,
    padding: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Draw a waveform and, above it, the windows that are cut from it.

    Parameters
    ----------
    waveform : ndarray, shape (time,)
        The clip in [-1, 1], without its padding.
    starts : sequence of int
        First sample of each window, counted from the beginning of the padded clip.
    num_samples : int
        Length of a window in samples.
    sample_rate : int
        Sampling rate in Hz.
    padding : int, default 0
        Zeros before the clip, in samples; time 0 is the first sample of the clip itself.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
    """
    ax = ax or plt.subplots()[1]
    seconds = np.arange(len(waveform)) / sample_rate
    ax.plot(seconds, waveform, color="0.45", linestyle="-", linewidth=0.5)
    for row, start in enumerate(starts):
        left = (start - padding) / sample_rate
        bar = [left, left + num_samples / sample_rate]
        ax.plot(bar, [1.2 + 0.16 * row] * 2, color=PALETTE["blue"], linestyle="-", linewidth=3)
    ax.axvspan(-padding / sample_rate, 0, color="0.92")
    ax.axvspan(seconds[-1], seconds[-1] + padding / sample_rate, color="0.92")
    ax.set(xlabel="time (s)", ylabel="amplitude (full scale = 1)", yticks=[-1, 0, 1])
    return ax


def plot_spread(values: dict[str, list[float]], ylabel: str, *, ax: Axes | None = None) -> Axes:
    """Draw one dot for each run and a bar at the mean, a column for each condition (lessons 4 and 5).

    Parameters
    ----------
    values : dict of str to list of float
        A measure of several runs, by condition.
    ylabel : str
        Name and unit of the measure.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
    """
    ax = ax or plt.subplots()[1]
    for column, runs in enumerate(values.values()):
        ax.plot(np.full(len(runs), column), runs, "o", color=PALETTE["blue"], alpha=0.7)
        ax.plot([column - 0.2, column + 0.2], [np.mean(runs)] * 2, color=PALETTE["vermillion"], linestyle="-")
    ax.set_xticks(range(len(values)), list(values))
    ax.set(ylabel=ylabel, xlim=(-0.6, len(values) - 0.4), xlabel="network")
    return ax
