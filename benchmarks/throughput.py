"""Training speed of EnvNet on this machine: the plain loop against ours, in one run.

    python -m benchmarks.throughput

Each network trains on batches of random waveforms: forward, loss, backward and step of Nesterov's stochastic gradient
descent. `plain` is the network as it is drawn, each clip cropped on its own and collated as a `DataLoader` does, with
the optimiser that one gets by default. `paper, reordered` is the same network in a faster order of evaluation, `pooled
norm` is the variant that normalises after pooling; both read whole batches and use the fused optimiser. The networks
take turns, so that whatever else the machine does slows all of them, and each round gives a ratio of its own.

The arithmetic limit is a matrix product's rate in the same rounds over the multiplications and additions of the plain
network (three times those of its forward pass), so a variant that needs fewer may pass 100 %. Processor seconds count
the time of all threads and suffer less from other programs than the clock does, but include waiting in a loop.

Peak memory is that of a process of its own that trains two steps.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from envnet_tutorial.models import EnvNet
from envnet_tutorial.models.pooled_norm import PooledNormEnvNet
from envnet_tutorial.models.reordered import ReorderedEnvNet
from envnet_tutorial.settings import ENVNET_INPUT

NETWORKS = {"plain": EnvNet, "paper, reordered": ReorderedEnvNet, "pooled norm": PooledNormEnvNet}
CLASSES = 10


class Trainer:
    """One network with its optimiser and clips, ready to train a step at a time."""

    def __init__(self, name: str, batch: int, num_clips: int = 128):
        torch.manual_seed(0)
        self.is_plain = name == "plain"
        self.batch = batch
        self.model = NETWORKS[name](CLASSES)
        if not self.is_plain:
            self.model.to(memory_format=torch.channels_last)
        fused = None if self.is_plain else True
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4, fused=fused
        )
        self.clips = torch.randint(-3_000, 3_000, (num_clips, 3 * ENVNET_INPUT.num_samples), dtype=torch.int16)

    def draw(self) -> torch.Tensor:
        """Return one batch of random crops, shape (batch, 1, time)."""
        length = ENVNET_INPUT.num_samples
        rows = torch.randint(len(self.clips), (self.batch,))
        first = torch.randint(self.clips.shape[1] - length, (self.batch,))
        if self.is_plain:
            crops = [self.clips[row, start : start + length] / 32768 for row, start in zip(rows, first, strict=True)]
            return torch.stack(crops).unsqueeze(1)
        return (self.clips.unfold(1, length, 1)[rows, first] / 32768).unsqueeze(1)

    def step(self) -> None:
        """Train one step."""
        scores = self.model(self.draw())
        loss = functional.cross_entropy(scores, torch.randint(CLASSES, (self.batch,)))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()


def product_rate(size: int = 2048) -> float:
    """Measure how many additions and multiplications a second a float32 matrix product does."""
    a = torch.randn(size, size)
    started = time.perf_counter()
    a @ a
    return 2 * size**3 / (time.perf_counter() - started)


def operations_per_clip(model: nn.Module) -> int:
    """Count the additions and multiplications of a training step for one clip, three times the forward pass."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.zeros(1, 1, ENVNET_INPUT.num_samples))
    return 3 * counter.get_total_flops()


def peak_memory(name: str, batch: int) -> float:
    """Return the largest memory of a process that trains two steps, in GiB."""
    command = [sys.executable, "-m", "benchmarks.throughput", "--memory-of", name, "--batch", str(batch)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(batch: int, rounds: int) -> pd.DataFrame:
    """Let the networks take turns; one row a step: network, round, clips/s, processor seconds, product rate."""
    trainers = {name: Trainer(name, batch) for name in NETWORKS}
    rows = []
    for number in range(rounds + 1):
        rate = max(product_rate() for _ in range(3))
        for name, trainer in trainers.items():
            wall, processor = time.perf_counter(), time.process_time()
            trainer.step()
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            rows.append({"network": name, "round": number, "clips/s": batch / wall, "cpu": processor, "product": rate})
    table = pd.DataFrame(rows)
    return table[table["round"] > 0]  # the first round allocates


def summarise(table: pd.DataFrame, batch: int) -> pd.DataFrame:
    """Return one row a network: median and quartiles of clips/s, its ratio to plain, share of the limit, memory."""
    limit = table["product"].median() / operations_per_clip(EnvNet(CLASSES))
    speed = table.pivot(index="round", columns="network", values="clips/s")
    cpu = table.pivot(index="round", columns="network", values="cpu")
    lines = []
    for name in NETWORKS:
        low, middle, high = np.percentile(speed[name], [25, 50, 75])
        ratio = np.percentile(speed[name] / speed["plain"], [25, 50, 75])
        lines.append(
            {
                "network": name,
                "n": len(speed),
                "clips/s": f"{middle:.1f} ({low:.1f} to {high:.1f})",
                "ratio": f"{ratio[1]:.2f} ({ratio[0]:.2f} to {ratio[2]:.2f})",
                "ratio of processor time": f"{(cpu['plain'] / cpu[name]).median():.2f}",
                "share of limit": f"{middle / limit:.0%}",
                "peak GiB": f"{peak_memory(name, batch):.1f}",
            }
        )
    return pd.DataFrame(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Training speed of EnvNet: the plain loop against ours.")
    parser.add_argument("--batch", type=int, default=64, help="clips in one step")
    parser.add_argument("--rounds", type=int, default=5, help="steps of each network that count")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads to use")
    parser.add_argument("--memory-of", choices=NETWORKS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory_of:
        trainer = Trainer(options.memory_of, options.batch)
        trainer.step()
        trainer.step()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
        return
    table = measure(options.batch, options.rounds)
    product = table["product"].median() / 1e9
    operations = operations_per_clip(EnvNet(CLASSES)) / 1e9
    print(f"torch {torch.__version__}, {options.threads} threads, batch {options.batch}; median (quartiles)")
    print(f"limit: {product:.0f} GFLOP/s over {operations:.2f} GFLOP a clip = {product / operations:.0f} clips/s")
    print(summarise(table, options.batch).to_string(index=False))


if __name__ == "__main__":
    main()
