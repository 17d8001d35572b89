"""Training speed of EnvNet on this machine: the plain loop against ours, in one run.

    python -m benchmarks.throughput --rounds 10
    python -m benchmarks.throughput --device cuda --precision bfloat16 --mix bc --steps 20

Each network trains on random crops of noise: forward, loss, backward and step of Nesterov's stochastic gradient
descent. `plain` is the network as it is drawn, fed by a `DataLoader` that crops (and mixes) each clip on its own, with
the optimiser that one gets by default; it also runs with the memory kept that it frees, and under autocast to bfloat16.
`paper, reordered` is the same network in a faster order of evaluation, `pooled norm` is the variant that normalises
after pooling, in float32 and in bfloat16 (where the device has instructions for it); both draw whole batches on the
device as `training.fit` does, use the fused optimiser and keep their memory. With `--precision` the three networks run
in that format, and nothing else does. Each entry has a process of its own, and they take turns, so that whatever else
the machine does slows all of them, and each round gives a ratio of its own.

The limit is the rate of a matrix product, in the entry's format and the same rounds, over the multiplications and
additions of the plain network's training step, so a variant that needs fewer may pass 100 %; `bound` is the roofline of
each network's own layers (`envnet_tutorial.costs`), with the bandwidth of a copy, which no program passes. Processor
seconds count the time of all threads and suffer less from other programs than the clock does, but include waiting in a
loop.

Peak memory is what the process of a network has held (CPU), or its tensors (GPU).
"""

import argparse
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler

from benchmarks.limits import DTYPES, copy_bandwidth, matrix_rate, wait_for
from benchmarks.summary import spelled_out, summarise
from envnet_tutorial import augment, models
from envnet_tutorial.formats import precision_context
from envnet_tutorial.models import EnvNet
from envnet_tutorial.models.pooled_norm import PooledNormEnvNet
from envnet_tutorial.models.reordered import ReorderedEnvNet
from envnet_tutorial.provenance import command_line, provenance
from envnet_tutorial.results import SHIPPED, Result
from envnet_tutorial.settings import CLIP_SECONDS, InputFormat
from envnet_tutorial.training import Recipe, kl_loss
from envnet_tutorial.training.batches import DeviceClips, draw_batch, epoch_rows
from envnet_tutorial.training.device import fast_precision, keep_memory, peak_memory

NETWORKS = {"plain": EnvNet, "paper, reordered": ReorderedEnvNet, "pooled norm": PooledNormEnvNet}
WARM_UP = 3  # rounds that do not count: the C library needs a few steps until it holds all that one takes
CLASSES = 10
CLIPS = 128
ENDLESS = 10**9


class Entry(NamedTuple):
    """What takes turns: a network's name, a number format, and whether the process keeps the memory that it frees.

    The names are the keys of `NETWORKS`, and those by which other networks of the book are trained.
    """

    network: str
    precision: str
    keeps_memory: bool


ENTRIES = {
    "plain": Entry("plain", "float32", keeps_memory=False),
    "plain, memory kept": Entry("plain", "float32", keeps_memory=True),
    "plain, bfloat16": Entry("plain", "bfloat16", keeps_memory=False),
    "paper, reordered": Entry("paper, reordered", "float32", keeps_memory=True),
    "pooled norm": Entry("pooled norm", "float32", keeps_memory=True),
    "pooled norm, bfloat16": Entry("pooled norm", "bfloat16", keeps_memory=True),
}


def entries(options: argparse.Namespace) -> dict[str, Entry]:
    """Return what takes turns: those of `ENTRIES` that suit the device, or each network once, in the format asked for.

    A processor without instructions for products of bfloat16 imitates them, hundreds of times as slowly.
    """
    precision = options.precision or "float32"
    others = {name: Entry(name, precision, keeps_memory=True) for name in options.network}
    if options.precision is not None:
        return {name: Entry(name, precision, keeps_memory=name != "plain") for name in NETWORKS} | others
    formats = {"float32", fast_precision(torch.device(options.device))}
    return {name: entry for name, entry in ENTRIES.items() if entry.precision in formats} | others


