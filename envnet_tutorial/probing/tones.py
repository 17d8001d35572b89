"""The pure tones that filters are probed with (lesson 5)."""

import math

import torch
from torch import Tensor

from envnet_tutorial.audio.spectrograms import hz_to_mel, mel_to_hz

SCALES = ("mel", "log", "linear")


def probe_frequencies(count: int, low: float, high: float, *, scale: str = "mel") -> Tensor:
    """Space frequencies evenly on a scale, both ends included (lesson 5).

    Parameters
    ----------
    count : int
        Number of frequencies, at least 2.
    low, high : float
        First and last frequency in Hz.
    scale : {"mel", "log", "linear"}, default "mel"
        Scale on which neighbours have equal distances.

    Returns
    -------
    Tensor of float64, shape (frequency,)
        Frequencies in Hz.

    Raises
    ------
    ValueError
        If the range is empty, the scale is unknown, or a logarithmic one starts at 0 Hz.
    """
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(SCALES)}; got {scale!r}")
    if count < 2 or not 0 <= low < high or (scale == "log" and low == 0):
        raise ValueError(f"cannot space {count} frequencies from {low} to {high} Hz on a {scale} scale")
    if scale == "mel":
        return mel_to_hz(torch.linspace(float(hz_to_mel(low)), float(hz_to_mel(high)), count, dtype=torch.float64))
    if scale == "log":
        return torch.logspace(math.log10(low), math.log10(high), count, dtype=torch.float64)
    return torch.linspace(low, high, count, dtype=torch.float64)


def sine_probes(
    frequencies: Tensor, num_samples: int, sample_rate: int, *, amplitude: float = 0.5, num_phases: int = 4
) -> Tensor:
    """Make pure tones, each at several phases (lesson 5).

    Parameters
    ----------
    frequencies : Tensor, shape (frequency,)
        In Hz. Above half the sampling rate a tone aliases: its samples are those of a lower one.
    num_samples : int
        Length in samples.
    sample_rate : int
        Rate in Hz.
    amplitude : float, default 0.5
        Peak, where full scale is 1.
    num_phases : int, default 4
        Phases, evenly spaced over one period.

    Returns
    -------
    Tensor of float32, shape (frequency, phase, time)
    """
    if num_samples < 1 or num_phases < 1 or sample_rate <= 0:
        raise ValueError(f"got {num_samples} samples, {num_phases} phases, {sample_rate} Hz: all must be positive")
    time = torch.arange(num_samples, dtype=torch.float64) / sample_rate
    phases = 2 * math.pi * torch.arange(num_phases, dtype=torch.float64) / num_phases
    angle = 2 * math.pi * torch.as_tensor(frequencies, dtype=torch.float64)[:, None, None] * time
    return (amplitude * torch.sin(angle + phases[:, None])).float()
