"""Samples as numbers: floats in [-1, 1], or the 16-bit integers that files and decoded sets hold (lesson 1)."""

import numpy as np
import torch
from torch import Tensor

from envnet_tutorial.errors import InputError

#: Full scale of a 16-bit sample.
INT16_SCALE = 1 << 15


def to_int16(waveform: Tensor | np.ndarray) -> np.ndarray:
    """Round float samples in [-1, 1] to int16 at full scale 32,768; peaks are clamped, never wrapped (lesson 1)."""
    scaled = np.rint(np.asarray(waveform, dtype=np.float32) * np.float32(INT16_SCALE))
    return np.clip(scaled, -INT16_SCALE, INT16_SCALE - 1).astype(np.int16)


def as_int16(waveform: Tensor | np.ndarray) -> np.ndarray:
    """Give a waveform as 16-bit samples: those are left as they are, floats in [-1, 1] are rounded by `to_int16`.

    Raises
    ------
    InputError
        If it holds other integers, or what is not a number.
    """
    values = np.asarray(waveform)
    if values.dtype == np.int16:
        return values
    return to_int16(finite(as_float(values).numpy()))


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
    return np.ascontiguousarray(finite(values).T)


def finite(samples: np.ndarray) -> np.ndarray:
    """Return samples as they are, unless one is no number."""
    if not np.isfinite(samples).all():
        raise InputError("the waveform holds samples that are not numbers (NaN or infinity)")
    return samples
