"""Training speed of EnvNet on this machine: the plain loop against ours, in one run.

    python -m benchmarks.throughput --rounds 10
    python -m benchmarks.throughput --device cuda --precision bfloat16 --mix bc --steps 20

Each network trains on random crops of noise: forward, loss, backward and step of Nesterov's stochastic gradient
descent. `plain` is the network as it is drawn, fed by a `DataLoader` that crops (and mixes) each clip on its own, with
the optimiser that one gets by default. `paper, reordered` is the same network in a faster order of evaluation, `pooled
norm` is the variant that normalises after pooling; both draw whole batches on the device as `training.fit` does, use
the fused optimiser and keep the memory that they free. Each has a process of its own, and the networks take turns, so
that whatever else the machine does slows all of them, and each round gives a ratio of its own.

The limit is the rate of a matrix product in the same rounds over the multiplications and additions of the plain
network's training step, so a variant that needs fewer may pass 100 %; `bound` is the roofline of each network's own
layers (`envnet_tutorial.costs`), with the bandwidth of a copy, which no program passes. Processor seconds count the
time of all threads and suffer less from other programs than the clock does, but include waiting in a loop.

Peak memory is what the process of a network has held (CPU), or its tensors (GPU).
"""

import argparse
import itertools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler

from benchmarks.limits import DTYPES, copy_bandwidth, matrix_rate, wait_for
from envnet_tutorial import augment, costs, runs
from envnet_tutorial.models import EnvNet
from envnet_tutorial.models.pooled_norm import PooledNormEnvNet
from envnet_tutorial.models.reordered import ReorderedEnvNet
from envnet_tutorial.settings import CLIP_SECONDS, ENVNET_INPUT
from envnet_tutorial.training import Recipe, kl_loss
from envnet_tutorial.training.batches import DeviceClips, draw_batch, epoch_rows
from envnet_tutorial.training.checkpoints import write_atomically
from envnet_tutorial.training.runtime import keep_memory, precision_context

NETWORKS = {"plain": EnvNet, "paper, reordered": ReorderedEnvNet, "pooled norm": PooledNormEnvNet}
BOUNDS = {"plain": "plain", "paper, reordered": "paper, reordered", "pooled norm": "pooled norm, in cache"}
CLASSES = 10
CLIPS = 128
ENDLESS = 10**9


