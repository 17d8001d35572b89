"""``info``: versions, device and folders, which is what a report of a problem needs."""

import argparse
import os
import platform
from importlib import metadata

PACKAGES = ("torch", "torchaudio", "numpy", "pandas", "matplotlib", "soundfile", "ipywidgets")


def add_parser(subparsers) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser("info", help="print versions, device and folders")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print one line for each fact."""
    for name, value in facts().items():
        print(f"{name:<16} {value}")


def facts() -> dict[str, str]:
    """Return what the results depend on, by name."""
    import soundfile
    import torch

    from envnet_tutorial import __version__
    from envnet_tutorial.datasets.locations import cache_root
    from envnet_tutorial.training.runtime import choose_device

    device = choose_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    return {
        "envnet-tutorial": __version__,
        "python": f"{platform.python_version()} ({platform.system()} {platform.machine()})",
        **{package: version(package) for package in PACKAGES},
        "libsndfile": soundfile.__libsndfile_version__,
        "device": f"{device.type} ({name}), {torch.get_num_threads()} threads",
        "data": os.environ.get("ENVNET_DATA") or "synthetic (ENVNET_DATA is not set)",
        "cache": str(cache_root()),
    }


def version(package: str) -> str:
    """Return the installed version of a package, or say that there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
