"""``info``: versions, device and folders, which is what a report of a problem needs."""

import argparse


def add_parser(subparsers) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser("info", help="print versions, device and folders")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print one line for each fact."""
    from envnet_tutorial import provenance
    from envnet_tutorial.training.device import choose_device

    for name, value in provenance.facts(choose_device()).items():
        print(f"{name:<16} {value}")