class OneByOne(Dataset):
    """Clips that are cropped, and mixed, one at a time on the processor, as most published loops do."""

    def __init__(self, clips: DeviceClips, recipe: Recipe):
        self.clips, self.recipe = clips, recipe
        self.generator = torch.Generator().manual_seed(0)

    def __len__(self) -> int:
        return len(self.clips.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        """Return one waveform (1, time) and the probability of each class."""
        other = row
        while self.recipe.mix == "bc" and self.clips.labels[other] == self.clips.labels[row]:
            other = int(torch.randint(len(self), (1,), generator=self.generator))
        rows = (torch.tensor([row]), torch.tensor([other]))[: 2 if self.recipe.mix == "bc" else 1]
        waveform, target = draw_batch(self.clips, rows, self.recipe, ENVNET_INPUT, self.generator)
        return waveform[0], target[0]


def noise(batch: int, device: torch.device) -> DeviceClips:
    """Make clips of noise on a device, as many as fill whole batches."""
    count = max(CLIPS // batch, 1) * batch
    samples = torch.randint(-3_000, 3_000, (count, CLIP_SECONDS * ENVNET_INPUT.sample_rate), dtype=torch.int16)
    labels = torch.arange(count) % CLASSES
    return DeviceClips(samples.to(device), labels.to(device), augment.whole_span(samples.to(device)), CLASSES)


def plain_batches(recipe: Recipe, workers: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches for ever, each clip drawn on its own, with worker processes beside the loop if wanted."""
    clips = OneByOne(noise(recipe.batch_size, torch.device("cpu")), recipe)
    sampler = RandomSampler(clips, replacement=True, num_samples=ENDLESS)
    yield from DataLoader(clips, recipe.batch_size, sampler=sampler, num_workers=workers)


def our_batches(recipe: Recipe, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches for ever, drawn as whole tensors on the device."""
    clips, generator = noise(recipe.batch_size, device), torch.Generator(device).manual_seed(0)
    for _ in itertools.count():
        for rows in epoch_rows(clips, recipe, generator):
            yield draw_batch(clips, rows, recipe, ENVNET_INPUT, generator)


class Trainer:
    """One network with its optimiser and clips, ready to train a step at a time."""

    def __init__(self, name: str, recipe: Recipe, device: torch.device, workers: int = 0):
        torch.manual_seed(0)
        is_plain = name == "plain"
        self.device, self.precision = device, recipe.precision
        self.model = NETWORKS[name](CLASSES).to(device)
        if not is_plain:
            self.model.to(memory_format=torch.channels_last)
        optimiser = {"lr": recipe.learning_rate, "momentum": recipe.momentum, "weight_decay": recipe.weight_decay}
        fused = None if is_plain else True
        self.optimizer = torch.optim.SGD(self.model.parameters(), nesterov=True, fused=fused, **optimiser)
        self.batches = plain_batches(recipe, workers) if is_plain else our_batches(recipe, device)

    def step(self) -> None:
        """Train one step."""
        waveforms, targets = next(self.batches)
        waveforms, targets = waveforms.to(self.device), targets.to(self.device)
        with precision_context(self.device, self.precision):
            scores = self.model(waveforms)
        self.optimizer.zero_grad(set_to_none=True)
        kl_loss(scores, targets).backward()
        self.optimizer.step()


def recipe_of(options: argparse.Namespace) -> Recipe:
    """Return what is trained: the paper's recipe with the batch, mixing and precision that are asked for."""
    chosen = {"batch_size": options.batch, "mix": options.mix, "precision": options.precision}
    return Recipe(name="benchmark", epochs=1, learning_rate=0.01, schedule="steps", **chosen)


def own_peak(device: torch.device) -> int:
    """Return the most bytes that this process has held: its tensors on a GPU, or all of it.

    Linux keeps the peak of the program itself as VmHWM; that of `getrusage` begins at its parent's.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def take_turn(trainer: Trainer, steps: int) -> dict:
    """Train some steps; return seconds by the clock and of all threads, and the peak memory so far in bytes."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(steps):
        trainer.step()
    wait_for(trainer.device)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return {"wall": wall, "cpu": processor, "peak": own_peak(trainer.device)}


def serve(name: str, options: argparse.Namespace) -> None:
    """Train a turn for each line that comes in, and answer each with a line of JSON."""
    if name != "plain":
        keep_memory()
    trainer = Trainer(name, recipe_of(options), torch.device(options.device), options.workers)
    for _ in sys.stdin:
        print(json.dumps(take_turn(trainer, options.steps)), flush=True)


@contextmanager
def started(options: argparse.Namespace) -> Iterator[dict[str, Callable[[], dict]]]:
    """Start a process for each network; yield what lets it take a turn."""
    given = ["batch", "steps", "threads", "device", "precision", "mix", "workers"]
    arguments = list(itertools.chain.from_iterable((f"--{key}", str(getattr(options, key))) for key in given))
    command = [sys.executable, "-m", "benchmarks.throughput", *arguments, "--serve"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with ExitStack() as stack:
        processes = {name: stack.enter_context(subprocess.Popen([*command, name], **pipes)) for name in NETWORKS}

        def turn(process: subprocess.Popen) -> dict:
            print("go", file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        yield {name: partial(turn, process) for name, process in processes.items()}


def measure(options: argparse.Namespace, turns: dict[str, Callable[[], dict]]) -> pd.DataFrame:
    """Let the networks take turns; one row a turn: network, round, speed, seconds, peak, the machine's rates."""
    device, rows = torch.device(options.device), []
    for number in range(options.rounds + 1):
        machine = {
            "rate": matrix_rate(device, DTYPES[options.precision], repeats=3),
            "bandwidth": copy_bandwidth(device, repeats=3),
        }
        for name, turn in turns.items():
            taken = turn()
            speed = options.steps * options.batch / taken["wall"]
            rows.append({"network": name, "round": number, "clips/s": speed, **taken, **machine})
    table = pd.DataFrame(rows)
    return table[table["round"] > 0].reset_index(drop=True)  # the first round allocates


def quartiles(values: pd.Series) -> list[float]:
    """Return first quartile, median and third quartile."""
    return np.percentile(values, [25, 50, 75]).tolist()


def summarise(table: pd.DataFrame, batch: int, value_bytes: int) -> pd.DataFrame:
    """Return one row a network: quartiles of clips/s and of its ratio to plain, share of the limit, bound, memory."""
    passes, rate = costs.training_passes(EnvNet, CLASSES), table["rate"].median()
    limit = rate / passes["operations"].sum()
    speed = table.pivot(index="round", columns="network", values="clips/s")
    cpu = table.pivot(index="round", columns="network", values="cpu")
    peak = table.groupby("network")["peak"].max() / 2**30
    lines = []
    for name in NETWORKS:
        own = costs.ORDERS[BOUNDS[name]](passes)
        low, middle, high = quartiles(speed[name])
        ratio = dict(zip(("ratio_low", "ratio", "ratio_high"), quartiles(speed[name] / speed["plain"]), strict=True))
        bound = costs.fastest(own, rate, table["bandwidth"].median(), batch=batch, value_bytes=value_bytes)
        line = {"network": name, "n": len(speed), "low": low, "clips/s": middle, "high": high, **ratio}
        line["processor_ratio"] = (cpu["plain"] / cpu[name]).median()
        lines.append(line | {"limit": limit, "share": middle / limit, "bound": bound, "peak_gib": peak[name]})
    return pd.DataFrame(lines)


def spelled_out(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the summary as it is read: median (quartiles)."""
    columns = {"network": summary["network"], "n": summary["n"]}
    for name, low, middle, high, digits in (
        ("clips/s", "low", "clips/s", "high", 1),
        ("ratio", "ratio_low", "ratio", "ratio_high", 2),
    ):
        texts = (
            f"{m:.{digits}f} ({a:.{digits}f} to {b:.{digits}f})" for a, m, b in summary[[low, middle, high]].values
        )
        columns[name] = list(texts)
    columns["ratio of processor time"] = summary["processor_ratio"].map("{:.2f}".format)
    columns["share of limit"] = summary["share"].map("{:.0%}".format)
    columns["bound"] = summary["bound"].map("{:.0f}".format)
    columns["peak GiB"] = summary["peak_gib"].map("{:.1f}".format)
    return pd.DataFrame(columns)


def write(path: Path, options: argparse.Namespace, table: pd.DataFrame, summary: pd.DataFrame) -> None:
    """Keep the measurement with everything that is needed to make it again."""
    asked = {key: value for key, value in vars(options).items() if key not in ("out", "serve")}
    machine = runs.provenance(torch.device(options.device))
    tables = {"summary": summary.to_dict("records"), "rounds": table.to_dict("records")}
    text = json.dumps({"command": "python -m benchmarks.throughput", "options": asked} | machine | tables, indent=1)
    write_atomically(path, lambda file: file.write(f"{text}\n".encode()))


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=64, help="clips in one step (default: 64)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each network that count (default: 5)")
    parser.add_argument("--steps", type=int, default=1, help="steps in one turn; on a GPU many (default: 1)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads to use")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32", help="of the activations")
    parser.add_argument("--mix", choices=("none", "bc"), default="none", help="bc: mix clips of different classes")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw for the plain loop (default: 0)")
    parser.add_argument("--out", type=Path, help="write the measurement here, JSON")
    parser.add_argument("--serve", choices=NETWORKS, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main() -> None:
    """Measure and print."""
    options = parse()
    torch.set_num_threads(options.threads)
    if options.serve:
        serve(options.serve, options)
        return
    with started(options) as turns:
        table = measure(options, turns)
    summary = summarise(table, options.batch, DTYPES[options.precision].itemsize)
    rate, bandwidth = table["rate"].median() / 1e9, table["bandwidth"].median() / 1e9
    print(f"torch {torch.__version__}, {options.device}, {options.threads} threads, {options.precision}")
    print(f"batch {options.batch}, mixing: {options.mix}; median (quartiles)")
    print(
        f"{rate:,.0f} GFLOP/s of a matrix product: limit {summary['limit'].iloc[0]:,.0f} clips/s; {bandwidth:.1f} GB/s"
    )
    print(spelled_out(summary).to_string(index=False))
    if options.out:
        write(options.out, options, table, summary)


if __name__ == "__main__":
    main()
