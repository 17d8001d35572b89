"""``probe``: play pure tones to a network and draw what its filters answer (lesson 5)."""

import argparse
import io
from pathlib import Path

from envnet_tutorial.commands.predict import add_weights_options
from envnet_tutorial.errors import InputError
from envnet_tutorial.files import write_bytes, write_table

#: Lowest tone in Hz; the highest as a share of half the sampling rate, where a sampled tone would depend on its phase.
LOWEST, HIGHEST_SHARE = 50, 0.99


def add_parser(subparsers) -> None:
    """Add ``probe`` to the program."""
    parser = subparsers.add_parser("probe", help="play pure tones to a network and draw what its filters answer")
    add_weights_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="where to write the picture; its table goes beside it")
    parser.add_argument("--tones", type=int, default=96, help="how many tones, spaced as mels (default: %(default)s)")
    parser.add_argument("--amplitude", type=float, default=0.5, help="peak of the tones (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the sorted response matrix as PNG and as CSV, and say how near it is to a diagonal."""
    from envnet_tutorial.trained import load_trained

    if arguments.tones < 2 or not 0 < arguments.amplitude <= 1:
        raise InputError("--tones must be at least 2, and --amplitude above 0 and at most 1")
    if arguments.out.name in ("", "..") or arguments.out.is_dir():
        raise InputError(f"--out is the name of a PNG, and {arguments.out} is a folder")
    if not arguments.out.absolute().parent.is_dir():
        raise InputError(f"{arguments.out.parent} is no folder: make it first, or give another --out")
    picture = arguments.out if arguments.out.suffix else arguments.out.with_name(f"{arguments.out.name}.png")
    if picture.suffix.lower() != ".png":
        raise InputError(f"--out is the name of a PNG: {arguments.out.with_suffix('.png')}, say, not {arguments.out}")
    network = load_trained(arguments.weights, fold=arguments.fold, network=arguments.network).network
    nearness = draw(network, arguments.tones, arguments.amplitude, picture)
    print(f"{picture} and {picture.with_suffix('.csv')}: diagonality {nearness:.2f} (1 is a perfect diagonal)")


def draw(network, num_tones: int, amplitude: float, picture: Path) -> float:
    """Probe a network, write picture and table, and return the diagonality of the sorted matrix."""
    import matplotlib.pyplot as plt
    import pandas as pd

    from envnet_tutorial import probing
    from envnet_tutorial.plotting import filters, use_book_style

    highest = HIGHEST_SHARE * network.input_format.sample_rate / 2
    frequencies = probing.probe_frequencies(num_tones, LOWEST, highest)
    responses = probing.response_matrix(network, frequencies, amplitude=amplitude)  # (filter, frequency)
    order = probing.sort_by_centre(responses, frequencies)
    table = pd.DataFrame(responses[order].numpy(), columns=[f"{hertz:.1f} Hz" for hertz in frequencies.tolist()])
    table.insert(0, "filter", order.numpy())
    use_book_style()
    axes = filters.plot_response_matrix(probing.unit_range(responses[order]), frequencies)
    drawn = io.BytesIO()
    axes.figure.savefig(drawn, format="png")
    plt.close(axes.figure)
    write_bytes(picture, drawn.getvalue())
    write_table(picture.with_suffix(".csv"), table)
    return probing.diagonality(responses, frequencies)
