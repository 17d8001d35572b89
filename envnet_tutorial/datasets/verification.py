"""Tell whole files from missing, damaged and foreign ones by their md5 (lesson 1).

The md5 of every clip of ESC-50 and UrbanSound8K is shipped with the package (``checksums/*.npz``: the names, one a line
in UTF-8, and 16 bytes each). An md5 guards against accidents, which is what it is used for here, not against forgers.
"""

import hashlib
import json
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from envnet_tutorial.datasets.locations import cache_root
from envnet_tutorial.files import file_md5, written_whole

#: A file changed again within the clock's grain would look unchanged: younger ones are not remembered.
CLOCK_GRAIN_NS = 2_000_000_000


@dataclass(frozen=True)
class Validation:
    """What a look at every file found.

    Parameters
    ----------
    whole, missing, corrupt, extra : tuple of str
        Paths relative to the set's folder: with the right md5, not there, with another md5, and there without being
        part of the set.
    """

    whole: tuple[str, ...]
    missing: tuple[str, ...]
    corrupt: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every file of the set is there and right; extra files do no harm."""
        return not self.missing and not self.corrupt

    def __str__(self) -> str:
        total = len(self.whole) + len(self.missing) + len(self.corrupt)
        lines = [f"{len(self.whole)} of {total} files are whole"]
        for kind in ("missing", "corrupt", "extra"):
            names = getattr(self, kind)
            if names:
                lines.append(f"{len(names)} {kind}: " + ", ".join(names[:3]) + (", ..." if len(names) > 3 else ""))
        return "; ".join(lines)


def published_checksums(name: str) -> dict[str, str]:
    """Read the shipped md5s of a set: file path relative to its ``audio`` folder to md5 in hexadecimal."""
    with (
        resources.as_file(resources.files("envnet_tutorial.datasets") / "checksums" / f"{name}.npz") as path,
        np.load(path) as stored,
    ):
        names = stored["names"].tobytes().decode().split("\n")
        return {file: md5.tobytes().hex() for file, md5 in zip(names, stored["md5"], strict=True)}


def validate_files(
    folder: Path, expected: Mapping[str, str], known: Collection[str] = (), *, quick: bool = False
) -> Validation:
    """Compare the files below a folder with their md5s (lesson 1).

    Parameters
    ----------
    folder : Path
        The set's folder.
    expected : mapping of str to str
        Path relative to `folder`, with ``/``, to md5.
    known : collection of str
        Other paths that belong to the whole set and are no surprise if they are there.
    quick : bool
        Trust a md5 that was computed before if the file's size and time of change are still the same.

    Returns
    -------
    Validation
    """
    present = [name for name in expected if (folder / name).is_file()]
    found = dict(zip(present, md5s([folder / name for name in present], quick=quick), strict=True))
    own = set(expected) | set(known)
    tops = {name.split("/")[0] for name in own if "/" in name}
    return Validation(
        whole=tuple(name for name in expected if found.get(name) == expected[name]),
        missing=tuple(name for name in expected if name not in found),
        corrupt=tuple(name for name in found if found[name] != expected[name]),
        extra=tuple(name for name in _files_below(folder, sorted(tops)) if name not in own),
    )


def _files_below(folder: Path, tops: Iterable[str]) -> list[str]:
    """List the files in some subfolders, relative and with ``/``."""
    paths = (path for top in tops for path in sorted((folder / top).rglob("*")))
    return [path.relative_to(folder).as_posix() for path in paths if path.is_file()]


def md5s(paths: Sequence[Path], *, quick: bool = False) -> list[str]:
    """Compute the md5 of each file in parallel; `quick` remembers them by path, size and time of change."""
    index = _read_index(paths) if quick else {}
    stats = {str(path): [path.stat().st_size, path.stat().st_mtime_ns] for path in paths}
    stale = [path for path in paths if index.get(str(path), [])[:2] != stats[str(path)]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, md5 in zip(stale, pool.map(file_md5, stale), strict=True):
            index[str(path)] = [*stats[str(path)], md5]
    if quick and stale:
        _write_index(paths, index)
    return [index[str(path)][2] for path in paths]


def _index_path(paths: Sequence[Path]) -> Path:
    """Name the index of remembered md5s after the folder of the files."""
    folder = os.path.commonpath([path.parent.resolve() for path in paths]) if paths else ""
    return cache_root() / "checksums" / f"{hashlib.sha256(folder.encode()).hexdigest()[:16]}.json"


def _read_index(paths: Sequence[Path]) -> dict[str, list]:
    """Read the remembered md5s, none if the index is not there or damaged."""
    try:
        stored = json.loads(_index_path(paths).read_text("utf-8"))
        return {name: [int(size), int(changed), str(md5)] for name, (size, changed, md5) in stored.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_index(paths: Sequence[Path], index: Mapping[str, list]) -> None:
    """Remember the md5s of files that have settled; the index is only a shortcut, so a full disk is no error."""
    settled = time.time_ns() - CLOCK_GRAIN_NS
    kept = {name: entry for name, entry in index.items() if entry[1] < settled}
    target = _index_path(paths)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(target) as stream:
            stream.write(json.dumps(kept).encode())
    except OSError:
        return
