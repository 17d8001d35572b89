"""Where and how a run computes: its device, its number format, its random numbers."""

import ctypes
import functools
import math
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn

from envnet_tutorial.models.base import WaveformNetwork


def choose_device(device: torch.device | str | None = None) -> torch.device:
    """Return the device that is asked for; without a wish a GPU if there is one, else the processor.

    An Apple GPU (MPS) is taken only where it passes `computes_alike`: what it can do depends on the version of torch.
    """
    if device is not None:
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    mps = torch.device("mps")
    return mps if torch.backends.mps.is_available() and computes_alike(mps) else torch.device("cpu")


@functools.cache
def computes_alike(device: torch.device) -> bool:
    """Tell whether a device trains a small network as the processor does; an error counts as no."""
    try:
        return abs(_trial_loss(device) - _trial_loss(torch.device("cpu"))) < 1e-3
    except (RuntimeError, TypeError):
        return False


def _trial_loss(device: torch.device) -> float:
    """Train a small network of the kinds of layers that EnvNet has for three steps, and return its last loss."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        front = [nn.Conv2d(1, 4, (1, 8), bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d((1, 10))]
        model = nn.Sequential(*front, nn.Flatten(), nn.Linear(40, 2))
        clips = torch.randint(-30_000, 30_000, (8, 1, 1, 107), dtype=torch.int16)
    model.to(device, memory_format=torch.channels_last)
    targets = torch.eye(2, device=device).repeat(4, 1)  # (clip, class)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    for _ in range(3):
        loss = nn.functional.cross_entropy(model(clips.to(device).float() / 32_768), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


@contextmanager
def on_device(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Move a network to a device for as long as the context lasts, and then back to where it was.

    So what a reader does with a network before a training works after it too, on a GPU as on a processor. Its weights
    lie channels last in memory from then on: measured, 1.15 x the speed of the default on two cores.
    """
    home = next((weight.device for weight in model.parameters()), device)
    model.to(device, memory_format=torch.channels_last)
    try:
        yield
    finally:
        model.to(home)


def keep_memory() -> bool:
    """Let this process keep the memory that it frees, for the next step (appendix on speed).

    The C library hands large blocks back to the system and asks for them anew at every step of the training, page by
    page, each filled with zeros first. On a processor that is a good part of a step. Keeping them changes no number;
    the process holds what its largest step needed until it ends.

    Returns
    -------
    bool
        Whether the C library is one that can be told so (glibc: ``mallopt``, M_MMAP_MAX and M_TRIM_THRESHOLD).
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    never_map, keep_two_gigabytes = mallopt(-4, 0), mallopt(-1, 2**31 - 1)
    return bool(never_map and keep_two_gigabytes)


def peak_memory(device: torch.device) -> float:
    """Return the most bytes that this process has held: its tensors on a GPU, or all of it.

    Linux keeps the peak of the program itself as VmHWM; that of `getrusage` begins at its parent's. An Apple GPU tells
    what it holds now, and Windows nothing: NaN.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text("utf-8").splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return math.nan
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def fast_precision(device: torch.device) -> str:
    """Return the number format that a device multiplies fastest: bfloat16 or float32 (appendix on speed).

    The hardware is asked, not timed, so that a busy machine gives the answer of an idle one.

    Returns
    -------
    str
        "bfloat16" on a processor with instructions for its products (AMX or AVX512-BF16), and on a GPU of NVIDIA's
        Ampere generation or a later one (compute capability 8); "float32" on all others, Apple's GPUs among them.
    """
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float32"
    instructions = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")  # older versions of torch lack the names
    has_products = device.type == "cpu" and any(getattr(torch.cpu, name, lambda: False)() for name in instructions)
    return "bfloat16" if has_products else "float32"


def choose_precision(network: type[WaveformNetwork], device: torch.device) -> str:
    """Return the fastest number format for a network: that of the device if the network gains from it, else float32."""
    return fast_precision(device) if network.gains_from_bfloat16 else "float32"


def stream_seed(*key: int) -> int:
    """Turn a key such as (seed, epoch) into a seed of its own that is unrelated to its neighbours'."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]) >> 1  # NumPy 1 cannot shift these


@contextmanager
def global_seed(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators, which initialisation and dropout draw from, and restore them afterwards."""
    gpus = [device] if device.type == "cuda" else []
    apple = torch.mps.get_rng_state() if device.type == "mps" else None
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        try:
            yield
        finally:
            if apple is not None:
                torch.mps.set_rng_state(apple)
