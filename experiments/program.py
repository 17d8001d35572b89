"""What the programs have in common: where a result goes, what is said of the data, one sentence for wrong input."""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from envnet_tutorial import provenance
from envnet_tutorial.commands.train import add_data_options
from envnet_tutorial.errors import InputError, refusal
from envnet_tutorial.results import SHIPPED
from envnet_tutorial.run_folder import RunFolder
from envnet_tutorial.training import TrainingStopped


def make_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser that knows where a result goes: ``--out``, or ``--name`` for one of the package's own."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--out", type=Path, metavar="FOLDER", help="folder of its own to write the result to")
    place.add_argument("--name", help="write it into the package, where `load_result(NAME)` finds it")
    return parser


def add_training_options(parser: argparse.ArgumentParser, *, seeds: int, counted: str) -> None:
    """Add what programs that train are told: data, seeds (and what has one), where to keep each, device, progress."""
    parser.add_argument("data", help="a folder in ESC-50's layout, or a set's name")
    add_data_options(parser)
    parser.add_argument("--trainings", type=Path, required=True, metavar="FOLDER", help="where each training is kept")
    parser.add_argument("--seeds", type=at_least(1), default=seeds, help=f"{counted} (default: {seeds})")
    parser.add_argument("--device", help="such as cpu, cuda:1 or mps (default: a GPU if there is one)")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")


def at_least(least: int) -> Callable[[str], int]:
    """Return a type for argparse: whole numbers from `least` on."""

    def read(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more; got {number}")
        return number

    read.__name__ = "int"  # what argparse calls the type of a text that is no number
    return read


def read_arguments(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line, and keep it as it was typed for the provenance."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    return parser.parse_args(arguments, argparse.Namespace(typed=arguments))


def destination(options: argparse.Namespace) -> Path:
    """Return the folder that the result goes to.

    Raises
    ------
    InputError
        If it exists or is no name: better said before the training than after it.
    """
    if options.name is not None and not re.fullmatch(r"[\w-]+", options.name):
        raise InputError(f"--name is one word of letters, digits and hyphens, not {options.name!r}")
    folder = options.out or SHIPPED / options.name
    if folder.exists():
        raise InputError(f"{folder} exists: remove it or choose another name")
    return folder


def provenance_of(options: argparse.Namespace, module: str, device: torch.device) -> dict:
    """Take down what the trainings of a program that starts now depend on; each has a seed of its own."""
    name = provenance.data_name(options.data, options.data_name)
    command = provenance.command_line(module, options.typed, data=options.data, name=name)
    return provenance.provenance(device, command=command, data=name, note=provenance.data_note(options.data_note))


def settings_of(kind: str, run: RunFolder, fold: int) -> dict:
    """Return the settings of a result that the network of one fold of a run has made, with the run's provenance."""
    settings = run.settings
    return {
        "kind": kind,
        "data": run.provenance["data"],
        "network": settings.network,
        "recipe": asdict(settings.recipe),
        "seeds": [settings.seed],
        "folds": [fold],
        "classes": list(settings.classes),
        "commands": [run.provenance["command"]],
        "provenance": [run.provenance],
    }


def call(main: Callable[[], None]) -> int:
    """Run a program; return 0, 2 after one sentence on what was wrong with the input, 1 where training stopped, 130."""
    try:
        main()
    except (InputError, TrainingStopped) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    except OSError as error:
        print(refusal(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0
