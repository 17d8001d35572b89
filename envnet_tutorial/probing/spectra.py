"""The filters' own frequency responses, computed from their weights: the independent check on the probes (lesson 5)."""

import torch
from torch import Tensor
from torch.nn import functional

from envnet_tutorial.models.base import WaveformNetwork
from envnet_tutorial.models.layers import ConvBlock


def normalised_kernels(block: ConvBlock) -> Tensor:
    """Return a block's kernels (filter, channel, taps), times the scale that batch norm gives them in eval mode."""
    conv, norm = block.module[0], block.module[1]
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (conv.weight[:, :, 0] * scale[:, None, None]).detach().cpu().double()


def composite_kernels(model: WaveformNetwork) -> Tensor:
    """Merge the first convolutions into one filter each, as if there were no ReLU between them (lesson 5).

    Parameters
    ----------
    model : WaveformNetwork
        One whose `linear_stages` are known: for `EnvNet` and `EnvNetV2` two `ConvBlock`, of any stride.

    Returns
    -------
    Tensor of float64, shape (filter, taps)
        Of two blocks ``k[i, n] = sum over j, a of w2[i, j, a] w1[j, n - s1 a]``, with s1 the stride of the first: it
        spreads the taps of the second. For EnvNet 40 filters of 8 + 7 = 15 taps, for EnvNet-v2 64 filters of
        64 + 15 x 2 = 94 taps.

    Raises
    ------
    ValueError
        If the network begins otherwise.

    Notes
    -----
    The pair's outputs are those of this filter at every ``s1 s2``-th sample, s2 being the stride of ``conv2``. So its
    `frequency_response` is exact up to half of the input's rate. The outputs themselves are samples at rate / (s1 s2),
    for EnvNet-v2 at 11,025 Hz: a tone above 5.5 kHz stands in them as a lower one, of the same amplitude. The largest
    of 64 such samples is within 0.12 % of that amplitude where they fall on 64 phases of the tone. Where they fall on
    few, next to multiples of 5,512.5 Hz, the maximum depends on the phase at which the tone began.
    """
    stages = model.linear_stages()
    if not stages:
        raise ValueError(f"{model.title} does not begin with a chain of ConvBlocks: its filters cannot be merged")
    merged, stride = torch.ones(1, 1, 1, dtype=torch.float64), 1  # (filter, 1, taps): the waveform itself
    for stage in stages:
        # A transposed convolution lays a copy of what is merged so far at every stride-th sample, times the tap there.
        merged = functional.conv_transpose1d(normalised_kernels(stage), merged, stride=stride)
        stride *= stage.module[0].stride[-1]
    return merged[:, 0]


def frequency_response(kernels: Tensor, frequencies: Tensor, sample_rate: int) -> Tensor:
    """Compute how much each kernel amplifies a tone (lesson 5).

    Parameters
    ----------
    kernels : Tensor, shape (filter, taps)
    frequencies : Tensor, shape (frequency,)
        In Hz.
    sample_rate : int
        Rate in Hz.

    Returns
    -------
    Tensor of float64, shape (filter, frequency)
        ``|sum over n of k[n] exp(-2 pi i f n / rate)|``: amplitude out over amplitude in.
    """
    taps = torch.arange(kernels.shape[-1], dtype=torch.float64)
    angle = -2 * torch.pi * torch.as_tensor(frequencies, dtype=torch.float64)[:, None] * taps / sample_rate
    return (kernels.to(torch.complex128) @ torch.polar(torch.ones_like(angle), angle).T).abs()
