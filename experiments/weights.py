"""Make the trained networks of run folders small enough to come with the package, and test them again (lesson 7).

::

    python -m experiments.weights ESC-50 RUN... --name esc50-compact-weights

Weights are rounded to 16 bits, what batch norm keeps is not. Each rounded network is tested on the fold that it has not
heard: on ten windows of a clip, as always, and on the loudest 1.5 s alone, which is what the book's page listens to.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from envnet_tutorial import training
from envnet_tutorial.audio import levels
from envnet_tutorial.datasets import load_clips
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.provenance import command_line, data_name
from envnet_tutorial.results import Result
from envnet_tutorial.run_folder import RunFolder
from envnet_tutorial.training import Preparation
from experiments.listening import loudest_window
from experiments.program import call, destination, make_parser, read_arguments

LICENCE = (
    "The clips of ESC-50: K. J. Piczak (2015), doi:10.1145/2733373.2806390, CC BY-NC 3.0; the weights are given under "
    "the same licence."
)
#: Samples from one place of the page's window to the next.
HOP = 160


def rounded(state: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """Round the weights of a state dict to 16 bits, and leave what has one number a channel or fewer as it is."""
    return {
        key: (value.half() if value.ndim > 1 else value).detach().cpu().numpy().copy() for key, value in state.items()
    }


def licence_of(data: str) -> str:
    """Return the sentence on whose clips these weights have learned from, and what may be done with them."""
    return LICENCE if data in ("ESC-50", "ESC-10") else f"The licence of the clips that they have learned from, {data}."


@torch.inference_mode()
def hear_windows(network: nn.Module, windows: Tensor, preparation: Preparation) -> np.ndarray:
    """Return the probabilities (clip, class) of one window (clip, time) each."""
    windows = levels.compress_levels(windows, preparation.compression_ratio)
    logits = torch.cat([network(part.unsqueeze(1)) for part in windows.split(20)])
    return logits.softmax(dim=1).numpy()


def tested(network: nn.Module, test: ClipArray, preparation: Preparation, fold: int) -> pd.DataFrame:
    """Return a row for each clip: fold, name, label, and prediction and probability of ten windows and of one."""
    by_clip = training.predict(network, test.samples, preparation, device="cpu")
    windows = [loudest_window(clip, network.input_format.num_samples, HOP) for clip in test.samples]
    by_window = hear_windows(network, torch.cat(windows), preparation)
    columns = {"fold": fold, "name": test.names, "label": test.labels}
    columns |= {"prediction": by_clip.argmax(axis=1), "probability": by_clip.max(axis=1)}
    columns |= {"window_prediction": by_window.argmax(axis=1), "window_probability": by_window.max(axis=1)}
    return pd.DataFrame(columns)


def record(data: str, paths: Sequence[Path]) -> Result:
    """Return the rounded weights of all finished folds of runs with the same settings, and their tests.

    Raises
    ------
    InputError
        If the runs differ in more than their folds, or one has none that is finished.
    """
    runs = sorted((RunFolder.open(path) for path in paths), key=lambda run: run.finished_folds() or [0])
    first, arrays, tables = runs[0].settings, {}, []
    common = [(run.settings.network, run.settings.recipe, run.settings.seed, run.settings.classes) for run in runs]
    if any(one != common[0] for one in common):
        raise InputError("the runs have different networks, recipes, seeds or classes: give runs that differ in folds")
    if unfinished := [run.path for run in runs if not run.finished_folds()]:
        raise InputError(f"no fold of {unfinished[0]} is finished: train it further with --resume")
    clips = load_clips(data, sample_rate=runs[0].network_class.input_format.sample_rate, progress=False)
    for run in runs:
        for fold in run.finished_folds():
            network, (_, test) = run.load_network(fold), clips.split(fold)
            state = rounded(network.state_dict())
            network.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
            tables.append(tested(network.eval(), test, first.recipe.preparation, fold))
            arrays |= {f"weights/{fold}/{key}": value for key, value in state.items()}
    settings = {
        "kind": "weights",
        "data": runs[0].provenance["data"],
        "network": first.network,
        "recipe": asdict(first.recipe),
        "seeds": [first.seed],
        "folds": [fold for run in runs for fold in run.finished_folds()],
        "classes": list(first.classes),
        "licence": licence_of(runs[0].provenance["data"]),
        "commands": [run.provenance["command"] for run in runs],
        "provenance": [run.provenance for run in runs],
    }
    return Result(settings, {"clips": pd.concat(tables, ignore_index=True)}, arrays)


def build_parser():
    """Return the parser of the command line."""
    parser = make_parser(__doc__)
    parser.add_argument("data", help="the folder in ESC-50's layout that the runs were trained on")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="a run folder that `train` wrote")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Round, test, keep, and say how often the networks are right."""
    options = read_arguments(build_parser(), arguments)
    folder = destination(options)
    result = record(options.data, options.runs)
    name = data_name(options.data, result.settings["data"])
    result.settings["commands"].append(command_line("experiments.weights", options.typed, data=options.data, name=name))
    result.save(folder)
    clips = result.tables["clips"]
    counts = [int((clips[column] == clips["label"]).sum()) for column in ("prediction", "window_prediction")]
    print(f"{folder}: folds {result.settings['folds']}, {counts[0]} of {len(clips)} clips right, {counts[1]} by 1.5 s")


if __name__ == "__main__":
    sys.exit(call(main))
