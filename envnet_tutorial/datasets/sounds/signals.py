"""What the sounds are made of: noise, pulse trains, envelopes, wandering curves, struck modes, events in time.

All waveforms are float64 at 44.1 kHz; times are in seconds, frequencies in Hz.
"""

import numpy as np

from envnet_tutorial.datasets.sounds.filters import Response, apply_response, fast_length, smooth_magnitude
from envnet_tutorial.settings import CLIP_RATE, CLIP_SECONDS

#: Samples of one clip.
CLIP_SAMPLES = CLIP_RATE * CLIP_SECONDS


def samples(seconds: float) -> int:
    """Return the number of samples in a duration, at least one."""
    return max(1, round(seconds * CLIP_RATE))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform: the even choice among pitches, rates and durations."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def from_decibels(decibels: float) -> float:
    """Return the amplitude ratio of a level in dB."""
    return 10 ** (decibels / 20)


def noise(rng: np.random.Generator, length: int, response: Response | None = None) -> np.ndarray:
    """Draw Gaussian noise with the spectrum of a response, root mean square 1, shape (length,)."""
    if response is None:
        return rng.standard_normal(length)
    size = fast_length(length)
    gain = smooth_magnitude(response, size)
    gain[0] = 0.0  # no offset
    draws = rng.standard_normal(2 * len(gain)).view(np.complex128)
    wave = np.fft.irfft(draws * gain, size)[:length]
    return wave / np.sqrt(np.mean(wave**2))


def drift(rng: np.random.Generator, length: int, rate: float) -> np.ndarray:
    """Draw a curve that wanders smoothly between independent N(0, 1) knots, `rate` knots a second, shape (length,)."""
    start, step = rng.uniform(), rate / CLIP_RATE
    knots = rng.standard_normal(int(start + length * step) + 2)
    # Cosine flanks, drawn with 16 points each: enough for the ear, and quicker than a cosine a sample.
    blend = 0.5 - 0.5 * np.cos(np.pi * np.arange(16) / 16)
    curve = (knots[:-1, None] * (1 - blend) + knots[1:, None] * blend).ravel()
    return np.interp((start + np.arange(length) * step) * 16, np.arange(len(curve)), curve)


def contour(times: list[float], values: list[float], length: int) -> np.ndarray:
    """Join points by straight lines; `times` run from 0 to 1 over `length` samples."""
    return np.interp(np.linspace(0, 1, length), times, values)


def hump(length: int, rise: float, fall: float) -> np.ndarray:
    """Return an envelope with raised-cosine flanks: `rise` and `fall` in seconds, 1 in between."""
    position = np.arange(length) / CLIP_RATE
    up = np.clip(position / rise, 0, 1)
    down = np.clip((length / CLIP_RATE - position) / fall, 0, 1)
    return (0.5 - 0.5 * np.cos(np.pi * up)) * (0.5 - 0.5 * np.cos(np.pi * down))


def phase_of(frequency: np.ndarray, start: float = 0.0) -> np.ndarray:
    """Integrate a frequency in Hz, shape (time,), to a phase in radians."""
    return start + 2 * np.pi * np.cumsum(frequency) / CLIP_RATE


def pulse_train(frequency: np.ndarray, brightness: np.ndarray | float, start: float = 0.0) -> np.ndarray:
    """Sum the harmonics of a gliding fundamental, harmonic k with amplitude brightness**k, without aliasing.

    The buzz of vocal folds, a rotor or an engine before any resonance. The finite geometric series has a closed form,
    so the cost does not depend on the number of harmonics.

    Parameters
    ----------
    frequency : ndarray of float64, shape (time,)
        Fundamental in Hz.
    brightness : ndarray of float64, shape (time,), or float
        Ratio of successive harmonics, between 0 (a sine) and 1 (a click train).
    start : float
        Initial phase in radians.

    Returns
    -------
    ndarray of float64, shape (time,)

    References
    ----------
    Moorer 1976, discrete summation formulae.
    """
    count = max(1, int(0.45 * CLIP_RATE / frequency.max()))
    phase = phase_of(frequency, start)
    ratio = np.clip(brightness, 0.0, 0.995)
    train = ratio * np.sin(phase)
    if np.max(ratio) ** count > 1e-5:  # else the series has died away before the last harmonic
        train -= ratio ** (count + 1) * (np.sin((count + 1) * phase) - ratio * np.sin(count * phase))
    return train * np.sqrt(1 - ratio**2) / (1 - 2 * ratio * np.cos(phase) + ratio**2)


def struck(modes: np.ndarray, decays: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Sum damped sines: what a small solid body does after a blow.

    Parameters
    ----------
    modes, decays, gains : ndarray of float64, shape (mode,)
        Frequency in Hz, time constant in seconds and amplitude of each mode.

    Returns
    -------
    ndarray of float64, shape (time,)
        Eight of the longest time constant.
    """
    time = np.arange(samples(8 * decays.max())) / CLIP_RATE
    ringing = np.exp(-time / decays[:, None]) * np.sin(2 * np.pi * modes[:, None] * time)
    return gains @ ringing


def add_at(line: np.ndarray, event: np.ndarray, time: float) -> None:
    """Add an event to a time line, in place, at a time in seconds; what falls outside is cut."""
    first = round(time * CLIP_RATE)
    skip = max(0, -first)
    event = event[skip : len(line) - first] if first < len(line) else event[:0]
    line[first + skip : first + skip + len(event)] += event


def poisson_impulses(rng: np.random.Generator, length: int, rate: float, tail: float) -> np.ndarray:
    """Scatter impulses at `rate` a second with random signs and Pareto amplitudes, shape (length,).

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    length : int
        Samples.
    rate : float
        Impulses a second.
    tail : float
        Pareto exponent: the smaller, the rarer and louder the loudest.

    Returns
    -------
    ndarray of float64, shape (length,)
    """
    count = max(1, rng.poisson(rate * length / CLIP_RATE))
    sizes = np.minimum(1 + rng.pareto(tail, count), 60.0) * rng.choice([-1.0, 1.0], count)
    return np.bincount(rng.integers(0, length, count), weights=sizes, minlength=length)


def normalised(wave: np.ndarray) -> np.ndarray:
    """Scale a waveform to a peak of 1 (silence stays silence)."""
    return wave / max(float(np.abs(wave).max()), 1e-12)


def filtered_burst(rng: np.random.Generator, seconds: float, response: Response, envelope: np.ndarray) -> np.ndarray:
    """Shape white noise in time by an envelope and then in frequency by a response, peak 1."""
    length = samples(seconds)
    return normalised(apply_response(noise(rng, length) * envelope[:length], response, tail=samples(0.02)))
