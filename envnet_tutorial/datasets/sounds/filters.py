"""Filters drawn as frequency responses and applied by FFT: formants, bands, tilts (see lesson 2)."""

from collections.abc import Callable, Sequence

import numpy as np

from envnet_tutorial.settings import CLIP_RATE

#: A frequency response: frequencies in Hz, shape (bin,), to real or complex gains of the same shape.
Response = Callable[[np.ndarray], np.ndarray]

#: Below this frequency slopes stop falling or rising, so that no response has a pole at 0 Hz.
LOWEST = 20.0


def apply_response(wave: np.ndarray, response: Response, tail: int = 0) -> np.ndarray:
    """Filter a waveform by multiplying its spectrum.

    Parameters
    ----------
    wave : ndarray of float64, shape (time,)
        Waveform at 44.1 kHz.
    response : callable
        Gains at frequencies in Hz; complex gains of a causal system keep the result causal.
    tail : int
        Samples of ringing to keep after the end.

    Returns
    -------
    ndarray of float64, shape (time + tail,)
    """
    kept = len(wave) + tail
    size = fast_length(kept + 2_048)
    frequencies = np.fft.rfftfreq(size, 1 / CLIP_RATE)
    return np.fft.irfft(np.fft.rfft(wave, size) * response(frequencies), size)[:kept]


def fast_length(length: int) -> int:
    """Return the least power of two, or three quarters of one, of at least `length`: sizes that an FFT likes."""
    power = 1 << (max(length, 4) - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= length else power


def smooth_magnitude(response: Response, size: int) -> np.ndarray:
    """Return the magnitude of a response at the bins of an FFT of `size`, read off a curve of 1,000 points.

    Roots and powers of 100,000 bins would take longer than the FFT itself.
    """
    frequencies = np.fft.rfftfreq(size, 1 / CLIP_RATE)
    points = np.concatenate([[0.0], np.geomspace(1.0, CLIP_RATE / 2, 1_000)])
    return np.interp(frequencies, points, np.abs(response(points)))


def resonance(frequencies: np.ndarray, centre: float, bandwidth: float) -> np.ndarray:
    """Return the complex response of a damped mass on a spring, 1 at 0 Hz and centre/bandwidth at its centre (Hz)."""
    return centre**2 / (centre**2 - frequencies**2 + 1j * frequencies * bandwidth)


def vocal_tract(formants: Sequence[float], bandwidths: Sequence[float]) -> Response:
    """Chain one resonance a formant, as in a cascade formant synthesiser.

    A throat and mouth are a tube: its resonances, the formants, pass what the vocal folds send and shape the vowel.

    Parameters
    ----------
    formants, bandwidths : sequence of float
        Centre and -3 dB width of each formant in Hz.

    Returns
    -------
    callable
        The frequency response.

    References
    ----------
    Klatt 1980, https://doi.org/10.1121/1.383940.
    """

    def response(frequencies: np.ndarray) -> np.ndarray:
        gain = np.ones(len(frequencies), dtype=np.complex128)
        for centre, bandwidth in zip(formants, bandwidths, strict=True):
            gain *= resonance(frequencies, centre, bandwidth)
        # A cascade of low-passes falls away above its last formant; lips radiate highs better: the last factor.
        return gain * (frequencies + 200.0) / (formants[0] + 200.0)

    return response


def band(low: float, high: float, order: int = 2) -> Response:
    """Return the magnitude of a Butterworth band pass from `low` to `high` Hz; 0 or infinity leaves that side open."""

    def response(frequencies: np.ndarray) -> np.ndarray:
        bottom = 1 / (1 + (low / np.maximum(frequencies, 1e-3)) ** (2 * order))
        top = 1 / (1 + (frequencies / high) ** (2 * order))
        return np.sqrt(bottom * top)

    return response


def tilt(decibels_per_octave: float, pivot: float = 1_000.0) -> Response:
    """Return a constant slope in dB per octave, 0 dB at `pivot` Hz."""
    exponent = decibels_per_octave / (20 * np.log10(2))

    def response(frequencies: np.ndarray) -> np.ndarray:
        return (np.maximum(frequencies, LOWEST) / pivot) ** exponent

    return response


def cascade(*responses: Response) -> Response:
    """Return the product of several responses: filters in a row."""

    def response(frequencies: np.ndarray) -> np.ndarray:
        gain = responses[0](frequencies)
        for following in responses[1:]:
            gain = gain * following(frequencies)
        return gain

    return response
