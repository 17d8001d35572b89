"""EnvNet that normalises after pooling: a variant of ours, made for speed (lesson 4).

Pooling keeps 1 of 160 values of each filter, so 159 of 160 values of conv2 have no gradient. In the paper's order
(conv2, batch norm, ReLU, pool) the batch norm needs the mean and variance of all of them, and its backward pass reaches
every one. Here the pool comes first (conv2, pool, batch norm, ReLU), and the dense backward pass disappears:

1. conv1's batch norm is folded into conv1's weights before conv1 runs. Its statistics need no convolution: the mean and
   variance of `w . window` are `w . mean` and `w . C w`, where C is the 8 x 8 covariance of the input's windows.
2. conv1, ReLU, conv2 and the pool run without a graph, in pieces that fit the cache; only the places of the winners are
   kept, 40 x 150 a clip.
3. The backward pass gathers the 15 samples that each winner saw and computes conv1 again for these alone.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from envnet_tutorial.models.envnet import EnvNet


def window_moments(x: Tensor, taps: int) -> tuple[Tensor, Tensor]:
    """Return the mean and covariance of all windows of some length, without making the windows (lesson 4).

    Entry (a, b) of the second moment sums ``x[i + a] x[i + b]`` over the window's places ``i``. One step down its
    diagonal is one step in time: one product enters at the end and one leaves at the start.

    Parameters
    ----------
    x : Tensor, shape (batch, time)
        Waveforms.
    taps : int
        Length of the windows, in samples.

    Returns
    -------
    mean : Tensor of float64, shape (taps,)
    covariance : Tensor of float64, shape (taps, taps)
        Divided by the number of windows. In float64, because the variance behind a high-pass filter is a small
        difference of large numbers.
    """
    x = x.double()
    places = x.shape[1] - taps + 1
    leaving, entering = x[:, : taps - 1], x[:, places:]  # (batch, taps - 1)
    start = x[:, :places].sum().reshape(1)
    sums = torch.cat([start, start + (entering - leaving).sum(dim=0).cumsum(dim=0)])  # (taps,)
    upper = x.new_zeros(taps, taps)
    for lag in range(taps):
        start = torch.bmm(x[:, None, :places], x[:, lag : lag + places, None]).sum().reshape(1)
        steps = entering[:, lag:] * entering[:, : taps - 1 - lag] - leaving[:, lag:] * leaving[:, : taps - 1 - lag]
        diagonal = torch.cat([start, start + steps.sum(dim=0).cumsum(dim=0)])[: taps - lag]
        upper = upper + torch.diag_embed(diagonal, offset=lag)
    count = len(x) * places
    second, mean = (upper + upper.triu(1).T) / count, sums / count
    return mean, second - torch.outer(mean, mean)


def update_running(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, count: int) -> None:
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
        In training, its running statistics are updated.

    Returns
    -------
    weight : Tensor, shape (filter, taps)
    bias : Tensor, shape (filter,)
        Differentiable in the weights of both modules, the way through the batch statistics included.
    """
    weight = conv.weight[:, 0, 0].double()  # (filter, taps)
    if norm.training or norm.running_mean is None:
        center, covariance = window_moments(x, weight.shape[1])
        mean, variance = weight @ center, ((weight @ covariance) * weight).sum(dim=1)
        if norm.training:
            update_running(norm, mean, variance, len(x) * (x.shape[1] - weight.shape[1] + 1))
    else:
        mean, variance = norm.running_mean.double(), norm.running_var.double()
    scale = norm.weight.double() / (variance + norm.eps).sqrt()
    folded, bias = weight * scale[:, None], norm.bias.double() - mean * scale
    return folded.to(conv.weight.dtype), bias.to(conv.weight.dtype)


def toeplitz(weight: Tensor, bias: Tensor, places: int) -> Tensor:
    """Write a convolution over a short window, and its bias, as one matrix product (lesson 4).

    Parameters
    ----------
    weight : Tensor, shape (filter, taps)
    bias : Tensor, shape (filter,)
    places : int
        Places at which the filters are laid on the window.

    Returns
    -------
    Tensor, shape (places + taps, places, filter)
        A window of ``places + taps - 1`` samples, with a 1 behind it, times this matrix gives all filters' values.
    """
    columns = [functional.pad(weight, (place, places - 1 - place)) for place in range(places)]  # (filter, samples) each
    samples = torch.stack(columns, dim=0).permute(2, 0, 1)  # (samples, places, filter)
    return torch.cat([samples, bias.expand(1, places, -1)])


