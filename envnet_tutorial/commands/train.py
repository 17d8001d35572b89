"""``train``: train a network for each fold, test it on that fold, and write a run folder."""

import argparse
import os
import sys
from dataclasses import replace
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
        "--data", default=None, help="a set's name, or a folder in ESC-50's layout (default: synthetic)"
    )
    parser.add_argument("--out", type=Path, required=True, help="the run folder to write")
    parser.add_argument("--folds", default="all", help="folds to hold out, such as 1 or 1,2 (default: all)")
    parser.add_argument("--network", default="envnet", help="name of the network (default: envnet)")
    parser.add_argument("--preset", default="fast", help="paper, short, fast or lesson (default: fast)")
    parser.add_argument("--mix", choices=("none", "bc"), default="none", help="bc: between-class, twice the epochs")
    parser.add_argument("--strong", action="store_true", help="the paper's strong augmentation: time scale and gain")
    parser.add_argument("--epochs", type=int, help="instead of the preset's")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), help="instead of the preset's")
    parser.add_argument("--seed", type=int, default=0, help="of every random choice (default: 0)")
    parser.add_argument("--device", help="such as cpu or cuda:1 (default: a GPU if there is one)")
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
    parser.set_defaults(run=run)


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
    from envnet_tutorial.runs import NETWORKS
    from envnet_tutorial.training.distributed import rank_and_size

    if arguments.network not in NETWORKS:
        raise InputError(f"there is no network {arguments.network}; there are {', '.join(NETWORKS)}")
    is_first = rank_and_size()[0] == 0
    device = device or usable_device(arguments.device)
    rate = NETWORKS[arguments.network].input_format.sample_rate
    clips = load_clips(arguments.data, sample_rate=rate, progress=is_first and not arguments.quiet)
    folder = _run_folder(arguments, _settings(arguments, clips), device)
    for fold in _own_folds(folder.settings.folds, arguments):
        if fold not in folder.finished_folds():
            _train_fold(folder, fold, clips, device, arguments)
    # Of processes that go their own ways, any may be the last.
    if is_first or (arguments.share == "folds" and folder.finished_folds() == list(folder.settings.folds)):
        report(folder)
    return 0


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
    from envnet_tutorial.training import FoldResult, build_model, evaluate, fit
    from envnet_tutorial.training.distributed import rank_and_size

    is_first, settings = rank_and_size()[0] == 0, folder.settings
    train, test = clips.split(fold)
    if is_first and not arguments.quiet:
        print(f"fold {fold}: {len(train)} clips to train on, {len(test)} to test, {settings.recipe.epochs} epochs")
    model = build_model(folder.network_class, clips.num_classes, seed=settings.seed)
    callbacks = [folder.front_end_keeper(fold, arguments.keep_filters)] if is_first and arguments.keep_filters else []
    for callback in callbacks:
        callback(0, model)
    history = fit(
        model,
        train,
        settings.recipe,
        device=device,
        seed=settings.seed,
        callbacks=callbacks,
        progress=not arguments.quiet,
        checkpoint=folder.checkpoint(fold),
        checkpoint_every=arguments.checkpoint_every,
        resume=arguments.resume,
    )
    if is_first:
        evaluation = evaluate(model, test, device=device, preparation=settings.recipe.preparation)
        folder.write_fold(FoldResult(fold, model, history, evaluation), test)


def report(folder) -> None:
    """Print the accuracy of each finished fold, and their mean and spread."""
    results = folder.write_summary()
    for row in results.itertuples():
        print(f"fold {row.fold}: {row.correct} of {row.clips} clips, {row.accuracy:.1%}")
    if len(results) > 1:
        print(f"mean {results.accuracy.mean():.1%}, standard deviation {results.accuracy.std():.1%} over the folds")


def _settings(arguments: argparse.Namespace, clips):
    """Put together what the command line asks for."""
    from envnet_tutorial.runs import RunSettings
    from envnet_tutorial.training import PRESETS

    if arguments.preset not in PRESETS:
        raise InputError(f"there is no preset {arguments.preset}; there are {', '.join(PRESETS)}")
    recipe = PRESETS[arguments.preset]
    recipe = recipe.between_class() if arguments.mix == "bc" else recipe
    recipe = recipe.strong() if arguments.strong else recipe
    wishes = {"epochs": arguments.epochs, "precision": arguments.precision}
    try:
        recipe = replace(recipe, **{name: wish for name, wish in wishes.items() if wish is not None})
    except ValueError as error:
        raise InputError(str(error)) from error
    return RunSettings(
        data=str(arguments.data or os.environ.get("ENVNET_DATA") or "synthetic"),
        network=arguments.network,
        recipe=recipe,
        seed=arguments.seed,
        folds=_folds(arguments.folds, sorted(set(clips.folds.tolist()))),
        classes=tuple(str(name) for name in clips.classes),
    )


def _folds(text: str, present: list[int]) -> tuple[int, ...]:
    """Read "all" or a list such as "1,2"."""
    try:
        folds = present if text == "all" else [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--folds takes 'all' or numbers such as 1,2; got {text!r}") from None
    missing = [fold for fold in folds if fold not in present]
    if missing:
        raise InputError(f"no clip is in fold {missing[0]}; the folds are {', '.join(map(str, present))}")
    return tuple(dict.fromkeys(folds))


def _run_folder(arguments: argparse.Namespace, settings, device):
    """Make the run folder in the first process, or open it."""
    from envnet_tutorial.runs import RunFolder
    from envnet_tutorial.training.distributed import rank_and_size, wait_for_all

    is_new = not (arguments.resume and (arguments.out / "settings.json").exists())
    wait_for_all()
    if is_new and rank_and_size()[0] == 0:
        RunFolder.create(arguments.out, settings, device)
    wait_for_all()
    folder = RunFolder.open(arguments.out)
    if folder.settings != settings:
        raise InputError(f"{arguments.out} was begun with other settings: resume it with the same arguments")
    return folder


def usable_device(name: str | None):
    """Return the device of that name, if it can be used."""
    import torch

    from envnet_tutorial.training.runtime import choose_device

    try:
        device = choose_device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"this machine has no device {name} that torch can use") from error
    return device
