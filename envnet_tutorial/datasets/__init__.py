"""The sounds that the lessons learn from: a synthetic set made on the spot, ESC-10, ESC-50, UrbanSound8K."""

import hashlib
import os
import shutil
from pathlib import Path

from filelock import FileLock

from envnet_tutorial.datasets.clips import ClipArray, SourceLeakError, random_split
from envnet_tutorial.datasets.esc50 import ESC50, SUBSETS
from envnet_tutorial.datasets.folder import ClipTable, read_folder
from envnet_tutorial.datasets.locations import cache_root
from envnet_tutorial.datasets.urbansound8k import UrbanSound8K
from envnet_tutorial.settings import CLIP_SECONDS, ENVNET_INPUT

__all__ = [
    "ESC50",
    "ClipArray",
    "ClipTable",
    "SourceLeakError",
    "UrbanSound8K",
    "load_clips",
    "open_folder",
    "random_split",
    "read_folder",
    "set_name",
    "synthetic_folder",
]

#: The sets that go by a name: how many classes and folds each has.
NAMED = {"synthetic": (10, 5), "esc10": (10, 5), "esc50": (50, 5), "urbansound8k": (10, 10)}


def load_clips(
    data: str | Path | None = None,
    *,
    sample_rate: int = ENVNET_INPUT.sample_rate,
    seconds: float = CLIP_SECONDS,
    folds: tuple[int, ...] | None = None,
    download: bool = True,
    progress: bool = True,
) -> ClipArray:
    """Give the clips of a data set, decoded, ready to train on (lesson 4).

    Parameters
    ----------
    data : str or Path, optional
        ``"synthetic"`` (made here, no network), ``"esc10"``, ``"esc50"``, ``"urbansound8k"``, however a name is
        written (``"ESC-10"``), or the path of a folder in the layout of ESC-50 or of UrbanSound8K. By default the
        folder that the environment variable ``ENVNET_DATA`` names, or else ``"synthetic"``.
    sample_rate : int
        Rate in Hz.
    seconds : float
        Length of each clip in s; shorter ones are followed by zeros, longer ones are cut.
    folds : tuple of int, optional
        Keep these folds only.
    download : bool
        Fetch what is missing of ESC-10 or ESC-50.
    progress : bool
        Show progress bars for what is made for the first time.

    Returns
    -------
    ClipArray
        Its samples are mapped from a file that is made once for each set, rate and length.

    Raises
    ------
    InputError
        If the folder is no such data set, a file is missing or cannot be decoded, or the disk is full.
    """
    data = data or os.environ.get("ENVNET_DATA") or "synthetic"
    name = set_name(data)
    if name in SUBSETS:
        published = ESC50(subset=name, folds=folds, download=download, progress=progress)
        return published.clips(sample_rate, seconds=seconds, progress=progress)
    if name == "urbansound8k":
        return UrbanSound8K(folds=folds).clips(sample_rate, seconds=seconds, progress=progress)
    folder = synthetic_folder(progress=progress) if name == "synthetic" else Path(data)
    return open_folder(folder, folds=folds).decode(sample_rate, seconds=seconds, progress=progress)


def set_name(data: str | Path) -> str | None:
    """Return which of the sets in `NAMED` is meant, ``"esc10"`` for ``"ESC-10"``; None for the path of a folder.

    A folder goes before a name that is written in another way than the set's own.
    """
    name = str(data).replace("-", "").lower()
    return name if name in NAMED and (name == str(data) or not Path(data).is_dir()) else None


def open_folder(folder: Path, *, folds: tuple[int, ...] | None = None) -> ClipTable:
    """Read what a folder of sounds holds, in ESC-50's layout or, with ``audio/fold1``, as UrbanSound8K (lesson 4).

    Raises
    ------
    InputError
        If the folder is neither, or UrbanSound8K and not whole.
    """
    if (folder / "audio" / "fold1").is_dir():
        return UrbanSound8K(folder, folds=folds).clip_table
    return read_folder(folder, folds=folds)


def synthetic_folder(seed: int = 0, *, progress: bool = True) -> Path:
    """Return the folder of the synthetic set, made on the first call (lesson 1)."""
    from envnet_tutorial.datasets import synthetic  # only the set itself needs the code of its sounds

    # Named after the code that makes it, so that a changed recipe is never mixed with sounds of the old one.
    here = Path(synthetic.__file__)
    sources = [here, *sorted((here.parent / "sounds").glob("*.py"))]
    recipe = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:10]
    parent = cache_root()
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / f"synthetic-{recipe}-seed{seed}"
    with FileLock(parent / f"{folder.name}.lock"):
        if not folder.is_dir():
            for leftover in parent.glob(f".{folder.name}-*.unfinished"):  # of a process that was killed
                shutil.rmtree(leftover)
            synthetic.synthesize(folder, seed=seed, progress=progress)
    return folder
