"""``predict``: name the sound in files of your own."""

import argparse
from pathlib import Path

from envnet_tutorial.errors import InputError


def add_parser(subparsers) -> None:
    """Add ``predict`` to the program."""
    parser = subparsers.add_parser("predict", help="name the sound in files of your own")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="WAV, FLAC, OGG, MP3 or AIFF")
    add_weights_options(parser)
    parser.add_argument(
        "--preset", help="recipe that a lone file was trained with (default: paper); a run folder knows"
    )
    parser.add_argument("--data", type=Path, help="folder that names the classes of a lone weights file")
    parser.add_argument("--top", type=int, default=3, help="how many classes to print (default: %(default)s)")
    parser.add_argument("--device", help="such as cpu, cuda:1 or mps (default: a GPU if there is one)")
    parser.set_defaults(run=run)


def add_weights_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which trained network to use, as ``probe`` does too."""
    parser.add_argument(
        "--weights", type=Path, required=True, help="a run folder that `train` wrote, or a weights file"
    )
    parser.add_argument("--fold", type=int, help="which network of the run (default: its first finished fold's)")
    parser.add_argument("--network", help="whose weights a lone file holds (default: envnet); a run folder knows")


def run(arguments: argparse.Namespace) -> None:
    """Print one line for each file: the most probable classes, averaged over ten windows."""
    from tqdm import tqdm

    from envnet_tutorial.audio import load_audio
    from envnet_tutorial.commands.train import usable_device
    from envnet_tutorial.trained import load_trained
    from envnet_tutorial.training import predict

    if arguments.top < 1:
        raise InputError(f"--top must be at least 1; got {arguments.top}")
    for file in arguments.files:
        if not file.is_file():
            raise InputError(f"{file} is {'a folder' if file.is_dir() else 'not there'}: give the path of a sound file")
    device = usable_device(arguments.device)
    network, classes, preparation = load_trained(
        arguments.weights,
        fold=arguments.fold,
        network=arguments.network,
        preset=arguments.preset,
        data=arguments.data,
    )
    files = tqdm(arguments.files, unit="file", disable=len(arguments.files) == 1 or None)  # None: only in a terminal
    for file in files:
        waveform, _ = load_audio(file, sample_rate=network.input_format.sample_rate, mono=True)  # (1, sample)
        (probabilities,) = predict(network, waveform, preparation, device=device)
        best = probabilities.argsort()[::-1][: arguments.top]
        tqdm.write(f"{file}: " + ", ".join(f"{classes[index]} {probabilities[index]:.1%}" for index in best))
