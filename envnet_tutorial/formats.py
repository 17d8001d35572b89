"""Number formats by device: an Apple GPU (MPS) has no float64, and its autocast came later than the others'."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

#: Types of device that have no float64.
WITHOUT_FLOAT64 = ("mps",)


def widest_float(device: torch.device) -> torch.dtype:
    """Return the widest floating-point format that a device has: float64, or float32 on an Apple GPU."""
    return torch.float32 if device.type in WITHOUT_FLOAT64 else torch.float64


def in_float64(x: Tensor) -> Tensor:
    """Return a tensor in float64: on its device, or on the processor where the device has no such numbers."""
    return (x.cpu() if x.device.type in WITHOUT_FLOAT64 else x).double()


def precision_context(device: torch.device, precision: str) -> AbstractContextManager:
    """Return a context in which convolutions and matrix products use bfloat16, or float32 whatever is around it.

    Parameters
    ----------
    device : torch.device
    precision : {"float32", "bfloat16"}

    Raises
    ------
    RuntimeError
        If bfloat16 is asked for where this torch has no autocast, as torch 2.4 has none for an Apple GPU.
    """
    if precision == "float32" and not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")