class OneByOne(Dataset):
    """Clips that are cropped, and mixed, one at a time on the processor, as most published loops do."""

    def __init__(self, clips: DeviceClips, recipe: Recipe, heard: InputFormat):
        self.clips, self.recipe, self.heard = clips, recipe, heard
        self.generator = torch.Generator().manual_seed(0)

    def __len__(self) -> int:
        return len(self.clips.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        """Return one waveform (1, time) and the probability of each class."""
        other = row
        while self.recipe.mix == "bc" and self.clips.labels[other] == self.clips.labels[row]:
            other = int(torch.randint(len(self), (1,), generator=self.generator))
        rows = (torch.tensor([row]), torch.tensor([other]))[: 2 if self.recipe.mix == "bc" else 1]
        waveform, target = draw_batch(self.clips, rows, self.recipe, self.heard, self.generator)
        return waveform[0], target[0]


def noise(batch: int, device: torch.device, heard: InputFormat) -> DeviceClips:
    """Make clips of noise on a device, as many as fill whole batches."""
    count = max(CLIPS // batch, 1) * batch
    samples = torch.randint(-3_000, 3_000, (count, CLIP_SECONDS * heard.sample_rate), dtype=torch.int16)
    labels = torch.arange(count) % CLASSES
    return DeviceClips(samples.to(device), labels.to(device), augment.whole_span(samples.to(device)), CLASSES)


def plain_batches(recipe: Recipe, workers: int, heard: InputFormat) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches for ever, each clip drawn on its own, with worker processes beside the loop if wanted."""
    clips = OneByOne(noise(recipe.batch_size, torch.device("cpu"), heard), recipe, heard)
    sampler = RandomSampler(clips, replacement=True, num_samples=ENDLESS)
    yield from DataLoader(clips, recipe.batch_size, sampler=sampler, num_workers=workers)


def our_batches(recipe: Recipe, device: torch.device, heard: InputFormat) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches for ever, drawn as whole tensors on the device."""
    clips, generator = noise(recipe.batch_size, device, heard), torch.Generator(device).manual_seed(0)
    for _ in itertools.count():
        for rows in epoch_rows(clips, recipe, generator):
            yield draw_batch(clips, rows, recipe, heard, generator)


class Trainer:
    """One network with its optimiser and clips, ready to train a step at a time."""

    def __init__(self, entry: Entry, recipe: Recipe, device: torch.device, workers: int = 0):
        torch.manual_seed(0)
        is_plain = entry.network == "plain"
        self.device, self.precision = device, entry.precision
        network = NETWORKS.get(entry.network) or models.NETWORKS[entry.network]
        self.model, heard = network(CLASSES).to(device), network.input_format
        if not is_plain:
            self.model.to(memory_format=torch.channels_last)
        optimiser = {"lr": recipe.learning_rate, "momentum": recipe.momentum, "weight_decay": recipe.weight_decay}
        fused = None if is_plain else True
        self.optimizer = torch.optim.SGD(self.model.parameters(), nesterov=True, fused=fused, **optimiser)
        self.batches = plain_batches(recipe, workers, heard) if is_plain else our_batches(recipe, device, heard)

    def step(self) -> None:
        """Train one step."""
        waveforms, targets = next(self.batches)
        waveforms, targets = waveforms.to(self.device), targets.to(self.device)
        with precision_context(self.device, self.precision):
            logits = self.model(waveforms)
        self.optimizer.zero_grad(set_to_none=True)
        kl_loss(logits, targets).backward()
        self.optimizer.step()


def recipe_of(options: argparse.Namespace) -> Recipe:
    """Return what is trained: the paper's recipe with the batch and mixing that are asked for."""
    chosen = {"batch_size": options.batch, "mix": options.mix}
    return Recipe(name="benchmark", epochs=1, learning_rate=0.01, schedule="steps", **chosen)


def take_turn(trainer: Trainer, steps: int) -> dict:
    """Train some steps; return seconds by the clock and of all threads, and the peak memory so far in bytes."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(steps):
        trainer.step()
    wait_for(trainer.device)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return {"wall": wall, "cpu": processor, "peak": peak_memory(trainer.device)}


def serve(name: str, options: argparse.Namespace) -> None:
    """Train a turn for each line that comes in, and answer each with a line of JSON."""
    entry = entries(options)[name]
    if entry.keeps_memory:
        keep_memory()
    trainer = Trainer(entry, recipe_of(options), torch.device(options.device), options.workers)
    for _ in sys.stdin:
        print(json.dumps(take_turn(trainer, options.steps)), flush=True)


@contextmanager
def started(options: argparse.Namespace) -> Iterator[dict[str, Callable[[], dict]]]:
    """Start a process for each entry; yield what lets it take a turn."""
    given = ["batch", "steps", "threads", "device", "mix", "workers", *(["precision"] if options.precision else [])]
    arguments = list(itertools.chain.from_iterable((f"--{key}", str(getattr(options, key))) for key in given))
    arguments += [word for name in options.network for word in ("--network", name)]
    command = [sys.executable, "-m", "benchmarks.throughput", *arguments, "--serve"]
    names = entries(options)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with ExitStack() as stack:
        processes = {name: stack.enter_context(subprocess.Popen([*command, name], **pipes)) for name in names}

        def turn(process: subprocess.Popen) -> dict:
            print("go", file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        yield {name: partial(turn, process) for name, process in processes.items()}


def measure(options: argparse.Namespace, turns: dict[str, Callable[[], dict]]) -> pd.DataFrame:
    """Let the entries take turns; one row a turn: entry, format, round, speed, seconds, peak, the machine's rates."""
    device, rows = torch.device(options.device), []
    formats = {name: entry.precision for name, entry in entries(options).items()}
    for number in range(1 - WARM_UP, options.rounds + 1):
        rates = {precision: matrix_rate(device, DTYPES[precision], repeats=3) for precision in set(formats.values())}
        bandwidth = copy_bandwidth(device, repeats=3)
        for name, turn in turns.items():
            row = {"network": name, "precision": formats[name], "round": number} | turn()
            row["clips/s"] = options.steps * options.batch / row["wall"]
            rows.append(row | {"rate": rates[formats[name]], "bandwidth": bandwidth})
    table = pd.DataFrame(rows)
    return table[table["round"] > 0].reset_index(drop=True)


def write(folder: Path, options: argparse.Namespace, machine: dict, table: pd.DataFrame, summary: pd.DataFrame) -> None:
    """Keep the measurement as a result, with everything that is needed to make it again."""
    asked = {key: value for key, value in vars(options).items() if key not in ("out", "name", "serve")}
    settings = {"kind": "throughput", "options": asked, "commands": [machine["command"]], "provenance": [machine]}
    Result(settings, {"summary": summary, "rounds": table}).save(folder)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=64, help="clips in one step (default: 64)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each network that count (default: 5)")
    parser.add_argument("--steps", type=int, default=1, help="steps in one turn; on a GPU many (default: 1)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads to use")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        help="of all networks (default: both, if the device multiplies bfloat16)",
    )
    parser.add_argument(
        "--network", choices=models.NETWORKS, action="append", default=[], help="one more to time beside them, by name"
    )
    parser.add_argument("--mix", choices=("none", "bc"), default="none", help="bc: mix clips of different classes")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw for the plain loop (default: 0)")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--out", type=Path, metavar="FOLDER", help="folder of its own to write the measurement to")
    place.add_argument("--name", help="write it into the package, where `load_result(NAME)` finds it")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def destination(options: argparse.Namespace) -> Path | None:
    """Return the folder that the measurement goes to, if it is to be kept; end the program where there is one."""
    folder = options.out or (SHIPPED / options.name if options.name else None)
    if folder and folder.exists():
        sys.exit(f"{folder} exists: remove it or choose another name")
    return folder


def main() -> None:
    """Measure and print."""
    options = parse()
    torch.set_num_threads(options.threads)
    if options.serve:
        serve(options.serve, options)
        return
    folder = destination(options)
    command = command_line("benchmarks.throughput", sys.argv[1:])
    machine = provenance(torch.device(options.device), command=command, data="noise", seed=0)
    with started(options) as turns:
        table = measure(options, turns)
    summary = summarise(table, options.batch, CLASSES)
    print(f"torch {torch.__version__}, {options.device}, {options.threads} threads")
    print(f"batch {options.batch}, mixing: {options.mix}; median (quartiles)")
    for precision, turns in table.groupby("precision", sort=False):
        limit = summary.loc[summary["precision"] == precision, "limit"].iloc[0]
        rate = turns["rate"].median() / 1e9
        print(f"{rate:,.0f} GFLOP/s of a matrix product in {precision}: limit {limit:,.0f} clips/s")
    print(f"{table['bandwidth'].median() / 1e9:.1f} GB/s of a copy")
    print(spelled_out(summary).to_string(index=False))
    if folder:
        write(folder, options, machine, table, summary)


if __name__ == "__main__":
    main()
