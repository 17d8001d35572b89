"""Measure and record everything that the book prints of this machine, and what needs a GPU or many hours to be printed.

::

    python -m experiments.all path/to/ESC-10 runs

Stopped at any moment and called again, it goes on where it was. The quick measurements come first, the paper's 600
and 1,200 epochs last; the results are in ``runs/results``. On several GPUs,
``--train "torchrun --nproc-per-node 8 -m envnet_tutorial train --share folds"`` gives each GPU folds of its own.
"""

import argparse
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from envnet_tutorial.commands.train import add_data_options, numbers
from envnet_tutorial.errors import InputError
from envnet_tutorial.files import PART_SUFFIX
from experiments.program import call

#: Runs over all folds: their name, and what ``train`` is told; the quick ones first.
FAST_RUNS = {
    "fast": "--network envnet-pooled-norm --preset fast --keep-filters 10",
    "fast-between-class": "--network envnet-pooled-norm --preset fast --mix bc --keep-filters 20",
    "fast-double": "--network envnet-pooled-norm --preset fast --epochs 120 --keep-filters 20",
    "fast-between-class-equal": "--network envnet-pooled-norm --preset fast --mix bc --epochs 60 --keep-filters 10",
    "fast-paper-order": "--network envnet-reordered --preset fast --keep-filters 10",
    "fast-compact": "--network compact-pooled-norm --preset fast",
    "fast-compact-mel": "--network compact-mel --preset fast",
    "fast-compact-double": "--network compact-pooled-norm --preset fast --epochs 120",
    "fast-compact-mel-double": "--network compact-mel --preset fast --epochs 120",
    "fast-mel-cnn": "--network mel-cnn --preset fast",
    "fast-mel-fixed-filters": "--network mel-fixed-filters --preset fast",
    "fast-mel-start": "--network mel-start --preset fast",
    "short": "--network envnet-pooled-norm --preset short --keep-filters 10",
    "short-between-class": "--network envnet-pooled-norm --preset short --mix bc --keep-filters 20",
    "short-paper-order": "--network envnet-reordered --preset short --keep-filters 10",
} | {
    f"fast-{network}": f"--network {network} --preset fast"
    for network in ("m3", "m5", "m11", "m18", "m34-res", "wavemsnet", "envnet-v2")
}
SLOW_RUNS = {
    "paper-recipe": "--network envnet-pooled-norm --preset paper --keep-filters 100",
    "paper": "--network envnet-reordered --preset paper --keep-filters 100",
    "paper-between-class": "--network envnet-reordered --preset paper --mix bc --keep-filters 200",
}
#: Variants of the ablation that may replace `fast`, each fold choosing by the others.
LEADS = ("between-class", "strong augmentation", "batch of 16")
PYTHON = (sys.executable, "-m")


class Step(NamedTuple):
    """A command, the name of the file that keeps what it prints, and the folder of the result that it writes."""

    name: str
    command: list[str]
    result: Path | None = None


def steps(options: argparse.Namespace, device: str) -> Iterator[Step]:
    """Yield what is to be done on a device, "cpu" or "cuda", in its order."""
    seeds = options.seeds.split(",")
    yield from measurements(options, device)
    yield from fold_runs(FAST_RUNS, options, device)
    for network in ("compact", "compact-mel"):
        command = ["experiments.weights", options.data, str(options.out / f"fast-{network}-seed{seeds[0]}")]
        yield with_result(f"{network}-weights", command, options, device)
    command = ["experiments.activations", str(options.out / f"fast-seed{seeds[0]}")]
    yield with_result("activations", command, options, device)
    given = [options.data, *data_options(options), "--quiet", "--trainings"]
    for base in ("fast", "short"):
        asked = ["--base", base, "--folds", "1,2,3,4,5", "--seeds", str(len(seeds))]
        command = ["experiments.ablation", *given, str(options.out / f"{base}-ablation"), *asked]
        yield with_result(f"{base}-ablation", command, options, device)
    leads = [word for variant in LEADS for word in ("--only", variant)]
    command = ["experiments.choice", *given, str(options.out / "choice"), "--seeds", str(len(seeds)), *leads]
    yield with_result("choice", command, options, device)
    for classifier, count in (("nearest", "20"), ("envnet", str(len(seeds)))):
        command = ["experiments.leak", *given, str(options.out / "leak"), "--classifier", classifier, "--seeds", count]
        yield with_result(f"leak-{classifier}", command, options, device)
    yield with_result("controls", ["experiments.controls", *given, str(options.out / "controls")], options, device)
    run = str(options.out / f"short-seed{seeds[0]}")
    yield with_result("listening", ["experiments.listening", run, options.data], options, device)
    yield from fold_runs(SLOW_RUNS, options, device)


