"""Write sound files and measure levels (lesson 1)."""

import io
import math
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from envnet_tutorial.errors import InputError
from envnet_tutorial.files import errors_of_disk, written_whole

#: Full scale of a 16-bit sample.
INT16_SCALE = 1 << 15


def to_int16(waveform: Tensor | np.ndarray) -> np.ndarray:
    """Round float samples in [-1, 1] to int16 at full scale 32,768; peaks are clamped, never wrapped (lesson 1)."""
    scaled = np.rint(np.asarray(waveform, dtype=np.float32) * np.float32(INT16_SCALE))
    return np.clip(scaled, -INT16_SCALE, INT16_SCALE - 1).astype(np.int16)


def as_float(waveform: Tensor | np.ndarray) -> Tensor:
    """Give a waveform as floats with full scale 1; 16-bit samples, as decoded sets hold them, are divided by 32,768."""
    values = torch.as_tensor(waveform).detach()
    if values.dtype == torch.int16:
        return values.to(torch.float32) / INT16_SCALE
    if not values.is_floating_point():
        raise InputError(f"a waveform holds floats in [-1, 1] or 16-bit integers, not {values.dtype}")
    return values


def as_frames(waveform: Tensor | np.ndarray) -> np.ndarray:
    """Check a waveform of shape (channel, sample) or (sample,) and give it as float32 (sample, channel)."""
    values = as_float(waveform).cpu().to(torch.float32).numpy()
    values = values[None] if values.ndim == 1 else values
    if values.ndim != 2 or not values.size:
        raise InputError(f"a waveform has the shape (channel, sample) and at least one sample, not {values.shape}")
    if not np.isfinite(values).all():
        raise InputError("the waveform holds samples that are not numbers (NaN or infinity)")
    return np.ascontiguousarray(values.T)


def write_audio(path: str | Path, waveform: Tensor | np.ndarray, sample_rate: int) -> Path:
    """Write a sound file whose format follows the name's ending; WAV and FLAC get 16 bits (lesson 1).

    Parameters
    ----------
    path : str or Path
        Ends in .wav, .flac, .ogg or .mp3. The file appears whole or not at all.
    waveform : Tensor or ndarray of float or int16, shape (channel, sample) or (sample,)
        In [-1, 1]; what lies beyond is clipped. What was read from 16 bits is written back bit by bit.
    sample_rate : int
        Rate in Hz.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the ending is unknown, the folder is not there or full, the waveform is empty or not finite, or the format
        cannot take this rate.
    """
    path = Path(path)
    kind = path.suffix[1:].upper()
    if kind not in ("WAV", "FLAC", "OGG", "MP3"):
        raise InputError(f"{path.name} should end in .wav, .flac, .ogg or .mp3")
    content = encode(as_frames(waveform), sample_rate, kind)
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}")
    with errors_of_disk(path), written_whole(path) as stream:
        stream.write(content)
    return path


def encode(frames: np.ndarray, sample_rate: int, kind: str) -> bytes:
    """Encode float32 (sample, channel) in memory."""
    stream = io.BytesIO()
    lossless = kind in ("WAV", "FLAC")
    try:
        soundfile.write(stream, to_int16(frames) if lossless else frames.clip(-1, 1), sample_rate, format=kind)
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        raise InputError(f"{kind} cannot hold {frames.shape[1]} channels at {sample_rate} Hz ({error})") from error
    return stream.getvalue()


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
    values = as_float(waveform).to(torch.float64)
    if not values.numel() or not bool(torch.isfinite(values).all()):
        raise InputError("a level needs at least one sample, and all of them finite")
    rms = float(values.square().mean().sqrt())
    return 20 * math.log10(rms) if rms else -math.inf
