"""What a network costs: weights, operations, and time and memory on one core (lesson 7)."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import nn

from envnet_tutorial.costs import build_untouched, kind_of, known_layers, training_passes
from envnet_tutorial.models import WaveformNetwork
from envnet_tutorial.models.wavemsnet import MultiScale
from envnet_tutorial.modes import evaluating
from envnet_tutorial.training.device import peak_memory

CPU = torch.device("cpu")
#: Every network is priced for as much sound as EnvNet hears at a time.
SECONDS = 1.5
#: Windows that do not count: the first ones fetch the weights and choose the ways to multiply.
WARM_UP = 3
#: Kinds of layers that a drawing of a network shows.
DRAWN = ("conv", "linear", "pool", "average", "spectrogram", "power", "level")


def window_samples(network: type[WaveformNetwork]) -> int:
    """Return how many samples 1.5 s are for a network, or its own window where it takes no other."""
    usual, wanted = network.input_format.num_samples, round(SECONDS * network.input_format.sample_rate)
    return wanted if network.min_samples is not None and usual > 1.1 * wanted else usual


def weightless(network: type[WaveformNetwork], num_classes: int) -> WaveformNetwork:
    """Build a network of shapes alone: EnvNet's 48 million weights take a second to draw, and nobody asks for them."""
    with torch.device("meta"):
        return network(num_classes)


def parameters(network: type[WaveformNetwork], num_classes: int) -> int:
    """Count the numbers that a network learns; filters that stay as they are do not count."""
    learned = (parameter for parameter in weightless(network, num_classes).parameters() if parameter.requires_grad)
    return sum(parameter.numel() for parameter in learned)


def operations(network: type[WaveformNetwork], num_classes: int) -> int:
    """Count the multiplications and additions that classify 1.5 s of sound.

    Those of convolutions, matrix products and spectrograms, as everywhere in the book; see `costs.training_passes`. One
    of our fast orders does the same products as the plain network that it is derived of, which is counted for it.
    """
    with torch.device("meta"):
        passes = training_passes(plain_form(network), num_classes, window_samples(network))
    return int(passes.loc[passes["pass"] == "forward", "operations"].sum())


def plain_form(network: type[WaveformNetwork]) -> type[WaveformNetwork]:
    """Return a network, or what it is derived of if it computes past its own layers, in an order that is faster."""
    chains = (module for module in weightless(network, 1).modules() if isinstance(module, nn.Sequential))
    is_fast = any(type(chain).forward is not nn.Sequential.forward for chain in chains)
    return plain_form(network.__base__) if is_fast else network


def blocks(network: type[WaveformNetwork], num_classes: int) -> pd.DataFrame:
    """List the layers of a network that move or weigh numbers, in the order in which 1.5 s of sound pass them.

    Returns
    -------
    DataFrame
        A row for each layer: branch (empty but for those that stand beside others), kind (as in `costs.KINDS`), outputs
        (numbers that it makes of the sound).
    """
    rows, model = [], weightless(plain_form(network), num_classes)
    beside = [f"{path}." for path, module in model.named_modules() if isinstance(module, MultiScale)]

    def note(path: str, kind: str, outputs: int) -> None:
        branch = next((path.removeprefix(start).split(".")[0] for start in beside if path.startswith(start)), "")
        rows.append({"branch": branch, "kind": kind, "outputs": outputs})

    for path, layer in known_layers(model).items():
        if (kind := kind_of(layer)) in DRAWN:
            layer.register_forward_hook(lambda _, xs, y, path=path, kind=kind: note(path, kind, y.numel()))
    with evaluating(model):
        model(torch.zeros(1, 1, window_samples(network), device="meta"))
    return pd.DataFrame(rows)


class Latency(NamedTuple):
    """How long 1.5 s of sound take on one core, one window at a time, and what they need.

    Parameters
    ----------
    low, median, high : float
        Quartiles in s.
    rounds : int
        Windows that were timed.
    peak : float
        Bytes by which the process grew: weights, activations, and whatever the products put aside.
    """

    low: float
    median: float
    high: float
    rounds: int
    peak: float


def latency(network: type[WaveformNetwork], num_classes: int, rounds: int = 20) -> Latency:
    """Time a network on windows of noise, in a process of its own with one thread.

    Parameters
    ----------
    network : type
        A class that can be imported by name.
    num_classes : int
    rounds : int, default 20
        Windows to time.
    """
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if forks else "spawn")
    if forks:
        context.set_forkserver_preload([__name__])  # torch is loaded once for all networks
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        seconds, peak = pool.submit(time_windows, network, num_classes, rounds).result()
    return Latency(*np.percentile(seconds, [25, 50, 75]).tolist(), rounds, peak)


def time_windows(network: type[WaveformNetwork], num_classes: int, rounds: int) -> tuple[list[float], float]:
    """Return the seconds that each window takes, and the bytes by which this process has grown."""
    torch.set_num_threads(1)
    before, seconds = peak_memory(CPU), []
    model = build_untouched(network, num_classes)
    waveform = 0.1 * torch.randn(1, 1, window_samples(network), generator=torch.Generator().manual_seed(0))
    with evaluating(model), torch.inference_mode():
        for _ in range(WARM_UP + rounds):
            begun = time.perf_counter()
            model(waveform)
            seconds.append(time.perf_counter() - begun)
    return seconds[WARM_UP:], peak_memory(CPU) - before
