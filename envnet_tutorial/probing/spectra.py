"""The filters' own frequency responses, computed from their weights: the independent check on the probes (lesson 5)."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def normalised_kernels(block: nn.Module) -> Tensor:
    """Return a block's kernels (filter, channel, taps), times the scale that batch norm gives them in eval mode."""
    conv, norm = block.module[0], block.module[1]
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (conv.weight[:, :, 0] * scale[:, None, None]).detach().double().cpu()


def first_kernels(model: nn.Module) -> Tensor:
    """Return the filters of ``conv1`` with the scale of its batch norm, float64, shape (filter, taps) (lesson 5)."""
    return normalised_kernels(model.feature_conv.conv1)[:, 0]


def composite_kernels(model: nn.Module) -> Tensor:
    """Merge ``conv1`` and ``conv2`` into one filter each, as if there were no ReLU between them (lesson 5).

    Parameters
    ----------
    model : nn.Module
        A network whose ``feature_conv`` begins with two `ConvBlock` of stride 1, such as `EnvNet`.

    Returns
    -------
    Tensor of float64, shape (filter, taps)
        For EnvNet 40 filters of 8 + 8 - 1 = 15 taps: ``k[i, n] = sum over j, a of w2[i, j, a] w1[j, n - a]``.

    Raises
    ------
    ValueError
        If one of the two convolutions has a stride: then the pair is no single filter.
    """
    convs = [model.feature_conv.conv1.module[0], model.feature_conv.conv2.module[0]]
    if any(conv.stride[-1] != 1 for conv in convs):
        raise ValueError("two convolutions are one filter only where both have stride 1")
    first, second = first_kernels(model), normalised_kernels(model.feature_conv.conv2)  # (j, taps1), (i, j, taps2)
    # conv1d correlates; with the second kernels flipped and the first ones padded it convolves the two.
    return functional.conv1d(first[None], second.flip(-1), padding=second.shape[-1] - 1)[0]


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
