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
from envnet_tutorial.models.folding import fold_norm
from envnet_tutorial.models.reordered import ReorderedClassifier


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


def join_clips(x: Tensor, pool: int, reach: int) -> Tensor:
    """Lay the clips of a batch end to end, each filled up to whole frames with one frame of zeros.

    Parameters
    ----------
    x : Tensor, shape (batch, time)
    pool : int
        Length of a frame, in samples.
    reach : int
        Samples that a frame needs beyond its end; fewer than ``pool``.

    Returns
    -------
    Tensor, shape (batch * (frame + 1) * pool + reach + 1,)
        The last of the ``frame + 1`` frames of each clip mixes two clips and must be dropped.
    """
    used = (x.shape[1] - reach) // pool * pool + reach
    return functional.pad(functional.pad(x[:, :used], (0, pool - reach)).flatten(), (0, reach + 1))


def append_ones(windows: Tensor) -> Tensor:
    """Write a 1 behind each row, which a bias multiplies."""
    return functional.pad(windows, (0, 1), value=1.0)


class PooledPair(torch.autograd.Function):
    """Convolution with bias, ReLU, convolution, max pool: the graph holds the winners only (lesson 4).

    Inputs: a signal (sample,) of `join_clips`, matrix (samples + 1, places * filter) of `toeplitz`, weight2 (filter2,
    places * filter), and the pool's length. Both convolutions have ``places`` taps. Output: (filter2, frame).
    """

    @staticmethod
    def forward(ctx, signal: Tensor, matrix: Tensor, weight2: Tensor, pool: int) -> Tensor:
        """Run the chain a few frames at a time and keep where each maximum was found."""
        frames, reach = len(signal) // pool, len(matrix) - 2
        values, winners = [], []
        for first in range(0, frames, frames_per_piece(signal)):
            count = min(frames_per_piece(signal), frames - first)
            start = first * pool
            value, winner = scan(signal[start : start + count * pool + reach + 1], matrix, weight2, pool)
            values.append(value)
            winners.append(winner + start)
        ctx.save_for_backward(signal, matrix, weight2, torch.cat(winners, dim=1))
        return torch.cat(values, dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor):
        """Sum the gradient over the winning windows.

        With ``window`` the samples of a winner and a 1, and ``alive`` the 0 or 1 of the ReLU at each place and filter,
        the winner's value is ``sum(window @ matrix * alive * weight2)``. It is linear in the matrix and in weight2, so
        both gradients follow from one sum over all winners of a filter: ``total = gradient * outer(window, alive)``.
        """
        signal, matrix, weight2, winners = ctx.saved_tensors
        windows = signal.unfold(0, len(matrix) - 1, 1)  # (place, samples), a view
        samples = torch.arange(windows.shape[1], device=signal.device)
        grad_signal = torch.zeros_like(signal) if ctx.needs_input_grad[0] else None
        total = matrix.new_zeros(len(weight2), *matrix.shape)  # (filter2, samples + 1, places * filter)
        some, size = winners_per_piece(signal, len(weight2))
        for first in range(0, len(weight2), some):
            own = slice(first, first + some)
            for place, slope in zip(winners[own].split(size, dim=1), grad[own].split(size, dim=1), strict=True):
                slope = slope.unsqueeze(2)  # (some, frame, 1)
                window = append_ones(windows[place])  # (some, frame, samples + 1)
                alive = (window @ matrix).gt_(0)  # (some, frame, places * filter)
                total[own].baddbmm_((window * slope).mT, alive)
                if grad_signal is not None:
                    back = slope * ((alive * weight2[own, None]) @ matrix[:-1].T)  # (some, frame, samples)
                    grad_signal.index_add_(0, (place.unsqueeze(2) + samples).flatten(), back.flatten())
        return grad_signal, (total * weight2[:, None]).sum(dim=0), (total * matrix).sum(dim=1), None


def scan(piece: Tensor, matrix: Tensor, weight2: Tensor, pool: int) -> tuple[Tensor, Tensor]:
    """Find the largest value of each filter in each frame, and where it is.

    Parameters
    ----------
    piece : Tensor, shape (frame * pool + samples,)
    matrix, weight2, pool
        As for `PooledPair`.

    Returns
    -------
    values : Tensor, shape (filter2, frame)
    winners : Tensor of int64, shape (filter2, frame)
        First sample of the window of each winner; the earliest, where values are equal.
    """
    samples = len(matrix) - 1
    places = (samples + 1) // 2
    hidden = append_ones(piece.unfold(0, samples, places)) @ matrix  # (row, places * filter): `places` steps a row
    hidden = hidden.relu_().view(1, 1, -1, matrix.shape[1] // places).permute(0, 3, 1, 2)  # (1, filter, 1, time)
    kernel2 = weight2.view(len(weight2), 1, places, -1).permute(0, 3, 1, 2)  # (filter2, filter, 1, places)
    dense = functional.conv2d(hidden, kernel2)  # (1, filter2, 1, time - places + 1), channels last as its inputs
    values, winners = functional.max_pool2d(dense, (1, pool), return_indices=True)
    return values[0, :, 0], winners[0, :, 0]


def frames_per_piece(signal: Tensor) -> int:
    """Return how many frames to scan at a time: they fit a processor's cache, or keep a GPU busy."""
    return 2400 if signal.is_cuda else 76


def winners_per_piece(signal: Tensor, filters: int) -> tuple[int, int]:
    """Return of how many filters, and of how many frames, to take the winners back at a time, for the same reason."""
    return (filters, 8192) if signal.is_cuda else (1, 2400)


class PooledNormFeatures(nn.Sequential):
    """`feature_conv` with the second batch norm and its ReLU behind the pool (lesson 4).

    Takes the named modules of EnvNet's ``feature_conv`` and has the same parameters and keys.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 1, 1, time) to (batch, 1, filter, frame)."""
        conv1, norm1, _ = self.conv1.module
        conv2, norm2, relu = self.conv2.module
        with torch.autocast(x.device.type, enabled=False):
            places, pool = conv2.kernel_size[1], self.pool2.kernel_size[1]
            waveform = x[:, 0, 0].to(conv1.weight.dtype)  # (batch, time)
            matrix = toeplitz(*fold_norm(waveform, conv1, norm1), places)  # (samples + 1, places, filter)
            weight2 = conv2.weight[:, :, 0].transpose(1, 2)  # (filter2, places, filter)
            signal = join_clips(waveform, pool, len(matrix) - 2)
            pooled = PooledPair.apply(signal, matrix.flatten(1), weight2.flatten(1), pool)  # (filter2, all frames)
            pooled = pooled.unflatten(1, (len(x), -1))[..., :-1].transpose(0, 1)  # (batch, filter2, frame)
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
        self.classifier = ReorderedClassifier(OrderedDict(self.classifier.named_children()))
