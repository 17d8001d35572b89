"""The sounds that the lessons learn from: a synthetic set made on the spot, ESC-10, ESC-50, UrbanSound8K."""

import hashlib
import shutil
from pathlib import Path

from filelock import FileLock

from envnet_tutorial.datasets.clips import ClipArray, SourceLeakError, random_split
from envnet_tutorial.datasets.esc50 import ESC50, SUBSETS
from envnet_tutorial.datasets.folder import ClipTable, is_urbansound8k, read_folder
from envnet_tutorial.datasets.locations import cache_root
from envnet_tutorial.datasets.names import NAMED, asked_for, set_name
from envnet_tutorial.datasets.urbansound8k import SECONDS as URBAN_SECONDS
from envnet_tutorial.datasets.urbansound8k import UrbanSound8K
from envnet_tutorial.settings import CLIP_SECONDS, ENVNET_INPUT

__all__ = [
    "ESC50",
    "NAMED",
    "ClipArray",
    "ClipTable",
    "SourceLeakError",
    "UrbanSound8K",
    "asked_for",
    "load_clips",
    "open_folder",
    "random_split",
    "read_folder",
    "set_name",
    "synthetic_folder",
]


def load_clips(
    data: str | Path | None = None,
    *,
    sample_rate: int = ENVNET_INPUT.sample_rate,
    seconds: float | None = None,
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
    seconds : float, optional
        Length of each clip in s; shorter ones are followed by zeros, longer ones are cut. By default
        5 s, as ESC-50's are, and 4 s of UrbanSound8K.
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
    data = asked_for(data)
    name = set_name(data)
    if name in SUBSETS:
        published = ESC50(subset=name, folds=folds, download=download, progress=progress)
        return published.clips(sample_rate, seconds=seconds or CLIP_SECONDS, progress=progress)
    if name == "urbansound8k":
        return UrbanSound8K(folds=folds).clips(sample_rate, seconds=seconds or URBAN_SECONDS, progress=progress)
    folder = synthetic_folder(progress=progress) if name == "synthetic" else Path(data).expanduser()
    own = URBAN_SECONDS if is_urbansound8k(folder) else CLIP_SECONDS
    return open_folder(folder, folds=folds).decode(sample_rate, seconds=seconds or own, progress=progress)


def open_folder(folder: Path, *, folds: tuple[int, ...] | None = None) -> ClipTable:
    """Read what a folder of sounds holds, in ESC-50's layout or, with ``audio/fold1``, as UrbanSound8K (lesson 4).

    Raises
    ------
    InputError
        If the folder is neither, or UrbanSound8K and not whole.
    """
    folder = folder.expanduser()
    if is_urbansound8k(folder):
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