def with_result(name: str, command: list[str], options: argparse.Namespace, device: str) -> Step:
    """Return the step of a program that writes a result, which is named after the step and the device."""
    result = options.out / "results" / f"{name}-{device}"
    return Step(name, [*PYTHON, *command, "--out", str(result)], result)


def measurements(options: argparse.Namespace, device: str) -> Iterator[Step]:
    """Yield what measures the speed of a machine."""
    throughput = ["benchmarks.throughput", "--rounds", "10", "--device", device]
    throughput += ["--steps", "20" if device == "cuda" else "1"]
    yield Step("limits", [*PYTHON, "benchmarks.limits", "--measure", "--device", device])
    yield with_result("throughput", throughput, options, device)
    if device == "cuda":  # where half the numbers' size is twice the speed, against mixing on the processor
        mixed = [*throughput, "--precision", "bfloat16", "--mix", "bc"]
        yield with_result("throughput-mixed", mixed, options, device)
        lessons = ["--timeout", "900", "--nbval-lax", "--nbval-current-env", "notebooks"]
        yield Step("lessons", [*PYTHON, "pytest", *lessons])


def fold_runs(runs: dict[str, str], options: argparse.Namespace, device: str) -> Iterator[Step]:
    """Yield a training of all folds for each run and seed, and one result of all seeds of a run."""
    train = shlex.split(options.train) if options.train else [*PYTHON, "envnet_tutorial", "train"]
    for name, told in runs.items():
        folders = {seed: str(options.out / f"{name}-seed{seed}") for seed in options.seeds.split(",")}
        for seed, folder in folders.items():
            given = ["--data", options.data, *data_options(options), "--out", folder, "--resume", "--quiet"]
            yield Step(f"{name}-seed{seed}", [*train, *given, "--seed", seed, *shlex.split(told)])
        yield with_result(name, ["experiments.record", *folders.values()], options, device)


def data_options(options: argparse.Namespace) -> list[str]:
    """Return what the programs are told of the data."""
    given = {"--data-name": options.data_name, "--data-note": options.data_note}
    return [word for option, value in given.items() if value for word in (option, value)]


def do_once(step: Step, logs: Path) -> None:
    """Run a step unless it has been run to its end; print what it prints, and keep it.

    Raises
    ------
    InputError
        If it fails; it has said itself why. If what it has left before is of another command.
    """
    log, asked = logs / f"{step.name}.txt", f"$ {shlex.join(step.command[1:])}\n"
    if log.exists():
        with log.open(encoding="utf-8") as file:
            if file.readline() == asked:
                return
        raise InputError(
            f"{log} is of other data, seeds or options: name another folder, or give what it was made with"
        )
    if step.result and step.result.exists():  # a result is written whole or not at all
        return
    begun, part = time.monotonic(), log.with_name(log.name + PART_SUFFIX)
    output = {"stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with part.open("w", encoding="utf-8") as file, subprocess.Popen(step.command, **output) as process:
        file.write(asked)
        for line in process.stdout:
            print(line, end="", flush=True)
            file.write(line)
    if process.returncode:
        raise InputError(f"{step.name} ended with status {process.returncode}; called again, this goes on with it")
    part.replace(log)
    print(f"{step.name}: {time.monotonic() - begun:.0f} s", flush=True)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="a folder in ESC-50's layout, or a set's name")
    parser.add_argument("out", type=Path, help="folder for the runs, what each step prints, and the results")
    add_data_options(parser)
    parser.add_argument("--seeds", default="0,1,2", help="seeds of each run (default: 0,1,2)")
    parser.add_argument("--train", metavar="COMMAND", help="instead of `python -m envnet_tutorial train`")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what has not been done."""
    options = build_parser().parse_args(arguments)
    options.seeds = ",".join(map(str, numbers(options.seeds, "--seeds")))
    options.out.mkdir(parents=True, exist_ok=True)
    for step in steps(options, "cuda" if torch.cuda.is_available() else "cpu"):
        do_once(step, options.out)


if __name__ == "__main__":
    sys.exit(call(main))
