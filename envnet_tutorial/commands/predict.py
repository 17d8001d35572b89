"""``predict``: name the sound in files of your own."""

import argparse
from pathlib import Path

from envnet_tutorial.errors import InputError


def add_parser(subparsers) -> None:
    """Add ``predict`` to the program."""
    parser = subparsers.add_parser(
        "predict",
        help="name the sound in files of your own",
        epilog="Without --weights, a compact network that comes with the package names one of ESC-50's 50 classes; "
        "--network compact-mel takes the one that hears a mel spectrogram.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="WAV, FLAC, OGG, MP3 or AIFF")
    add_weights_options(parser, default="those that come with the package")
    parser.add_argument(
        "--preset", help="recipe that a lone file was trained with (default: paper); a run folder knows"
    )
    parser.add_argument("--data", type=Path, help="folder that names the classes of a lone weights file")
    parser.add_argument("--top", type=int, default=5, help="how many classes to print (default: %(default)s)")
    parser.add_argument("--device", help="such as cpu, cuda:1 or mps (default: a GPU if there is one)")
    parser.set_defaults(run=run)


def add_weights_options(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """Add the options that say which trained network to use, as ``probe`` does too."""
    more = f" (default: {default})" if default else ""
    parser.add_argument(
        "--weights", type=Path, required=not default, help=f"a run folder that `train` wrote, or a weights file{more}"
    )
    parser.add_argument(
        "--fold", type=int, help="which network, by the fold that it has not heard (default: a run's first finished)"
    )
    own = ", or which of the package's own" if default else ""
    parser.add_argument("--network", help=f"whose weights a lone file holds (default: envnet){own}; a run folder knows")


def run(arguments: argparse.Namespace) -> None:
    """Print one line for each file: the most probable classes, averaged over ten windows, and over the networks."""
    from tqdm import tqdm

    from envnet_tutorial.audio import load_audio
    from envnet_tutorial.commands.train import usable_device
    from envnet_tutorial.training import predict

    if arguments.top < 1:
        raise InputError(f"--top must be at least 1; got {arguments.top}")
    for file in arguments.files:
        if not file.is_file():
            raise InputError(f"{file} is {'a folder' if file.is_dir() else 'not there'}: give the path of a sound file")
    device = usable_device(arguments.device)
    trained, note = chosen_networks(arguments)
    classes, rate = trained[0].classes, trained[0].network.input_format.sample_rate
    files = tqdm(arguments.files, unit="file", disable=len(arguments.files) == 1 or None)  # None: only in a terminal
    for file in files:
        waveform, _ = load_audio(file, sample_rate=rate, mono=True)  # (1, sample)
        answers = [predict(one.network, waveform, one.preparation, device=device)[0] for one in trained]
        probabilities = sum(answers) / len(answers)  # (class,)
        best = probabilities.argsort()[::-1][: arguments.top]
        tqdm.write(f"{file}: " + ", ".join(f"{classes[index]} {probabilities[index]:.1%}" for index in best))
    if note:
        print(note)


def chosen_networks(arguments: argparse.Namespace) -> tuple[list, str]:
    """Return the trained networks to average, and what to say of those that come with the package."""
    from envnet_tutorial.pretrained import WEIGHTS, load_pretrained
    from envnet_tutorial.trained import Trained, load_trained

    told = {"fold": arguments.fold, "network": arguments.network, "preset": arguments.preset, "data": arguments.data}
    if arguments.weights is not None:
        is_run = arguments.weights.is_dir()
        if is_run and arguments.data is not None:
            raise InputError(f"--data is for a lone file of weights: {arguments.weights} is a run folder")
        return [load_trained(arguments.weights, **told)], ""
    if unused := [option for option in ("preset", "data") if told[option] is not None]:
        raise InputError(f"--{unused[0]} is for a lone file of weights: give that with --weights")
    default, *others = WEIGHTS
    own = load_pretrained(arguments.network or default)
    folds = own.folds if arguments.fold is None else (arguments.fold,)
    networks = [Trained(own.network(fold), own.classes, own.preparation) for fold in folds]
    hints = [f" --network {other} is right for {load_pretrained(other).share(folds)}." for other in others]
    return networks, own.note(folds) + ("".join(hints) if arguments.network is None else "")
