"""Figures of learned filters: waveforms, spectra, response matrices (lesson 5)."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from envnet_tutorial.plotting.style import SEQUENTIAL

TICKS_HZ = (500, 1000, 2000, 4000, 8000, 16_000)


def plot_response_matrix(matrix, frequencies, *, colorbar: bool = True, ax: Axes | None = None) -> Axes:
    """Draw the response of each filter to each tone, filters in the order that is given (lesson 5).

    Parameters
    ----------
    matrix : array-like, shape (filter, frequency)
        Responses, each row scaled to run from 0 to 1 (`probing.unit_range`).
    frequencies : array-like, shape (frequency,)
        Frequencies of the tones in Hz, rising; neighbours are drawn at equal distances.
    colorbar : bool, default True
        Draw the scale of the colours.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
    """
    matrix, frequencies = np.asarray(matrix), np.asarray(frequencies)
    if matrix.ndim != 2 or matrix.shape[1] != len(frequencies):
        raise ValueError(f"{len(frequencies)} frequencies need a matrix of as many columns; got {matrix.shape}")
    ax = ax or plt.subplots(figsize=(4.6, 3.4))[1]
    image = ax.imshow(matrix, cmap=SEQUENTIAL, vmin=0, vmax=1)
    label_frequencies(ax, frequencies)
    ax.set(ylabel="filter, sorted")
    ax.spines[:].set_visible(False)
    if colorbar:
        ax.figure.colorbar(image, ax=ax, label="response (share of the filter's range)")
    return ax


def label_frequencies(ax: Axes, frequencies: np.ndarray) -> None:
    """Mark round frequencies in kHz on an axis whose positions are the probes' numbers."""
    ticks = [tick for tick in TICKS_HZ if frequencies[0] <= tick <= frequencies[-1]]
    ax.set_xticks(np.interp(ticks, frequencies, np.arange(len(frequencies))), [f"{tick / 1000:g}" for tick in ticks])
    ax.set_xlabel("frequency of the tone (kHz)")


def plot_importance(importances, seconds: float, *, ax: Axes | None = None) -> Axes:
    """Draw how much each time step of the feature map speaks for a class, a line for each method (lesson 5).

    Parameters
    ----------
    importances : dict of str to array-like, each of shape (frame,)
        Change of the class's log odds (`probing.occlusion_importance`, `probing.gradient_importance`), by the name of
        its line.
    seconds : float
        Length of the window; each step is drawn at its middle.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
    """
    ax = ax or plt.subplots()[1]
    ax.axhline(0, color="0.7", linestyle="-", linewidth=0.6)
    for name, values in importances.items():
        values = np.asarray(values)
        ax.plot((np.arange(len(values)) + 0.5) * seconds / len(values), values, label=name)
    ax.set(xlabel="time (s)", ylabel="importance (log odds)", xlim=(0, seconds))
    if len(importances) > 1:
        ax.legend()
    return ax
