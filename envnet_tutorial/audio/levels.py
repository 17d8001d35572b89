"""How loud waveforms are: as they are, as the ear weights them, and brought nearer to each other (lessons 1, 4 and 6).

All functions but `level` take a whole batch of waveforms as one tensor, on any device.
"""

import math

import numpy as np
import torch
from torch import Tensor

from envnet_tutorial.audio.samples import as_float
from envnet_tutorial.errors import InputError
from envnet_tutorial.formats import in_float64
from envnet_tutorial.settings import CLIP_RATE

FLOOR_DB = -80.0
#: Level in dB, where full scale is 0, that `compress_levels` brings others nearer to.
COMMON_LEVEL_DB = -20.0
#: No level counts as lower in `compress_levels`, so that next to nothing is not made loud.
QUIETEST_DB = -60.0


def level(waveform: Tensor | np.ndarray) -> float:
    """Measure the level of a waveform: its root mean square in dB relative to full scale (lesson 1).

    Parameters
    ----------
    waveform : Tensor or ndarray of float or int16, any shape
        In [-1, 1].

    Returns
    -------
    float
        ``20 log10(rms)`` in dBFS: 0 for a full-scale square wave, -3.01 for a full-scale sine, -inf for silence.

    Raises
    ------
    InputError
        If the waveform is empty or not finite.
    """
    values = in_float64(as_float(waveform))
    if not values.numel() or not bool(torch.isfinite(values).all()):
        raise InputError("a level needs at least one sample, and all of them finite")
    rms = float(values.square().mean().sqrt())
    return 20 * math.log10(rms) if rms else -math.inf


def compress_levels(waveforms: Tensor, ratio: float) -> Tensor:
    """Bring loud and quiet windows nearer to each other, as a compressor with one gain for a whole window (lesson 4).

    Parameters
    ----------
    waveforms : Tensor of float32, shape (..., time)
    ratio : float
        What differences between levels are divided by; 1 changes nothing, infinity makes all windows equally loud.

    Returns
    -------
    Tensor of float32, shape (..., time)
        Each window with the level ``c + (L - c) / ratio`` dB, where L is the root mean square level that it had and c
        is `COMMON_LEVEL_DB`. A window below `QUIETEST_DB` gets the gain of one with that level.
    """
    floor = 10 ** (QUIETEST_DB / 20)
    level = 20 * waveforms.square().mean(dim=-1, keepdim=True).sqrt().clamp(min=floor).log10()
    return waveforms * 10 ** ((1 - 1 / ratio) * (COMMON_LEVEL_DB - level) / 20)


def a_weighting(frequencies: Tensor) -> Tensor:
    """Return how much less the ear makes of a frequency than of 1 kHz: the A curve of IEC 61672 (lesson 6).

    Parameters
    ----------
    frequencies : Tensor
        Frequencies in Hz.

    Returns
    -------
    Tensor
        Weight in dB, 0 at 1 kHz, no lower than -80.
    """
    square = in_float64(frequencies).square().clamp(min=1.0)
    low, high = 20.6**2, 12_194.0**2
    response = high * square**2 / ((square + low) * (square + high))
    response = response / ((square + 107.7**2) * (square + 737.9**2)).sqrt()
    return (20 * response.log10() + 2.0).clamp(min=FLOOR_DB)


def a_weighted_level(waveforms: Tensor, sample_rate: int) -> Tensor:
    """Measure how loud each waveform is at its loudest, weighted as the ear does (lesson 6).

    Parameters
    ----------
    waveforms : Tensor of float32, shape (batch, time)
    sample_rate : int
        Sampling rate in Hz.

    Returns
    -------
    Tensor, shape (batch,)
        Largest level in dB over windows of 2,048 samples (4,096 at 44.1 kHz), hop half a window, floor -80 dB. Its
        zero is that of the reference code, a spectrum's energy of 1; only differences between levels have a meaning.

    Raises
    ------
    ValueError
        If the waveforms are shorter than one window.
    """
    size = 4096 if sample_rate == CLIP_RATE else 2048
    if waveforms.shape[1] < size:
        raise ValueError(f"a level needs at least {size:,} samples; got {waveforms.shape[1]:,}")
    frames = waveforms.unfold(1, size, size // 2)  # (batch, frame, size)
    window = torch.hann_window(size, device=waveforms.device)
    energy = torch.fft.rfft(frames * window).abs().square()  # (batch, frame, frequency)
    weight = 10 ** (a_weighting(torch.fft.rfftfreq(size, 1 / sample_rate)) / 10)
    loudest = (energy @ weight.to(energy)).amax(dim=1)
    return 10 * loudest.clamp(min=10 ** (FLOOR_DB / 10)).log10()
