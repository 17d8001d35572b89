"""``python -m envnet_tutorial data {fetch,check,info}``: bring data sets, look at them, say where they are."""

import argparse
import shutil
from pathlib import Path

from envnet_tutorial.datasets import esc50, urbansound8k
from envnet_tutorial.datasets.locations import cache_root
from envnet_tutorial.datasets.published import set_folder
from envnet_tutorial.datasets.verification import Validation
from envnet_tutorial.errors import InputError

#: How many names of each kind `data check` prints.
MAX_NAMES = 20


def add_parser(subparsers) -> None:
    """Add ``data`` to the program; each of its commands sets ``run``, which returns the exit status.

    Raises
    ------
    InputError
        By ``run``, if what was asked for cannot be had; the program ends with status 2 and that one sentence.
    """
    parser = subparsers.add_parser("data", help="fetch, check and locate the data sets")
    commands = parser.add_subparsers(dest="command", required=True)
    fetching = commands.add_parser("fetch", help="fetch ESC-50 or ESC-10, or what is missing or damaged of it")
    fetching.add_argument("set", choices=esc50.SUBSETS)
    fetching.add_argument("--mirror", action="append", default=[], help="address to try first; may be repeated")
    fetching.add_argument("--archive", help="take the files from this ZIP (path or address); 'github' for the author's")
    fetching.add_argument("--quiet", action="store_true", help="no progress bars")
    fetching.set_defaults(run=_fetch)
    checking = commands.add_parser("check", help="compare every file with its checksum; status 1 if not whole")
    checking.add_argument("set", choices=(*esc50.SUBSETS, "urbansound8k"))
    checking.set_defaults(run=_check)
    for command in (fetching, checking):
        command.add_argument("--root", type=Path, help="folder of the set; default: ENVNET_DATA or the cache folder")
        command.add_argument("--fold", type=int, action="append", help="this fold only; may be repeated")
    commands.add_parser("info", help="sets, sizes, licences, citations, folders").set_defaults(run=_info)


def _fetch(arguments: argparse.Namespace) -> int:
    """Fetch what is not there."""
    archive = esc50.publication().archive if arguments.archive == "github" else arguments.archive
    clips = esc50.ESC50(
        arguments.root,
        subset=arguments.set,
        folds=arguments.fold,
        download=True,
        mirrors=arguments.mirror,
        archive=archive,
        progress=not arguments.quiet,
    )
    print(f"{len(clips)} clips are whole in {clips.folder}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    """Print what is missing, corrupt and extra."""
    if arguments.root is not None and not arguments.root.is_dir():
        raise InputError(f"there is no folder {arguments.root}")
    if arguments.set == "urbansound8k":
        found = urbansound8k.UrbanSound8K.inspect(arguments.root, folds=arguments.fold)
    else:
        found = esc50.ESC50.inspect(arguments.root, subset=arguments.set, folds=arguments.fold)
    _print_validation(found)
    return 0 if found.is_whole else 1


def _print_validation(found: Validation) -> None:
    """Print the counts, then the names, a line each."""
    kinds = ("whole", "missing", "corrupt", "extra")
    print(", ".join(f"{len(getattr(found, kind))} {kind}" for kind in kinds))
    for kind in kinds[1:]:
        names = getattr(found, kind)
        for name in names[:MAX_NAMES]:
            print(f"{kind:8} {name}")
        if len(names) > MAX_NAMES:
            print(f"{kind:8} ... and {len(names) - MAX_NAMES} more")


def _info(arguments: argparse.Namespace) -> int:
    """Print what there is to know of each set, and how full the cache is."""
    for publication in (esc50.publication(), urbansound8k.publication()):
        size = len(publication.files) * publication.typical_bytes
        print(publication.notice, end="")
        print(f"Files: {len(publication.files):,}, about {size / 1e6:,.0f} MB")
        print(f"Folder: {set_folder(None, publication.name)}\n")
    root = cache_root()
    used = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    where = next(folder for folder in (root, *root.parents) if folder.is_dir())
    print(f"Cache: {root} ({used / 1e6:,.0f} MB used, {shutil.disk_usage(where).free / 1e6:,.0f} MB free)")
    return 0
