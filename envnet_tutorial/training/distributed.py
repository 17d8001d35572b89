"""One network trained by several processes: the same batches, cut into shares (lesson 4).

Start the same command with ``torchrun``. Every process draws the same batch from the same seed, so that crops and
mixtures are those of a single process, and computes its share of it; the gradients are averaged. Batch normalisation
uses the statistics of the whole batch. Dropout draws a mask of its own in each process. What is left is the order of
summation: without dropout, the weights agree with those of a single process to rounding.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from envnet_tutorial.errors import InputError


def join_processes() -> torch.device | None:
    """Join the processes that ``torchrun`` started, and return this one's GPU where there are GPUs.

    Returns
    -------
    torch.device or None
        None for a process on its own, or without a GPU.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        return None
    if not torch.cuda.is_available():
        dist.init_process_group("gloo")
        return None
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    torch.cuda.set_device(device)
    dist.init_process_group("nccl", device_id=device)
    return device


def leave_processes() -> None:
    """Leave the group that `join_processes` joined."""
    if dist.is_initialized():
        dist.destroy_process_group()


def rank_and_size() -> tuple[int, int]:
    """Return this process's number, from 0, and the number of processes: (0, 1) for a process on its own."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def wait_for_all() -> None:
    """Wait until every process has come here."""
    if dist.is_initialized():
        dist.barrier()


def shard(batch: Tensor) -> tuple[Tensor, float]:
    """Return this process's share of a batch, along its first axis, and the weight of its mean in the mean of all.

    Returns
    -------
    share : Tensor
    weight : float
        Clips of the share over those of an even one: processes average, and shares may differ by a clip.

    Raises
    ------
    InputError
        If there are more processes than clips in the batch.
    """
    rank, size = rank_and_size()
    if len(batch) < size:
        raise InputError(f"a batch of {len(batch)} clips cannot be shared by {size} processes: use fewer processes")
    share = batch[rank::size]
    return share, len(share) * size / len(batch)


def refuse_uneven(num_clips: int, batch_size: int) -> None:
    """Raise `InputError` if the last batch of an epoch has too few clips for a share each: before the first step."""
    size, last = rank_and_size()[1], num_clips % batch_size or batch_size
    if last < size:
        raise InputError(
            f"the last batch of an epoch has {last} of {num_clips} clips, too few to be shared by {size} processes: "
            "use fewer processes, or --share folds"
        )


def sum_over_processes(numbers: Tensor) -> Tensor:
    """Add up a tensor over all processes, in place."""
    if dist.is_initialized():
        dist.all_reduce(numbers)
    return numbers


class _Total(torch.autograd.Function):
    """The sum of a tensor over all processes: what one of them puts in reaches the losses of all."""

    @staticmethod
    def forward(ctx, own: Tensor) -> Tensor:
        """Add up without touching what the process has."""
        return sum_over_processes(own.clone())

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        """Add up the gradients of all losses."""
        return sum_over_processes(gradient.clone(memory_format=torch.contiguous_format))


@contextmanager
def connected(model: nn.Module, device: torch.device) -> Iterator[nn.Module]:
    """Let a network average gradients and batch statistics over all processes while the context lasts.

    Yields
    ------
    nn.Module
        What the loop is to call: the model itself for a process on its own, else a wrapper around it.
    """
    if not dist.is_initialized():
        yield model
        return
    norms = [module for module in model.modules() if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))]
    for module in norms:
        module.forward = partial(whole_batch_norm, module)
        module.sum_over_processes = _Total.apply  # for a batch norm that is folded into the layer before it
    with warnings.catch_warnings():
        # Only strides of axes with one entry differ: channels last against none. They cost nothing.
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
        try:
            yield DistributedDataParallel(model, device_ids=[device.index] if device.type == "cuda" else None)
        finally:
            for module in norms:
                del module.forward, module.sum_over_processes


def whole_batch_norm(module: nn.BatchNorm1d | nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Normalise by the mean and variance of the whole batch, of which each process has a share.

    ``torch.nn.SyncBatchNorm`` does the same, but on GPUs only; this way the tests run what the GPUs run.

    Parameters
    ----------
    module : BatchNorm1d or BatchNorm2d
        Its parameters and running statistics are used, and updated in training.
    x : Tensor, shape (batch, channel, ...)
        This process's share.

    Returns
    -------
    Tensor
        Of the shape of ``x``.
    """
    if not module.training:
        return type(module).forward(module, x)
    values = x.float()
    axes = [axis for axis in range(x.ndim) if axis != 1]
    shape = [1 if axis in axes else -1 for axis in range(x.ndim)]
    own_count = values.new_full((1,), x.numel() / x.shape[1])
    total, count = _Total.apply(torch.cat([values.sum(axes), own_count])).split([x.shape[1], 1])
    mean = total / count
    centered = values - mean.view(shape)
    variance = _Total.apply(centered.square().sum(axes)) / count
    with torch.no_grad():
        module.num_batches_tracked += 1
        module.running_mean.lerp_(mean, module.momentum)
        module.running_var.lerp_(variance * count / (count - 1), module.momentum)
    normed = centered * (variance + module.eps).rsqrt().view(shape)
    if module.affine:
        normed = normed * module.weight.view(shape) + module.bias.view(shape)
    return normed.to(x.dtype)
