"""The hand-made feature: decibels and the log-mel spectrogram that EnvNet's first layers replace (lesson 1)."""

import functools

import torch
from torch import Tensor
from torch.nn import functional

#: Quietest level that is kept, in dB relative to a full-scale sine.
FLOOR = -100.0


def decibels(power: Tensor, *, reference: float = 1.0, floor: float = FLOOR) -> Tensor:
    """Turn power into level: ``10 log10(power / reference)``, and no less than `floor` (lesson 1).

    Parameters
    ----------
    power : Tensor of float, any shape
        Squared magnitudes; zero is allowed.
    reference : float
        The power that counts as 0 dB.
    floor : float
        Level in dB below which everything becomes `floor`.

    Returns
    -------
    Tensor
        Levels in dB, same shape.
    """
    return 10 * torch.log10((power / reference).clamp(min=10 ** (floor / 10)))


def hz_to_mel(frequency):
    """Convert Hz to mel by O'Shaughnessy's formula, 2595 log10(1 + f / 700) (lesson 1)."""
    return 2595 * torch.log10(1 + torch.as_tensor(frequency, dtype=torch.float64) / 700)


def mel_to_hz(mel):
    """Convert mel to Hz, the inverse of `hz_to_mel`."""
    return 700 * (10 ** (torch.as_tensor(mel, dtype=torch.float64) / 2595) - 1)


def mel_triangles(num_bands: int, frequencies: Tensor, sample_rate: int) -> Tensor:
    """Evaluate the triangles of a mel filter bank at given frequencies (lesson 1).

    Parameters
    ----------
    num_bands : int
        Triangles, at equal distances on the mel scale of `hz_to_mel` from 0 Hz to half the rate. Each begins and ends
        at its neighbours' peaks.
    frequencies : Tensor, shape (frequency,)
        In Hz.
    sample_rate : int
        Rate in Hz.

    Returns
    -------
    Tensor of float64, shape (band, frequency)
        From 0 to 1, the peak of each triangle.
    """
    top = float(hz_to_mel(sample_rate / 2))
    corners = mel_to_hz(torch.linspace(0, top, num_bands + 2, dtype=torch.float64))[:, None]
    width, beyond = corners.diff(dim=0), frequencies.double() - corners  # (corner, frequency)
    return torch.minimum(beyond[:-2] / width[:-1], -beyond[2:] / width[1:]).clamp(min=0)


def log_mel(
    waveform: Tensor,
    sample_rate: int,
    *,
    num_bands: int = 40,
    hop_seconds: float = 0.010,
    window_seconds: float = 0.025,
    floor: float = FLOOR,
) -> Tensor:
    """Compute a log-mel spectrogram with one frame for each whole hop (lesson 1).

    Parameters
    ----------
    waveform : Tensor of float, shape (..., time)
        Samples in [-1, 1].
    sample_rate : int
        Rate in Hz.
    num_bands : int
        Triangular filters, evenly spaced from 0 Hz to half the rate on the mel scale ``2595 log10(1 + f / 700)``.
    hop_seconds, window_seconds : float
        Step from frame to frame, and length of the Hann window. The default, 10 and 25 ms, is the usual one.
    floor : float
        Quietest level that is kept, in dB.

    Returns
    -------
    Tensor, shape (..., band, frame)
        dB relative to a full-scale sine; ``time // hop`` frames, so 1.5 s give 150. The signal is taken as zero
        before its beginning and after its end.

    Raises
    ------
    ValueError
        If the waveform is shorter than one hop, or the window shorter than the hop.
    """
    hop, window = round(hop_seconds * sample_rate), round(window_seconds * sample_rate)
    if waveform.shape[-1] < hop or not 0 < hop <= window:
        raise ValueError(f"{waveform.shape[-1]} samples, a window of {window} and a hop of {hop} give no frame")
    early, both = (fourier_length(window) - hop) // 2 - around_window(window)[0], window - hop
    padded = functional.pad(waveform, (early, both - early))
    return log_mel_frames(padded, sample_rate, num_bands=num_bands, hop=hop, window=window, floor=floor)


def log_mel_frames(
    waveform: Tensor, sample_rate: int, *, num_bands: int = 40, hop: int, window: int, floor: float = FLOOR
) -> Tensor:
    """Compute a log-mel spectrogram with one frame for each window that lies within the signal (lesson 6).

    Parameters
    ----------
    waveform, sample_rate, num_bands, floor
        As for `log_mel`.
    hop, window : int
        Step from frame to frame, and length of the Hann window, in samples.

    Returns
    -------
    Tensor, shape (..., band, frame)
        dB relative to a full-scale sine; ``(time - window) // hop + 1`` frames.

    Raises
    ------
    ValueError
        If the waveform is shorter than a window.
    """
    if waveform.shape[-1] < window:
        raise ValueError(f"{waveform.shape[-1]} samples are no window of {window}")
    size = fourier_length(window)
    hann, triangles = _hann_and_triangles(sample_rate, window, num_bands, waveform.device)
    # The Fourier transform takes more samples than the window; what stands outside the window is multiplied by zero.
    padded = functional.pad(waveform, around_window(window)).reshape(-1, waveform.shape[-1] + size - window)
    bins = torch.stft(padded, size, hop, window, hann, center=False, return_complex=True)  # (signal, bin, frame)
    bands = (bins.abs().square().transpose(1, 2) @ triangles).transpose(1, 2)  # (signal, band, frame)
    full_scale = (window / 4) ** 2  # of a sine, since a Hann window has a mean of one half
    return decibels(bands.reshape(*waveform.shape[:-1], *bands.shape[1:]), reference=full_scale, floor=floor)


def fourier_length(window: int) -> int:
    """Return the length of the Fourier transform: the power of two that holds a window."""
    return 1 << (window - 1).bit_length()


def around_window(window: int) -> tuple[int, int]:
    """Return how many samples of the Fourier transform stand before and behind its window."""
    outside = fourier_length(window) - window
    return outside // 2, outside - outside // 2


@functools.lru_cache(maxsize=16)
def _hann_and_triangles(sample_rate: int, window: int, num_bands: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Make the Hann window and the mel triangles, shape (bin, band), on a device.

    They outlive whoever asks first, so that nobody's inference mode or default device may mark them.
    """
    with torch.inference_mode(False), torch.device("cpu"):
        frequencies = torch.linspace(0, sample_rate / 2, fourier_length(window) // 2 + 1, dtype=torch.float64)
        triangles = mel_triangles(num_bands, frequencies, sample_rate).T.float()
        return torch.hann_window(window).to(device), triangles.to(device)
