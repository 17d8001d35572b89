"""``predict``: name the sound in files of your own."""

import argparse
from pathlib import Path

from envnet_tutorial.errors import InputError


def add_parser(subparsers) -> None:
    """Add ``predict`` to the program."""
    parser = subparsers.add_parser("predict", help="name the sound in files of your own")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="WAV, FLAC, OGG, MP3 or AIFF")
    parser.add_argument(
        "--weights",
        type=Path,
        required=True,
        help="a run folder that `train` wrote, or a file with the weights of an EnvNet",
    )
    parser.add_argument("--fold", type=int, help="which network of the run (default: its first finished fold's)")
    parser.add_argument("--data", type=Path, help="folder that names the classes of a lone weights file")
    parser.add_argument("--top", type=int, default=3, help="how many classes to print (default: %(default)s)")
    parser.add_argument("--device", help="such as cpu or cuda:1 (default: a GPU if there is one)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print one line for each file: the most probable classes, averaged over ten windows."""
    from tqdm import tqdm

    from envnet_tutorial.commands.train import usable_device

    if arguments.top < 1:
        raise InputError(f"--top must be at least 1; got {arguments.top}")
    for file in arguments.files:
        if not file.is_file():
            raise InputError(f"{file} is {'a folder' if file.is_dir() else 'not there'}: give the path of a sound file")
    device = usable_device(arguments.device)
    network, classes, preparation = load_classifier(arguments.weights, arguments.fold, arguments.data)
    files = tqdm(arguments.files, unit="file", disable=len(arguments.files) == 1 or None)  # None: only in a terminal
    for file in files:
        probabilities = classify(file, network, classes, device, preparation)
        best = probabilities.argsort()[::-1][: arguments.top]
        tqdm.write(f"{file}: " + ", ".join(f"{classes[index]} {probabilities[index]:.1%}" for index in best))


def load_classifier(weights: Path, fold: int | None, data: Path | None) -> tuple:
    """Load a trained network and the names of its classes.

    Returns
    -------
    network : nn.Module
    classes : tuple of str
    preparation : Preparation
        What was done to the clips that it was trained on.

    Raises
    ------
    InputError
        If there are no such weights, or the number of class names is another than the network's.
    """
    from envnet_tutorial.runs import RunFolder
    from envnet_tutorial.training import Preparation

    if not weights.exists():
        raise InputError(f"{weights} is not there: give a run folder that `train` wrote, or a weights file")
    if weights.is_file():
        return (*load_lone_weights(weights, data), Preparation())
    folder = RunFolder.open(weights)
    finished = folder.finished_folds()
    if not finished:
        raise InputError(f"no fold of {weights} is finished: train it further with --resume")
    network = folder.load_network(finished[0] if fold is None else fold)
    return network, folder.settings.classes, folder.settings.recipe.preparation


def load_lone_weights(weights: Path, data: Path | None) -> tuple:
    """Load an EnvNet's state dict, with as many classes as it has, named by a data set or by number."""
    import torch

    from envnet_tutorial.datasets import read_folder
    from envnet_tutorial.models import EnvNet

    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        network = EnvNet(len(state["classifier.fc7.bias"]))
        network.load_state_dict(state)
    except Exception as error:  # torch raises a dozen kinds for a file that is something else
        raise InputError(f"{weights} does not hold the weights of an EnvNet") from error
    if data is None:
        return network, tuple(f"class {index}" for index in range(network.num_classes))
    classes = read_folder(data).classes
    if len(classes) != network.num_classes:
        raise InputError(f"{weights} tells {network.num_classes} classes apart, but {data} has {len(classes)}")
    return network, classes


def classify(file: Path, network, classes: tuple[str, ...], device, preparation):
    """Return the probability of each class, the mean over ten windows of one file (lesson 4)."""
    import numpy as np

    from envnet_tutorial.audio import load_audio, to_int16
    from envnet_tutorial.datasets import ClipArray
    from envnet_tutorial.training import evaluate

    rate = network.input_format.sample_rate
    waveform, _ = load_audio(file, sample_rate=rate, mono=True)  # (1, sample)
    zero = np.zeros(1, dtype=np.int64)
    name = np.array([str(file)])
    clip = ClipArray(np.asarray(to_int16(waveform)), zero, zero, name, name, classes, rate)
    return evaluate(network, clip, device=device, preparation=preparation).probabilities[0]
