"""The hand-made feature: decibels and the log-mel spectrogram that EnvNet's first layers replace (lesson 1)."""

import functools

import torch
from torch import Tensor
from torchaudio.transforms import MelSpectrogram

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
    transform = _mel_transform(sample_rate, window, hop, num_bands).to(waveform.device)
    missing = transform.n_fft - hop
    padded = torch.nn.functional.pad(waveform, (missing // 2, missing - missing // 2))
    return decibels(transform(padded), reference=(float(transform.spectrogram.window.sum()) / 2) ** 2, floor=floor)


@functools.lru_cache(maxsize=16)
def _mel_transform(sample_rate: int, window: int, hop: int, num_bands: int) -> MelSpectrogram:
    """Make torchaudio's transform, on a Fourier length that is a power of two."""
    return MelSpectrogram(
        sample_rate,
        n_fft=1 << (window - 1).bit_length(),
        win_length=window,
        hop_length=hop,
        n_mels=num_bands,
        center=False,
    )
