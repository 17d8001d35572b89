"""Batch norm folded into the convolution before it, its batch statistics without the convolution (lesson 4).

The mean and variance of `w . window` over all windows of a signal are `w . mean` and `w . C w`, where C is the
covariance of the windows: 8 x 8 for EnvNet's first layer. So the statistics of conv1's 40 outputs, and their gradients,
follow from 8 means and 36 covariances.

Where several processes share a batch, these few sums are all that they have to tell each other.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from envnet_tutorial.formats import in_float64


def window_moments(
    x: Tensor, taps: int, sum_over_processes: Callable[[Tensor], Tensor] | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mean and covariance of all windows of some length (lesson 4).

    Most windows are counted ``taps`` at a time: a row of ``2 taps - 1`` samples holds that many windows, and their
    second moments are blocks on the diagonal of the row's.

    Parameters
    ----------
    x : Tensor, shape (batch, time)
        Waveforms.
    taps : int
        Length of the windows, in samples.
    sum_over_processes : callable, optional
        Adds up a tensor over the processes that share the batch.

    Returns
    -------
    mean : Tensor of float64, shape (taps,)
    covariance : Tensor of float64, shape (taps, taps)
        Divided by the number of windows. In float64, because the variance behind a high-pass filter is a small
        difference of large numbers; on the processor where the device has no float64.
    count : Tensor of float64, scalar
        Number of windows.
    """
    rows = x.unfold(1, 2 * taps - 1, taps)  # (batch, row, 2 taps - 1)
    rest = in_float64(x[:, rows.shape[1] * taps :].unfold(1, taps, 1).flatten(0, 1))  # (fewer than taps a clip, taps)
    rows = in_float64(rows.flatten(0, 1))
    gram, sums = rows.T @ rows, rows.sum(dim=0)
    second = sum(gram[place : place + taps, place : place + taps] for place in range(taps)) + rest.T @ rest
    first = sums.unfold(0, taps, 1).sum(dim=0) + rest.sum(dim=0)
    count = first.new_full((), len(x) * (x.shape[1] - taps + 1))
    if sum_over_processes is not None:
        packed = sum_over_processes(torch.cat([second.flatten(), first, count[None]]))
        second, first, count = packed[: taps * taps].view(taps, taps), packed[-taps - 1 : -1], packed[-1]
    mean = first / count
    return mean, second / count - torch.outer(mean, mean), count


def update_running(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, count: Tensor) -> None:
    """Update running statistics as `torch.nn.BatchNorm2d` does, with the unbiased variance."""
    if norm.running_mean is None:
        return
    norm.num_batches_tracked += 1
    momentum = norm.momentum if norm.momentum is not None else 1.0 / float(norm.num_batches_tracked)
    unbiased = variance * (count / (count - 1))
    norm.running_mean.lerp_(mean.detach().to(norm.running_mean), momentum)
    norm.running_var.lerp_(unbiased.detach().to(norm.running_var), momentum)


def fold_norm(x: Tensor, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Fold a batch norm into the convolution before it, statistics of this batch included (lesson 4).

    Parameters
    ----------
    x : Tensor, shape (batch, time)
        Input of the convolution.
    conv : nn.Conv2d
        One input channel, kernel (1, taps), no bias, stride 1.
    norm : nn.BatchNorm2d
        In training, its running statistics are updated. With an attribute ``sum_over_processes`` its batch is shared
        by several processes, see `window_moments`.

    Returns
    -------
    weight : Tensor, shape (filter, taps)
    bias : Tensor, shape (filter,)
        Differentiable in the weights of both modules, the way through the batch statistics included.
    """
    weight = in_float64(conv.weight[:, 0, 0])  # (filter, taps)
    if norm.training or norm.running_mean is None:
        center, covariance, count = window_moments(x, weight.shape[1], getattr(norm, "sum_over_processes", None))
        mean, variance = weight @ center, ((weight @ covariance) * weight).sum(dim=1)
        if norm.training:
            update_running(norm, mean, variance, count)
    else:
        mean, variance = in_float64(norm.running_mean), in_float64(norm.running_var)
    scale = in_float64(norm.weight) / (variance + norm.eps).sqrt()
    folded, bias = weight * scale[:, None], in_float64(norm.bias) - mean * scale
    return folded.to(conv.weight), bias.to(conv.weight)
