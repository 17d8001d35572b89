"""What tests of probing share: EnvNets whose filters are known, and a clock of the processor."""

import math
import time

import torch
from torch import nn

from envnet_tutorial.models import EnvNet
from envnet_tutorial.probing.spectra import normalised_kernels
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate


def uneven_envnet() -> EnvNet:
    """Build an EnvNet whose batch norms have seen something: no scale is one, no mean is zero."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = EnvNet(10)
        for norm in (m for m in network.feature_conv.modules() if isinstance(m, nn.BatchNorm2d)):
            nn.init.uniform_(norm.running_mean, -0.1, 0.1)
            nn.init.uniform_(norm.running_var, 0.01, 0.3)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
    return network


def plant(network: EnvNet, kernels: torch.Tensor) -> None:
    """Put kernels into conv1 and let conv2 pass each channel on unchanged; batch norm keeps its identity."""
    with torch.no_grad():
        conv1, conv2 = network.feature_conv.conv1.module[0], network.feature_conv.conv2.module[0]
        conv1.weight.zero_()
        conv2.weight.zero_()
        conv1.weight[: len(kernels), 0, 0] = kernels.float()
        conv2.weight[:, :, 0, 0] = torch.eye(40)
        for block in (network.feature_conv.conv1, network.feature_conv.conv2):
            block.module[1].reset_parameters()
            block.module[1].reset_running_stats()


def gabor(frequency: float, phase: float = 0.0) -> torch.Tensor:
    time = torch.arange(8, dtype=torch.float64) - 3.5
    envelope = torch.exp(-0.5 * (time / 2) ** 2)
    return envelope * torch.cos(2 * math.pi * frequency * time / RATE + phase)


def first_kernels(network):
    """Return the filters of conv1 as its batch norm scales them, (filter, taps)."""
    return normalised_kernels(network.linear_stages()[0])[:, 0]


def least_processor_seconds(work, repeats: int = 2) -> float:
    """Time work on one core by the processor's clock, which other programs disturb least."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    seconds = []
    try:
        for _ in range(repeats):
            start = time.process_time()
            work()
            seconds.append(time.process_time() - start)
    finally:
        torch.set_num_threads(threads)
    return min(seconds)
