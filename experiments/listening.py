"""Keep what a trained network hears in a few real clips: their pictures, and which moments count (lesson 5).

::

    python -m experiments.listening RUN ESC-10 --name esc10-listening

Of each class asked for it takes the first clip of the run's first fold, which that fold's network has not seen, and of
it the loudest window. No sound is kept.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from envnet_tutorial import probing
from envnet_tutorial.audio import levels
from envnet_tutorial.audio.spectrograms import log_mel
from envnet_tutorial.datasets import load_clips
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.provenance import command_line
from envnet_tutorial.results import Result
from envnet_tutorial.run_folder import RunFolder
from experiments.program import call, destination, make_parser, read_arguments, settings_of

COVER = 15  # steps
HOP = 1600  # samples


def loudest_start(clip: np.ndarray, num_samples: int, hop: int = HOP) -> int:
    """Return where in a clip of 16-bit samples the window with the largest energy starts, in whole hops."""
    waveform = torch.from_numpy(np.array(clip)) / 32768
    return int(waveform.square().unfold(0, num_samples, hop).sum(-1).argmax()) * hop


def loudest_window(clip: np.ndarray, num_samples: int, hop: int = HOP) -> Tensor:
    """Return the window (1, time) of a clip of 16-bit samples with the largest energy, in whole hops."""
    first = loudest_start(clip, num_samples, hop)
    return (torch.from_numpy(np.array(clip)) / 32768)[None, first : first + num_samples].float()


def listen(network: nn.Module, window: Tensor, target: int) -> dict[str, Tensor]:
    """Return log-mel spectrogram and learned feature map, both (40, 150), and two importances (150,) of a window."""
    steps = network.input_format.num_samples // 160
    with torch.no_grad():
        learned = network.eval().frontend(window[None])[0]
    return {
        "log_mel": torch.as_tensor(log_mel(window[0], network.input_format.sample_rate))[:, :steps],
        "learned": learned,
        "occlusion": probing.occlusion_importance(network, window, target, width=COVER),
        "gradient": probing.gradient_importance(network, window, target),
    }


def first_of_each(test: ClipArray, classes: Sequence[str]) -> list[int]:
    """Return the row of the first clip of each class.

    Raises
    ------
    InputError
        If there is no such class, or no clip of it.
    """
    for name in classes:
        if name not in test.classes or test.classes.index(name) not in test.labels:
            raise InputError(f"the fold has no clip of a class {name!r}; the classes are {', '.join(test.classes)}")
    return [int(np.flatnonzero(test.labels == test.classes.index(name))[0]) for name in classes]


def record(run: Path, data: str, classes: Sequence[str]) -> Result:
    """Return what the network of a run's first fold hears in a clip of each class.

    Raises
    ------
    InputError
        If the fold is not finished, or has no clip of a class.
    """
    source = RunFolder.open(run)
    settings, fold = source.settings, source.settings.folds[0]
    network = source.load_network(fold)
    _, test = load_clips(data, sample_rate=network.input_format.sample_rate, progress=False).split(fold)
    rows = first_of_each(test, classes)
    windows = torch.stack([loudest_window(test.samples[row], network.input_format.num_samples) for row in rows])
    windows = levels.compress_levels(windows, settings.recipe.compression_ratio)
    heard = [listen(network, window, int(test.labels[row])) for window, row in zip(windows, rows, strict=True)]
    known = settings_of("listening", source, fold) | {"heard": list(classes), "cover": COVER}
    known["clips"] = [str(test.names[row]) for row in rows]
    return Result(known, {}, {key: torch.stack([one[key] for one in heard]).half().numpy() for key in heard[0]})


def build_parser():
    """Return the parser of the command line."""
    parser = make_parser(__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder that `train` wrote")
    parser.add_argument("data", help="the data that it was trained on: a folder in ESC-50's layout, or a set's name")
    parser.add_argument("--classes", default="rooster,dog,clock_tick", help="(default: rooster,dog,clock_tick)")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Listen, and write the result."""
    options = read_arguments(build_parser(), arguments)
    folder = destination(options)
    result = record(options.run, options.data, options.classes.split(","))
    name = result.settings["data"]
    command = command_line("experiments.listening", options.typed, data=options.data, name=name)
    result.settings["commands"].append(command)
    result.save(folder)


if __name__ == "__main__":
    sys.exit(call(main))