class PooledPair(torch.autograd.Function):
    """Convolution with bias, ReLU, convolution, max pool: the graph holds the winners only (lesson 4).

    Inputs: waveforms (batch, time), matrix (samples + 1, places, filter) of `toeplitz`, weight2 (filter2, places,
    filter) and the pool's length. Output: (batch, filter2, frame).
    """

    @staticmethod
    def forward(ctx, x: Tensor, matrix: Tensor, weight2: Tensor, pool: int) -> Tensor:
        """Run the chain piece by piece and keep where each maximum was found."""
        places = weight2.shape[1]
        weight1 = matrix[: len(matrix) - places, 0].T[:, None, None]  # (filter, 1, 1, taps)
        kernel2 = weight2.transpose(1, 2).unsqueeze(2)  # (filter2, filter, 1, places)
        kernel2 = kernel2.contiguous(memory_format=torch.channels_last)
        values, winners = [], []
        for piece in x.split(clips_per_piece(x)):
            hidden = functional.conv2d(piece[:, None, None], weight1, matrix[-1, 0]).relu_()  # (n, filter, 1, time')
            hidden = hidden.contiguous(memory_format=torch.channels_last)
            dense = functional.conv2d(hidden, kernel2)  # (n, filter2, 1, time'')
            value, winner = functional.max_pool2d(dense, (1, pool), return_indices=True)  # (n, filter2, 1, frame)
            values.append(value[:, :, 0])
            winners.append(winner[:, :, 0])
        winners = torch.cat(winners)
        ctx.save_for_backward(x, matrix, weight2, winners)
        return torch.cat(values).contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor):
        """Sum the gradient over the winning windows.

        With ``window`` the samples of a winner and a 1, and ``alive`` the 0 or 1 of the ReLU at each place and filter,
        the winner's value is ``sum(window @ matrix * alive * weight2)``. It is linear in the matrix and in weight2, so
        both gradients follow from one sum over all winners of a filter: ``total = gradient * outer(window, alive)``.
        """
        x, matrix, weight2, winners = ctx.saved_tensors
        flat = matrix.flatten(1)  # (samples + 1, places * filter)
        rows = weight2.flatten(1).unsqueeze(1)  # (filter2, 1, places * filter)
        total = flat.new_zeros(len(rows), *flat.shape)  # (filter2, samples + 1, places * filter)
        grad_x = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        size = clips_per_piece(x)
        for first in range(0, len(x), size):
            clips = slice(first, first + size)
            window = gather_windows(x[clips], winners[clips], len(matrix) - 1)  # (filter2, n * frame, samples + 1)
            slope = grad[clips].transpose(0, 1).flatten(1).unsqueeze(2)  # (filter2, n * frame, 1)
            alive = (window @ flat).gt_(0)  # (filter2, n * frame, places * filter)
            total.baddbmm_((window * slope).mT, alive)
            if grad_x is not None:
                back = (slope * alive * rows) @ flat[:-1].T  # (filter2, n * frame, samples)
                scatter_windows(grad_x[clips], winners[clips], back)
        grad_matrix, grad_weight2 = (total * rows).sum(dim=0), (total * flat).sum(dim=1)
        return grad_x, grad_matrix.view_as(matrix), grad_weight2.view_as(weight2), None


def clips_per_piece(x: Tensor) -> int:
    """Return how many clips to take at a time: one fills the cache of a processor, sixteen keep a GPU busy."""
    return 16 if x.is_cuda else 1


def window_places(x: Tensor, winners: Tensor, samples: int) -> Tensor:
    """Return where in ``x.flatten()`` the samples of each winner lie, shape (filter, batch * frame, samples)."""
    first = winners + x.shape[1] * torch.arange(len(x), device=x.device)[:, None, None]  # (batch, filter, frame)
    return first.transpose(0, 1).flatten(1).unsqueeze(2) + torch.arange(samples, device=x.device)


def gather_windows(x: Tensor, winners: Tensor, samples: int) -> Tensor:
    """Gather the samples that each winner saw, and a 1 behind them for the bias.

    Parameters
    ----------
    x : Tensor, shape (batch, time)
    winners : Tensor of int64, shape (batch, filter, frame)
    samples : int

    Returns
    -------
    Tensor, shape (filter, batch * frame, samples + 1)
    """
    return functional.pad(x.flatten()[window_places(x, winners, samples)], (0, 1), value=1.0)


def scatter_windows(grad_x: Tensor, winners: Tensor, back: Tensor) -> None:
    """Add the gradient of gathered windows, shape (filter, batch * frame, samples), to that of the waveforms."""
    index = window_places(grad_x, winners, back.shape[2])
    grad_x.view(-1).index_add_(0, index.flatten(), back.flatten())


class PooledNormFeatures(nn.Sequential):
    """`feature_conv` with the second batch norm and its ReLU behind the pool (lesson 4).

    Takes the named modules of EnvNet's ``feature_conv`` and has the same parameters and keys.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 1, 1, time) to (batch, 1, filter, frame)."""
        conv1, norm1, _ = self.conv1.module
        conv2, norm2, relu = self.conv2.module
        with torch.autocast(x.device.type, enabled=False):
            waveform = x[:, 0, 0].to(conv1.weight.dtype).contiguous()  # (batch, time)
            matrix = toeplitz(*fold_norm(waveform, conv1, norm1), conv2.kernel_size[1])
            weight2 = conv2.weight[:, :, 0].transpose(1, 2)  # (filter2, places, filter)
            pooled = PooledPair.apply(waveform, matrix, weight2, self.pool2.kernel_size[1])  # (batch, filter2, frame)
            return self.transpose(relu(norm2(pooled.unsqueeze(2))))


class PooledNormEnvNet(EnvNet):
    """EnvNet that normalises after pooling: our variant, not the paper's network (lesson 4).

    The second block computes conv2, pool, batch norm, ReLU, where the paper has conv2, batch norm, ReLU, pool. All
    parameters and the keys of the state dict are those of `EnvNet`, so published weights load with ``strict=True``.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    dropout : float, default 0.5
        Dropout of the two hidden linear layers.

    Notes
    -----
    In training the two orders differ: here the batch statistics of conv2 are those of the pooled values. In eval mode
    batch norm is one scale and one offset a filter. With a positive scale it keeps the order of its inputs, so the
    maximum may be taken before it, and this network equals `EnvNet` with the same weights. With a negative scale it
    does not: `EnvNet` then keeps the smallest value of each 160, this variant still the largest.

    Gradients of gradients are not available. Where two values of a pool are equal, the first one wins, as in
    `torch.nn.MaxPool2d`.
    """

    def __init__(self, num_classes: int, dropout: float = 0.5):
        super().__init__(num_classes, dropout)
        self.feature_conv = PooledNormFeatures(OrderedDict(self.feature_conv.named_children()))
