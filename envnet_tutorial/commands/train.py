"""``train``: train a network for each fold, test it on that fold, and write a run folder."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path

from envnet_tutorial.errors import InputError


def add_parser(subparsers) -> None:
    """Add ``train`` to the program; its ``run`` returns 0, or 1 when training had to stop."""
    parser = subparsers.add_parser(
        "train",
        help="train a network on all folds but one, and test it on that one",
        epilog="With torchrun (torchrun --nproc-per-node 2 -m envnet_tutorial train ...) several processes train one "
        "network together, or, with --share folds, each process trains networks of its own.",
    )
    parser.add_argument(
        "--data",
        default=None,
        help="a set's name, or a folder laid out as ESC-50 or UrbanSound8K (default: synthetic)",
    )
    add_data_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="the run folder to write")
    parser.add_argument("--folds", default="all", help="folds to hold out, such as 1 or 1,2 (default: all)")
    parser.add_argument("--network", default="envnet", help="name of the network (default: envnet)")
    parser.add_argument("--preset", default="fast", help="paper, short, fast or lesson (default: fast)")
    parser.add_argument("--mix", choices=("none", "bc"), default="none", help="bc: between-class, twice the epochs")
    parser.add_argument("--strong", action="store_true", help="the paper's strong augmentation: time scale and gain")
    parser.add_argument("--epochs", type=int, help="instead of the preset's")
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="number format of the products; auto: bfloat16 where network and device gain from it (default: auto)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of every random choice (default: 0)")
    add_running_options(parser)
    parser.set_defaults(run=run)


def add_running_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides where and how a training runs, and changes nothing that it learns."""
    parser.add_argument("--device", help="such as cpu, cuda:1 or mps (default: a GPU if there is one)")
    parser.add_argument("--checkpoint-every", type=int, default=10, metavar="EPOCHS", help="(default: 10)")
    parser.add_argument(
        "--keep-filters",
        type=int,
        default=0,
        metavar="STEPS",
        help="keep the front end every so many steps (default: no)",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out, as it was begun")
    parser.add_argument(
        "--share",
        choices=("batches", "folds"),
        default="batches",
        help="what torchrun's processes share: the batches of one network, or the folds (default: batches)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bars")


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Add what a result says of its data."""
    parser.add_argument("--data-name", help="what results call the data (default: the set's name, or its folder's)")
    parser.add_argument("--data-note", help="what has to be said of this copy of it: a text, or a file that holds one")


def run(arguments: argparse.Namespace) -> int:
    """Train, and say how it went."""
    from envnet_tutorial.training import TrainingStopped
    from envnet_tutorial.training.distributed import join_processes, leave_processes

    if arguments.checkpoint_every < 1:
        raise InputError(f"--checkpoint-every must be at least 1; got {arguments.checkpoint_every}")
    if arguments.keep_filters < 0:
        raise InputError(f"--keep-filters must be 0 or more steps; got {arguments.keep_filters}")
    device = join_processes()
    try:
        return _train(arguments, device)
    except TrainingStopped as stopped:
        print(stopped, file=sys.stderr)
        return 1
    finally:
        leave_processes()


def _train(arguments: argparse.Namespace, device) -> int:
    """Train and test every fold that is not finished, and print the result."""
    from envnet_tutorial.datasets import load_clips
    from envnet_tutorial.models import NETWORKS
    from envnet_tutorial.training.distributed import rank_and_size

    is_first = rank_and_size()[0] == 0
    device = device or usable_device(arguments.device)
    _refuse_early(arguments, device)
    rate = NETWORKS[arguments.network].input_format.sample_rate
    clips = load_clips(arguments.data, sample_rate=rate, progress=is_first and not arguments.quiet)
    folder = _run_folder(arguments, _settings(arguments, clips, device), device)
    for fold in _own_folds(folder.settings.folds, arguments):
        with folder.reserved(fold) if rank_and_size()[0] == 0 else nullcontext():
            if fold not in folder.finished_folds():
                _train_fold(folder, fold, clips, device, arguments)
    # Of processes that go their own ways, any may be the last.
    if is_first or (arguments.share == "folds" and folder.finished_folds() == list(folder.settings.folds)):
        report(folder)
    return 0


def _refuse_early(arguments: argparse.Namespace, device) -> None:
    """Refuse what needs no clips to be seen, before any are fetched or decoded."""
    from envnet_tutorial import provenance
    from envnet_tutorial.models import NETWORKS
    from envnet_tutorial.run_folder import RunFolder

    if arguments.network not in NETWORKS:
        raise InputError(f"there is no network {arguments.network}; there are {', '.join(NETWORKS)}")
    if arguments.seed < 0:
        raise InputError(f"--seed takes a whole number from 0 on; got {arguments.seed}")
    if arguments.folds != "all":
        numbers(arguments.folds, "--folds")
    recipe_of(arguments, device)
    provenance.data_note(arguments.data_note)
    if _is_new(arguments):
        RunFolder.refuse_occupied(arguments.out)


def _is_new(arguments: argparse.Namespace) -> bool:
    """Whether the run folder is still to be made."""
    return not (arguments.resume and (arguments.out / "settings.json").exists())


def _own_folds(folds: tuple[int, ...], arguments: argparse.Namespace) -> tuple[int, ...]:
    """Return the folds of this process; where each has its own, it leaves the others and only the first has bars."""
    from envnet_tutorial.training.distributed import leave_processes, rank_and_size

    if arguments.share == "batches":
        return folds
    rank, size = rank_and_size()
    arguments.quiet = arguments.quiet or rank > 0
    leave_processes()
    return folds[rank::size]


def _train_fold(folder, fold: int, clips, device, arguments: argparse.Namespace) -> None:
    """Train on the other folds, test on this one, write both down."""
    from envnet_tutorial.training import train_fold
    from envnet_tutorial.training.distributed import rank_and_size

    is_first, settings = rank_and_size()[0] == 0, folder.settings
    test = clips.split(fold)[1]
    if is_first and not arguments.quiet:
        lasting = f"{settings.recipe.epochs} epochs in {settings.recipe.precision}"
        print(f"fold {fold}: {len(clips) - len(test)} clips to train on, {len(test)} to test, {lasting}")
    keeper = folder.front_end_keeper(fold, arguments.keep_filters) if is_first else None
    result = train_fold(
        folder.network_class,
        clips,
        settings.recipe,
        fold,
        device=device,
        seed=settings.seed,
        callbacks=[keeper] if keeper else [],
        progress=not arguments.quiet,
        checkpoint=folder.checkpoint(fold),
        checkpoint_every=arguments.checkpoint_every,
        resume=arguments.resume,
    )
    if is_first:
        folder.write_fold(result, test)


def report(folder) -> None:
    """Print the accuracy of each finished fold, and their mean and spread."""
    results = folder.write_summary()
    for row in results.itertuples():
        print(f"fold {row.fold}: {row.correct} of {row.clips} clips, {row.accuracy:.1%}")
    if len(results) > 1:
        print(f"mean {results.accuracy.mean():.1%}, standard deviation {results.accuracy.std():.1%} over the folds")


def _settings(arguments: argparse.Namespace, clips, device):
    """Put together what the command line asks for."""
    from envnet_tutorial.datasets import asked_for
    from envnet_tutorial.run_folder import RunSettings

    if arguments.mix == "bc" and len(clips.classes) == 1:
        raise InputError("--mix bc mixes two classes, and the clips are of one")
    present = sorted(set(clips.folds.tolist()))
    if len(present) == 1:
        raise InputError("all clips are in one fold: there has to be another to learn from")
    return RunSettings(
        data=asked_for(arguments.data),
        network=arguments.network,
        recipe=recipe_of(arguments, device),
        seed=arguments.seed,
        folds=chosen_folds(arguments.folds, present),
        classes=tuple(str(name) for name in clips.classes),
    )


def recipe_of(arguments: argparse.Namespace, device):
    """Return the preset that the command line names, changed as it says, in the number format that suits the device.

    Raises
    ------
    InputError
        If there is no such preset, or a wish is out of range.
    """
    from envnet_tutorial.models import NETWORKS
    from envnet_tutorial.training import PRESETS
    from envnet_tutorial.training.device import choose_precision

    if arguments.preset not in PRESETS:
        raise InputError(f"there is no preset {arguments.preset}; there are {', '.join(PRESETS)}")
    recipe = PRESETS[arguments.preset]
    recipe = recipe.between_class() if arguments.mix == "bc" else recipe
    recipe = recipe.strong() if arguments.strong else recipe
    is_open = arguments.precision == "auto"
    precision = choose_precision(NETWORKS[arguments.network], device) if is_open else arguments.precision
    wishes = {"epochs": arguments.epochs, "precision": precision}
    return replace(recipe, **{name: wish for name, wish in wishes.items() if wish is not None})


def numbers(text: str, option: str) -> tuple[int, ...]:
    """Read a list of whole numbers such as "1,2", each once."""
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise InputError(f"{option} takes numbers such as 1,2; got {text!r}") from None


def chosen_folds(text: str, present: Sequence[int]) -> tuple[int, ...]:
    """Read the folds to hold out, "all" or a list such as "1,2", of those that a data set has."""
    folds = tuple(present) if text == "all" else numbers(text, "--folds")
    if missing := [fold for fold in folds if fold not in present]:
        raise InputError(f"no clip is in fold {missing[0]}; the folds are {', '.join(map(str, present))}")
    return folds


def _run_folder(arguments: argparse.Namespace, settings, device):
    """Make the run folder in the first process, or open it.

    Where the precision is left open, that of the folder holds: a run that goes on elsewhere must not change it.
    """
    from envnet_tutorial.run_folder import RunFolder
    from envnet_tutorial.training.distributed import rank_and_size, wait_for_all

    is_new = _is_new(arguments)
    wait_for_all()
    if is_new and rank_and_size()[0] == 0:
        RunFolder.create(arguments.out, settings, _provenance(arguments, device))
    wait_for_all()
    folder = RunFolder.open(arguments.out)
    if arguments.precision == "auto":
        settings = replace(settings, recipe=replace(settings.recipe, precision=folder.settings.recipe.precision))
    if folder.settings != settings:
        begun, asked = (asdict(each) | asdict(each.recipe) for each in (folder.settings, settings))
        other = next(key for key in asked if begun[key] != asked[key] and key != "recipe")
        raise InputError(
            f"{arguments.out} was begun with other settings ({other} {begun[other]}, not {asked[other]}): resume it "
            "with the same arguments"
        )
    return folder


def _provenance(arguments: argparse.Namespace, device) -> dict:
    """Take down what a training that starts now depends on."""
    from envnet_tutorial import provenance

    name = provenance.data_name(arguments.data, arguments.data_name)
    return provenance.provenance(
        device,
        command=provenance.command_line("envnet_tutorial", arguments.typed, data=arguments.data, name=name),
        data=name,
        note=provenance.data_note(arguments.data_note),
        seed=arguments.seed,
    )


def usable_device(name: str | None):
    """Return the device of that name, if it can be used."""
    import torch

    from envnet_tutorial.training.device import choose_device

    try:
        device = choose_device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"this machine has no device {name} that torch can use") from error
    return device
