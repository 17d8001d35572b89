"""Convolution arithmetic, and a walk through a network that notes the shape behind every layer (lessons 2 and 3).

The arithmetic follows V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning",
arXiv:1603.07285; the receptive field follows A. Araujo, W. Norris and J. Sim, "Computing receptive fields of
convolutional neural networks", Distill 2019, doi:10.23915/distill.00021.
"""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn


def conv_output_length(length: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Count the positions at which a kernel fits along one axis (lesson 2).

    Parameters
    ----------
    length : int
        Input length in samples.
    kernel, stride, padding, dilation : int
        As `torch.nn.Conv1d` takes them; padding is added on both sides.

    Returns
    -------
    int
        ``floor((length + 2 padding - dilation (kernel - 1) - 1) / stride) + 1``

    Raises
    ------
    ValueError
        If an argument is out of range or the kernel does not fit once.
    """
    if min(length, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(
            "length, kernel, stride and dilation must be at least 1 and padding at least 0; got "
            f"length={length}, kernel={kernel}, stride={stride}, padding={padding}, dilation={dilation}"
        )
    span = dilation * (kernel - 1) + 1
    if length + 2 * padding < span:
        raise ValueError(f"a kernel that spans {span} samples does not fit into {length} + 2 x {padding} samples")
    return (length + 2 * padding - span) // stride + 1


def overlapping_samples_post_conv(num_sample: int, filter_size: int) -> int:
    """Estimate how many samples a valid convolution removes, the way the original tutorial does (lesson 3).

    Parameters
    ----------
    num_sample : int
        Samples given, in the tutorial one second of them.
    filter_size : int
        Taps of the filter.

    Returns
    -------
    int
        ``num_sample // (num_sample // filter_size) - 1``

    Raises
    ------
    ValueError
        If the filter is empty or longer than the signal.

    Notes
    -----
    It equals the exact ``filter_size - 1`` only as long as the inner division leaves a small enough remainder:
    (16000, 8) gives 7, but (100, 30) gives 32 where the convolution removes 29.
    """
    if not 1 <= filter_size <= num_sample:
        raise ValueError(f"filter_size must lie between 1 and num_sample = {num_sample}, got {filter_size}")
    return num_sample // (num_sample // filter_size) - 1


@dataclass(frozen=True)
class ReceptiveField:
    """How much of the waveform one output position sees, and how far apart two neighbours are, in input samples."""

    size: int = 1
    step: int = 1

    def after(self, kernel: int, stride: int, dilation: int) -> "ReceptiveField":
        """Return the field behind one more convolution or pooling."""
        return ReceptiveField(self.size + dilation * (kernel - 1) * self.step, self.step * stride)


def _time_window(layer: nn.Module) -> tuple[int, int, int] | None:
    """Kernel, stride and dilation of a layer along its last axis, None if it looks at one position only."""
    if not hasattr(layer, "kernel_size") or not hasattr(layer, "stride"):
        return None

    def last(value):
        return value[-1] if isinstance(value, (tuple, list)) else value

    return last(layer.kernel_size), last(layer.stride), last(getattr(layer, "dilation", 1))
