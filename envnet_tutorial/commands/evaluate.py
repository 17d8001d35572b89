"""``evaluate``: test a run's networks again from their weights, and say whether the recorded accuracy is true."""

import argparse
from pathlib import Path

from envnet_tutorial.errors import InputError


def add_parser(subparsers) -> None:
    """Add ``evaluate`` to the program; its ``run`` returns 0, or 1 when an accuracy disagrees with the record."""
    parser = subparsers.add_parser("evaluate", help="test a trained network on ten windows of each clip")
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="a run folder that `train` wrote")
    parser.add_argument("--data", default=None, help="a set's name or a folder (default: what the run was trained on)")
    parser.add_argument("--device", help="such as cpu, cuda:1 or mps (default: a GPU if there is one)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Test each finished fold again and compare."""
    from envnet_tutorial.commands.train import usable_device
    from envnet_tutorial.datasets import load_clips
    from envnet_tutorial.run_folder import RunFolder

    folder = RunFolder.open(arguments.run_folder)
    if not folder.finished_folds():
        raise InputError(f"no fold of {arguments.run_folder} is finished: train it further with --resume")
    rate = folder.network_class.input_format.sample_rate
    clips = load_clips(arguments.data or folder.settings.data, sample_rate=rate)
    device = usable_device(arguments.device)
    agreements = [_agrees(folder, fold, clips, device) for fold in folder.finished_folds()]
    return 0 if all(agreements) else 1


def _agrees(folder, fold: int, clips, device) -> bool:
    """Test one fold's network again, print what came of it, and return whether the record says the same."""
    from envnet_tutorial.training import evaluate

    test, record = clips.split(fold)[1], folder.predictions(fold)
    if record.name.tolist() != [str(name) for name in test.names]:
        raise InputError(f"fold {fold} of this data has other clips than the run was tested on: give the same --data")
    found = evaluate(folder.load_network(fold), test, folder.settings.recipe.preparation, device=device)
    recorded = float((record.label == record.prediction).mean())
    agrees = abs(found.accuracy - recorded) < 0.5 / len(test)
    verdict = "as recorded" if agrees else f"but {recorded:.2%} is recorded: the weights or the data have changed"
    print(f"fold {fold}: {found.accuracy:.2%} of {len(test)} clips, {verdict}")
    return agrees
