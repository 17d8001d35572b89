"""Figures of sound: waveform, spectrum, spectrogram, mel spectrogram, mel filters (lesson 1)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from envnet_tutorial.plotting.style import PALETTE, SEQUENTIAL

LEVEL = "level (dB re full-scale sine)"


def plot_waveform(waveform, sample_rate: int, *, start: float = 0.0, ax: Axes | None = None, **line) -> Axes:
    """Draw samples over time (lesson 1).

    Parameters
    ----------
    waveform : array-like of float, shape (time,) or (1, time)
        One channel in [-1, 1].
    sample_rate : int
        Rate in Hz.
    start : float
        Time of the first sample in s.
    ax : Axes, optional
        Where to draw; a new figure without it.
    **line
        Passed to `Axes.plot`.

    Returns
    -------
    Axes
    """
    samples = one_channel(waveform)
    ax = ax or plt.subplots()[1]
    style = {"linewidth": 0.6, "color": PALETTE["blue"], "linestyle": "-"} | line
    ax.plot(start + np.arange(len(samples)) / sample_rate, samples, **style)
    ax.set(xlabel="time (s)", ylabel="amplitude (full scale = 1)")
    ax.margins(x=0)
    return ax


def plot_spectrogram(
    levels,
    sample_rate: int,
    hop: int,
    *,
    start: float = 0.0,
    limits: tuple[float, float] | None = None,
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw a spectrogram (lesson 1).

    Parameters
    ----------
    levels : array-like of float, shape (bin, frame)
        In dB; bins run evenly from 0 Hz to half the rate.
    sample_rate : int
        Rate in Hz.
    hop : int
        Samples from frame to frame.
    start : float
        Time of the middle of the first frame in s.
    limits : tuple of float, optional
        Levels of the darkest and the brightest colour.
    colorbar : bool
        Draw the scale of the colours.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
    """
    levels = np.asarray(levels)
    top = sample_rate / 2000
    half_bin = top / (levels.shape[0] - 1) / 2
    ax = _image(levels, sample_rate, hop, start, (-half_bin, top + half_bin), limits, colorbar, ax)
    ax.set(xlabel="time (s)", ylabel="frequency (kHz)", ylim=(0, top))
    return ax


def plot_mel_spectrogram(
    levels,
    sample_rate: int,
    hop: int,
    *,
    centres: Sequence[float] | None = None,
    start: float = 0.0,
    limits: tuple[float, float] | None = None,
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw a mel spectrogram, one row a band (lesson 1).

    Parameters
    ----------
    levels : array-like of float, shape (band, frame)
        In dB.
    sample_rate, hop, start, limits, colorbar, ax
        As in `plot_spectrogram`.
    centres : sequence of float, optional
        Centre frequency of each band in Hz: some rows are then named by it instead of by their number.

    Returns
    -------
    Axes
    """
    levels = np.asarray(levels)
    ax = _image(levels, sample_rate, hop, start, (-0.5, len(levels) - 0.5), limits, colorbar, ax)
    ax.set(xlabel="time (s)", ylabel="mel band")
    if centres is not None:
        rows = np.linspace(0, len(levels) - 1, 5).round().astype(int)
        ax.set_yticks(rows, [f"{centres[row]:.0f}" for row in rows])
        ax.set_ylabel("centre of mel band (Hz)")
    return ax


def plot_mel_filters(filters, sample_rate: int, *, ax: Axes | None = None) -> Axes:
    """Draw the triangles of a mel filter bank (lesson 1).

    Parameters
    ----------
    filters : array-like of float, shape (bin, band)
        Weights, as `torchaudio.functional.melscale_fbanks` gives them; bins run evenly from 0 Hz to half the rate.
    sample_rate : int
        Rate in Hz.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
    """
    filters = np.asarray(filters)
    ax = ax or plt.subplots()[1]
    frequencies = np.linspace(0, sample_rate / 2000, len(filters))
    colours = (PALETTE["blue"], PALETTE["vermillion"])
    for band, weights in enumerate(filters.T):
        ax.plot(frequencies, weights, color=colours[band % 2], linestyle="-", linewidth=0.9)
    ax.set(xlabel="frequency (kHz)", ylabel="weight")
    ax.margins(x=0)
    return ax


def one_channel(waveform) -> np.ndarray:
    """Give a waveform of one channel as a vector, and refuse more than one."""
    samples = np.asarray(waveform, dtype=np.float64)
    if samples.ndim == 2 and len(samples) == 1:
        samples = samples[0]
    if samples.ndim != 1 or not len(samples):
        raise ValueError(f"one channel has the shape (time,) or (1, time), not {samples.shape}")
    return samples


def _image(levels, sample_rate, hop, start, rows, limits, colorbar, ax) -> Axes:
    """Draw levels with the middle of each cell at its time and row."""
    if levels.ndim != 2:
        raise ValueError(f"a spectrogram has the shape (row, frame), not {levels.shape}")
    ax = ax or plt.subplots()[1]
    step = hop / sample_rate
    columns = (start - step / 2, start + (levels.shape[1] - 0.5) * step)
    low, high = limits or (None, None)
    shown = {"vmin": low, "vmax": high, "origin": "lower", "aspect": "auto", "cmap": SEQUENTIAL}
    image = ax.imshow(levels, extent=(*columns, *rows), **shown)
    if colorbar:
        ax.figure.colorbar(image, ax=ax, label=LEVEL)
    return ax
