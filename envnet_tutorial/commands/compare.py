"""``compare``: one protocol, one table: what each network costs and is worth; what is missing is trained."""

import argparse
import shlex
from itertools import product
from pathlib import Path

from envnet_tutorial.commands.train import add_data_options, chosen_folds, numbers
from envnet_tutorial.errors import InputError


def add_parser(subparsers) -> None:
    """Add ``compare`` to the program; its ``run`` returns 0, or 1 when a training had to stop."""
    parser = subparsers.add_parser(
        "compare",
        help="train networks under one protocol, and put them side by side in one table",
        epilog="Each training is kept below --trainings as a run folder of one fold. Stopped at any time and called "
        "again, compare goes on where it was.",
    )
    parser.add_argument(
        "--data",
        default=None,
        help="a set's name, or a folder laid out as ESC-50 or UrbanSound8K (default: synthetic)",
    )
    add_data_options(parser)
    parser.add_argument("--networks", default="all", help="such as envnet,mel-cnn (default: all)")
    parser.add_argument("--folds", default="all", help="folds to hold out, such as 1 or 1,2 (default: all)")
    parser.add_argument(
        "--seeds", help="of every random choice, such as 0,1,2 (default: 0; with --no-train all there are)"
    )
    parser.add_argument("--preset", default="fast", help="paper, short, fast or lesson (default: fast)")
    parser.add_argument("--trainings", type=Path, metavar="FOLDER", help="where each training is kept")
    parser.add_argument(
        "--no-train", action="store_true", help="only what is cheap, and what has been trained, here or for the book"
    )
    parser.add_argument("--rounds", type=int, default=20, help="windows to time; 0: leave it out (default: 20)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="folder of its own to write the table to")
    parser.add_argument("--device", help="to train on, such as cpu or cuda:1 (default: a GPU if there is one)")
    parser.add_argument("--checkpoint-every", type=int, default=10, metavar="EPOCHS", help="(default: 10)")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train what is missing, then print the table, and write it where it is wanted."""
    from envnet_tutorial import provenance
    from envnet_tutorial.comparison import EMPTY, Protocol, compare
    from envnet_tutorial.datasets import asked_for
    from envnet_tutorial.models import NETWORKS
    from envnet_tutorial.training import PRESETS

    _check(arguments, NETWORKS, PRESETS)
    networks = list(NETWORKS) if arguments.networks == "all" else arguments.networks.split(",")
    data = asked_for(arguments.data)
    num_classes, present = classes_and_folds(data)
    folds = chosen_folds(arguments.folds, present)
    # Where nothing may be trained, whatever there is of the folds and seeds is shown, unless some are asked for.
    seeds = chosen_seeds(arguments)
    stopped = [] if arguments.no_train else train_missing(arguments, data, product(seeds, networks, folds))
    asked = {"folds": None if arguments.no_train and arguments.folds == "all" else folds}
    name = provenance.data_name(arguments.data, arguments.data_name)
    protocol = Protocol(name, PRESETS[arguments.preset], seeds, **asked)
    table = compare(networks, protocol, num_classes, trainings=arguments.trainings, rounds=arguments.rounds)
    show(table, protocol, num_classes)
    if (table["seeds"] == 0).any():
        print(f"{EMPTY}: to be trained with {train_command(arguments, table)}")
    if arguments.out is not None:
        write(arguments, table, protocol, num_classes)
    return 1 if stopped else 0


def chosen_seeds(arguments: argparse.Namespace) -> tuple[int, ...] | None:
    """Read the seeds that are asked for; None for all that there are."""
    if arguments.seeds is None:
        return None if arguments.no_train else (0,)
    seeds = numbers(arguments.seeds, "--seeds")
    if min(seeds) < 0:
        raise InputError(f"--seeds takes whole numbers from 0 on; got {min(seeds)}")
    return seeds


def _check(arguments: argparse.Namespace, networks, presets) -> None:
    """Refuse what cannot be done before anything is done."""
    names = [] if arguments.networks == "all" else arguments.networks.split(",")
    if unknown := [name for name in names if name not in networks]:
        raise InputError(f"there is no network {unknown[0]}; there are {', '.join(networks)}")
    if arguments.preset not in presets:
        raise InputError(f"there is no preset {arguments.preset}; there are {', '.join(presets)}")
    if arguments.rounds < 0:
        raise InputError(f"--rounds must be 0 or more windows; got {arguments.rounds}")
    if arguments.trainings is None and not arguments.no_train:
        raise InputError("give a folder for --trainings, or --no-train to see only what there is")
    if arguments.out is not None and arguments.out.exists():
        raise InputError(f"{arguments.out} exists: remove it or choose another name")


def classes_and_folds(data: str) -> tuple[int, tuple[int, ...]]:
    """Return the number of classes and the folds of a data set, which need not be there if it goes by a name."""
    from envnet_tutorial.datasets import NAMED, open_folder, set_name

    if name := set_name(data):
        num_classes, num_folds = NAMED[name]
        return num_classes, tuple(range(1, num_folds + 1))
    clips = open_folder(Path(data))
    return len(clips.classes), tuple(sorted(set(clips.table["fold"].tolist())))


def train_missing(arguments: argparse.Namespace, data: str, wanted) -> list[Path]:
    """Make every training that is not finished, one after the other; return the folders of those that had to stop."""
    from envnet_tutorial.commands import train
    from envnet_tutorial.comparison.protocol import training_folder
    from envnet_tutorial.run_folder import RunFolder

    parser, stopped = argparse.ArgumentParser(), []
    train.add_parser(parser.add_subparsers())
    for seed, network, fold in wanted:
        folder = training_folder(arguments.trainings, network, arguments.preset, seed, fold)
        if (folder / "settings.json").exists() and RunFolder.open(folder).finished_folds():
            continue
        typed = ["train", "--data", data, "--out", str(folder), "--folds", str(fold), "--network", network]
        typed += ["--preset", arguments.preset, "--seed", str(seed), *passed_on(arguments), "--resume"]
        options = parser.parse_args(
            typed, argparse.Namespace(typed=typed)
        )  # as if it had been typed, so that it can be
        if options.run(options):
            stopped.append(folder)
    return stopped


def passed_on(arguments: argparse.Namespace) -> list[str]:
    """Return the options that ``train`` is to have as well."""
    names = ("data_name", "data_note", "device", "checkpoint_every")
    given = {f"--{name.replace('_', '-')}": getattr(arguments, name) for name in names}
    words = [word for option, value in given.items() if value is not None for word in (option, str(value))]
    return [*words, *(["--quiet"] if arguments.quiet else [])]


def show(table, protocol, num_classes: int) -> None:
    """Print the table, what its columns mean, and where the published numbers are from."""
    from envnet_tutorial.comparison import spelled_out

    print(f"{protocol.data}, {num_classes} classes, recipe {protocol.recipe.name}")
    print(spelled_out(table).to_string())
    rounds = f"median of {int(table['rounds'].max())} windows" if table["rounds"].max() else "not timed"
    print(f"latency and memory: 1.5 s of sound, one window at a time, on one core of this machine; {rounds}")
    print("accuracy: share of the held-out clips, and its standard error over recordings and seeds")
    for source, names in table[table["source"] != ""].groupby("source", sort=False).groups.items():
        print(f"published, {', '.join(names)}: {source}")


def train_command(arguments: argparse.Namespace, table) -> str:
    """Return the command that trains the networks of a table that have not been trained, of what was asked for."""
    missing = ",".join(table.index[table["seeds"] == 0])
    asked = {"data": arguments.data, "data-name": arguments.data_name, "networks": missing}
    asked |= {"folds": None if arguments.folds == "all" else arguments.folds, "seeds": arguments.seeds}
    asked |= {"preset": arguments.preset, "trainings": str(arguments.trainings or "runs/compare")}
    options = [word for name, value in asked.items() if value is not None for word in (f"--{name}", value)]
    return shlex.join(["python", "-m", "envnet_tutorial", "compare", *options])


def write(arguments: argparse.Namespace, table, protocol, num_classes: int) -> None:
    """Keep the table as a result, with what is needed to make it again."""
    from dataclasses import asdict

    import torch

    from envnet_tutorial import provenance
    from envnet_tutorial.comparison import held
    from envnet_tutorial.results import Result

    command = provenance.command_line("envnet_tutorial", arguments.typed, data=arguments.data, name=protocol.data)
    machine = provenance.provenance(torch.device("cpu"), command=command, data=protocol.data)
    found = [held(name, protocol, arguments.trainings) for name in table.index]
    records = [record for result in found if result for record in result.settings["provenance"]]
    settings = {
        "kind": "comparison",
        "data": protocol.data,
        "num_classes": num_classes,
        "recipe": asdict(protocol.recipe),
        "seeds": protocol.seeds,
        "folds": protocol.folds,
        "commands": [command],
        "provenance": [machine, *records],
    }
    Result(settings, {"networks": table.reset_index()}).save(arguments.out)
