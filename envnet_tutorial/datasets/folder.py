"""Any folder in ESC-50's layout: ``audio/`` and ``meta/esc50.csv`` (lessons 1 and 4)."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.settings import CLIP_SECONDS

#: What the tables of a run call their own columns, beside one for each class.
RESERVED = {"seed", "fold", "name", "label", "prediction", "truth"}
#: Columns of ``meta/esc50.csv`` that are read.
COLUMNS = ("filename", "fold", "target", "category", "src_file")


@dataclass(frozen=True)
class ClipTable:
    """A list of sound files with what a split needs to know of each.

    Parameters
    ----------
    folder : Path
        Where the relative paths in ``table.filename`` start.
    table : DataFrame
        One row a clip with the columns `COLUMNS`.
    verified : bool, default False
        Whether each file is known by its checksum. One that ends too early was published so, then; else it is damaged.
    """

    folder: Path
    table: pd.DataFrame
    verified: bool = False

    def __len__(self) -> int:
        return len(self.table)

    @property
    def paths(self) -> list[Path]:
        """Path of each clip."""
        return [self.folder / name for name in self.table["filename"]]

    @property
    def sources(self) -> np.ndarray:
        """Source of each clip, shape (clip,): the recording and the class.

        In ESC-50 four recordings, and in UrbanSound8K five, have fragments of one class in one official fold and of
        another class in another. Those folds are what all published results stand on, so they are kept: what a split
        must never put on both sides is a recording of one class.
        """
        return (self.table["src_file"] + "-" + self.table["target"].astype(str)).to_numpy(str)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their targets."""
        pairs = self.table[["target", "category"]].drop_duplicates().sort_values("target")
        return tuple(pairs["category"])

    def decode(
        self, sample_rate: int, *, seconds: float = CLIP_SECONDS, cache: Path | None = None, progress: bool = True
    ) -> ClipArray:
        """Decode all clips to mono int16 at one rate, through the cache (see `envnet_tutorial.datasets.cache.decode`).

        Targets are numbered anew from 0 in their own order, so that ten classes of fifty get labels 0 to 9.
        """
        from envnet_tutorial.datasets.cache import decode  # brings torch, which fetching and checking do without

        targets, labels = np.unique(self.table["target"].to_numpy(np.int64), return_inverse=True)
        if not len(targets) == len(self.classes) == len(set(self.classes)):
            raise InputError(f"of {self.folder}, targets and categories are not one to one: {', '.join(self.classes)}")
        samples = decode(
            self.paths,
            sample_rate=sample_rate,
            num_samples=round(seconds * sample_rate),
            cache=cache,
            progress=progress,
            allow_truncated=self.verified,
        )
        return ClipArray(
            samples=samples,
            labels=labels.astype(np.int64),
            folds=self.table["fold"].to_numpy(np.int64),
            sources=self.sources,
            names=np.array([PurePosixPath(name).name for name in self.table["filename"]]),
            classes=self.classes,
            sample_rate=sample_rate,
        )


def is_urbansound8k(folder: Path) -> bool:
    """Tell whether a folder is laid out as UrbanSound8K, with ``audio/fold1``."""
    return (folder / "audio" / "fold1").is_dir()


def read_folder(folder: str | Path, *, folds: tuple[int, ...] | None = None) -> ClipTable:
    """Read the metadata of a folder in ESC-50's layout (lesson 1).

    Parameters
    ----------
    folder : str or Path
        Holds ``audio/`` and ``meta/esc50.csv`` with at least the columns `COLUMNS`.
    folds : tuple of int, optional
        Keep these folds only.

    Returns
    -------
    ClipTable

    Raises
    ------
    InputError
        If the folder, its metadata, a column or a file is missing, or a file name leads out of ``audio/``.
    """
    folder = Path(folder).expanduser()
    metadata = folder / "meta" / "esc50.csv"
    if not metadata.is_file():
        raise InputError(f"{folder} is not a data set in ESC-50's layout: {metadata} is not there")
    table = select_folds(read_metadata(metadata), folds)
    missing = [name for name in table["filename"] if not (folder / "audio" / name).is_file()]
    if missing:
        raise InputError(f"{len(missing)} of {len(table)} clips are missing from {folder / 'audio'}: {missing[0]}, ...")
    return ClipTable(folder / "audio", table)


def read_metadata(metadata: Path) -> pd.DataFrame:
    """Read and check ``meta/esc50.csv``; raise `InputError` if it is no such table."""
    try:
        # A class may be called "NA"; only an empty field is none.
        texts = dict.fromkeys(("filename", "category", "src_file"), str)
        table = pd.read_csv(metadata, dtype=texts, keep_default_na=False, na_values=[""])
    except (ValueError, OSError) as error:
        raise InputError(f"{metadata} cannot be read as a table ({error})") from error
    absent = [column for column in COLUMNS if column not in table.columns]
    if absent or table[list(COLUMNS)].isna().any(axis=None):
        raise InputError(f"{metadata} lacks {', '.join(absent) or 'values'}: ESC-50's columns are {', '.join(COLUMNS)}")
    if table.empty or not all(pd.api.types.is_integer_dtype(table[column]) for column in ("fold", "target")):
        raise InputError(f"{metadata} lists no clip, or a fold or target that is not a whole number")
    taken = sorted(RESERVED.intersection(table["category"]))
    if taken:
        raise InputError(f"{metadata} has a category {taken[0]!r}, as a column of every result is called: rename it")
    _check_names(table["filename"], metadata)
    return table


def select_folds(table: pd.DataFrame, folds: tuple[int, ...] | None) -> pd.DataFrame:
    """Keep the rows of some folds, refusing a fold that no row has."""
    if folds is None:
        return table.reset_index(drop=True)
    present = sorted(set(table["fold"].tolist()))
    unknown = sorted(set(folds) - set(present))
    if unknown or not folds:
        raise InputError(f"there is no fold {unknown or 'in an empty selection'}; the folds are {present}")
    return table[table["fold"].isin(folds)].reset_index(drop=True)


def _check_names(names: pd.Series, metadata: Path) -> None:
    """Refuse file names that are listed twice or lead out of the folder."""
    if names.duplicated().any():
        raise InputError(f"{metadata} lists {names[names.duplicated()].iloc[0]} twice")
    for name in names:
        if Path(name).name != name or "\\" in name or name in ("", ".", ".."):
            raise InputError(f"{metadata} lists {name!r}, which is not a plain file name")
