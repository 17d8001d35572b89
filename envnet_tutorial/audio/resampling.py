"""Change the sampling rate with a windowed sinc, by a table of filters where one fits into memory (lesson 1)."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from envnet_tutorial.errors import InputError

#: Zero crossings of the sinc on either side of its centre.
FILTER_WIDTH = 6
#: Cut-off as a share of the lower of the two Nyquist frequencies.
ROLLOFF = 0.99
#: What a decoded cache must have been made with to be used again.
RESAMPLER = f"windowed sinc, Hann, {FILTER_WIDTH} zero crossings, rolloff {ROLLOFF}"
#: A table has one filter for each phase; for rates without a common factor it would need gigabytes.
MAX_TABLE = 1 << 24
#: The most samples that one conversion may return.
MAX_VALUES = 2**29


def resample(waveform: Tensor, from_rate: int, to_rate: int) -> Tensor:
    """Convert a waveform to another sampling rate (lesson 1).

    The filter is a sinc with a Hann window (torchaudio's ``sinc_interp_hann``), 6 zero crossings a side, cut off
    at 0.99 of the lower Nyquist frequency: J. O. Smith, "Digital Audio Resampling", ccrma.stanford.edu/~jos/resample.

    Parameters
    ----------
    waveform : Tensor of float, shape (..., sample)
        The sound.
    from_rate, to_rate : int
        Rates in Hz.

    Returns
    -------
    Tensor, shape (..., ceil(sample * to_rate / from_rate))
        Bit by bit what `torchaudio.functional.resample` gives. Rates with so small a common factor that a table of
        filters would not fit into memory (44,099 to 16,000 Hz) get the same filter evaluated point by point.

    Raises
    ------
    InputError
        If a rate is below 1 Hz or the result would hold more than `MAX_VALUES` samples.
    """
    from_rate, to_rate = int(from_rate), int(to_rate)
    if min(from_rate, to_rate) < 1:
        raise InputError(f"sampling rates must be at least 1 Hz, got {from_rate} and {to_rate}")
    if from_rate == to_rate or not waveform.numel():
        return waveform
    if waveform.numel() * to_rate > MAX_VALUES * from_rate:
        raise InputError(
            f"{waveform.shape[-1]:,} samples at {from_rate:,} Hz are too many to convert to {to_rate:,} Hz"
        )
    divisor = math.gcd(from_rate, to_rate)
    source, target = from_rate // divisor, to_rate // divisor
    if target * (source + 2 * _half_width(source, target)) > MAX_TABLE:
        return _resample_pointwise(waveform, source, target)
    return _resample_by_table(waveform, source, target)


def _half_width(source: int, target: int) -> int:
    """Count the samples of the source that the filter reaches to either side."""
    return math.ceil(FILTER_WIDTH * source / (min(source, target) * ROLLOFF))


def _resample_by_table(waveform: Tensor, source: int, target: int) -> Tensor:
    """Convolve with one filter for each phase: `target` outputs for every `source` samples, again and again."""
    half, length = _half_width(source, target), -(-waveform.shape[-1] * target // source)
    table = _filter_table(source, target, half, waveform)
    rows = functional.pad(waveform.reshape(-1, 1, waveform.shape[-1]), (half, half + source))
    outputs = functional.conv1d(rows, table, stride=source)  # (row, phase, step)
    return outputs.transpose(1, 2).reshape(*waveform.shape[:-1], -1)[..., :length]


def _filter_table(source: int, target: int, half: int, like: Tensor) -> Tensor:
    """Evaluate the filter at each distance of an output from its samples, shape (phase, 1, tap).

    The order of the operations is torchaudio's, so that the last bit is too.
    """
    cutoff, kind = min(source, target) * ROLLOFF, {"dtype": like.dtype, "device": like.device}
    taps = torch.arange(-half, half + source, **kind)[None, None] / source
    phases = torch.arange(0, -target, -1, **kind)[:, None, None] / target
    distance = ((phases + taps) * cutoff).clamp(-FILTER_WIDTH, FILTER_WIDTH)  # in zero crossings
    window = torch.cos(distance * math.pi / FILTER_WIDTH / 2) ** 2
    angle = distance * math.pi
    sinc = torch.where(angle == 0, 1.0, angle.sin() / angle)
    return sinc * (window * (cutoff / source))


def _resample_pointwise(waveform: Tensor, source: int, target: int) -> Tensor:
    """Evaluate the filter anew at each output sample, in blocks: slower than a table, but small for any two rates."""
    half = _half_width(source, target)
    length = -(-waveform.shape[-1] * target // source)
    cutoff = min(source, target) * ROLLOFF / source  # in cycles per two source samples
    padded = functional.pad(waveform, (half, half + 1))  # (..., half + sample + half + 1)
    taps = torch.arange(2 * half + 1)
    block = max(1, (1 << 20) // len(taps))
    pieces = []
    for start in range(0, length, block):
        position = torch.arange(start, min(start + block, length)) * source  # in source samples times `target`
        whole = torch.div(position, target, rounding_mode="floor")
        offset = (taps - half)[None] - ((position - whole * target).double() / target)[:, None]  # (output, tap)
        phase = (offset * cutoff).clamp(-FILTER_WIDTH, FILTER_WIDTH)
        kernel = torch.sinc(phase) * torch.cos(phase * math.pi / FILTER_WIDTH / 2) ** 2 * cutoff
        windows = padded[..., whole[:, None] + taps]  # (..., output, tap)
        pieces.append((windows * kernel.to(waveform.dtype)).sum(dim=-1))
    return torch.cat(pieces, dim=-1)
