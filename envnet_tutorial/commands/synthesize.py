"""``synthesize``: write the synthetic set as a folder in ESC-50's layout."""

import argparse
from pathlib import Path


def add_parser(subparsers) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser("synthesize", help="write the synthetic clips as a folder in ESC-50's layout")
    parser.add_argument(
        "folder", type=Path, help="where to write audio/ and meta/; new, or made by this command before"
    )
    parser.add_argument("--seed", type=int, default=0, help="same seed, same bytes (default: %(default)s)")
    parser.add_argument("--clips-per-class", type=int, default=40, help="a multiple of 5 (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the clips and say where they are."""
    from envnet_tutorial.datasets.synthetic import synthesize

    folder = synthesize(arguments.folder, seed=arguments.seed, clips_per_class=arguments.clips_per_class)
    print(f"{len(list((folder / 'audio').iterdir()))} clips are in {folder}")
