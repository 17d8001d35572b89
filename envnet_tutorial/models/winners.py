"""Two convolutions and a max pool whose graph holds the winners only (lesson 4).

The way there runs without a graph, in pieces that fit the cache, and keeps where the largest value of each pool was.
The way back gathers the samples that each winner saw, 15 for EnvNet, and takes the gradient to these alone.

All products may be of bfloat16 numbers, which many processors multiply several times as fast as float32. Of values that
bfloat16 cannot tell apart another one may then win. Each product sums in float32 and is rounded once; the pieces of a
gradient add up in the format of the signal, in which weights and gradients come and go.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


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
    places * filter), the pool's length, and the number format of the factors of all products. Both convolutions have
    ``places`` taps, and the pool is a multiple of that. Output: (filter2, frame), in the format of the signal.
    """

    @staticmethod
    def forward(ctx, signal: Tensor, matrix: Tensor, weight2: Tensor, pool: int, factors: torch.dtype) -> Tensor:
        """Run the chain a few frames at a time and keep where each maximum was found."""
        values, winners = [], []
        rounded, weight1, kernels = (given.to(factors) for given in (signal, matrix, weight2))
        for frames, rows in pieces(rounded, weight1, pool):
            value, winner = scan(rows, weight1, kernels, pool)
            values.append(value)
            winners.append(winner + frames.start * pool)
        ctx.pool, ctx.factors = pool, factors
        ctx.save_for_backward(signal, matrix, weight2, torch.cat(winners, dim=1))
        return torch.cat(values, dim=1).to(signal.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor):
        """Sum the gradient over the winning windows.

        With ``seen`` the samples of a winner and a 1, and ``alive`` the 0 or 1 of the ReLU at each place and filter,
        the winner's value is ``sum(seen @ matrix * alive * weight2)``. It is linear in the matrix and in weight2, so
        both gradients follow from one sum over all winners of a filter: ``total = gradient * outer(seen, alive)``.
        """
        signal, matrix, weight2, winners = ctx.saved_tensors
        windows = signal.unfold(0, len(matrix) - 1, 1)  # (place, samples), a view
        samples = torch.arange(windows.shape[1], device=signal.device)
        grad_signal = torch.zeros_like(signal) if ctx.needs_input_grad[0] else None
        total = matrix.new_zeros(len(weight2), *matrix.shape)  # (filter2, samples + 1, places * filter)
        slope = grad.unsqueeze(2)  # (filter2, frame, 1)
        weighted = (append_ones(windows[winners]) * slope).mT.to(ctx.factors)  # (filter2, samples + 1, frame)
        rounded, weight1 = signal.to(ctx.factors), matrix.to(ctx.factors)
        for frames, rows in pieces(rounded, weight1, ctx.pool):
            let_through = (rows @ weight1).gt_(0)  # (row, places * filter), 0 or 1: by the first layer's ReLU
            own = winners[:, frames] - frames.start * ctx.pool  # in this piece
            alive = seen_by(own, let_through, len(matrix) // 2)  # (filter2, some frames, places * filter)
            total += weighted[:, :, frames] @ alive
            if grad_signal is not None:
                back = slope[:, frames] * ((alive * weight2[:, None]) @ matrix[:-1].T)  # (filter2, some, samples)
                touched = winners[:, frames].unsqueeze(2) + samples
                grad_signal.index_add_(0, touched.flatten(), back.flatten())
        return grad_signal, (total * weight2[:, None]).sum(dim=0), (total * matrix).sum(dim=1), None, None


def scan(rows: Tensor, matrix: Tensor, weight2: Tensor, pool: int) -> tuple[Tensor, Tensor]:
    """Find the largest value of each filter in each frame, and where it is.

    Parameters
    ----------
    rows : Tensor, shape (row, samples + 1)
        Of `pieces`.
    matrix, weight2, pool
        As for `PooledPair`, in the format of the rows.

    Returns
    -------
    values : Tensor, shape (filter2, frame)
    winners : Tensor of int64, shape (filter2, frame)
        First sample of the window of each winner; the earliest, where values are equal in this format.
    """
    places = len(matrix) // 2
    hidden = (rows @ matrix).relu_()  # (row, places * filter): `places` steps a row
    steps = hidden.view(1, 1, -1, matrix.shape[1] // places).permute(0, 3, 1, 2)  # (1, filter, 1, time)
    kernel2 = weight2.view(len(weight2), 1, places, -1).permute(0, 3, 1, 2)  # (filter2, filter, 1, places)
    dense = functional.conv2d(steps, kernel2)  # (1, filter2, 1, time - places + 1), channels last as its inputs
    values, winners = functional.max_pool2d(dense, (1, pool), return_indices=True)
    return values[0, :, 0], winners[0, :, 0]


def seen_by(winners: Tensor, hidden: Tensor, places: int) -> Tensor:
    """Gather what each winner saw of the first layer.

    Parameters
    ----------
    winners : Tensor of int64, shape (filter2, frame)
    hidden : Tensor, shape (row, places * filter)
        The first layer, ``places`` steps a row.
    places : int

    Returns
    -------
    Tensor, shape (filter2, frame, places * filter)
    """
    windows = hidden.flatten().unfold(0, hidden.shape[1], hidden.shape[1] // places)  # (place, places * filter), a view
    return windows.index_select(0, winners.flatten()).unflatten(0, winners.shape)


def pieces(signal: Tensor, matrix: Tensor, pool: int) -> Iterator[tuple[slice, Tensor]]:
    """Yield some frames of a signal at a time.

    Yields
    ------
    frames : slice
    rows : Tensor, shape (row, samples + 1)
        Windows of their samples, ``places`` steps apart, each with a 1 behind it. One row more than the frames are
        long: their last windows reach beyond their end.
    """
    samples = len(matrix) - 1
    places, count = (samples + 1) // 2, len(signal) // pool
    rows, size = append_ones(signal.unfold(0, samples, places)), frames_per_piece(signal)
    for first in range(0, count, size):
        frames = slice(first, min(first + size, count))
        yield frames, rows[frames.start * pool // places : frames.stop * pool // places + 1]


def frames_per_piece(signal: Tensor) -> int:
    """Return how many frames to scan at a time: they fit a processor's cache, or keep a GPU busy."""
    return 2400 if signal.is_cuda else 304 // signal.itemsize
