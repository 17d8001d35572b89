"""UrbanSound8K: 8,732 excerpts of city sound, up to 4 s, in 10 classes and 10 official folds (lesson 7).

J. Salamon, C. Jacoby and J. P. Bello, "A Dataset and Taxonomy for Urban Sound Research", ACM Multimedia 2014,
doi:10.1145/2647868.2655045.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import ClassVar

import pandas as pd

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.datasets.folder import ClipTable
from envnet_tutorial.datasets.published import Publication, set_folder, validate
from envnet_tutorial.datasets.verification import Validation, published_checksums
from envnet_tutorial.errors import InputError

FOLDS = tuple(range(1, 11))
#: Class names by classID.
CLASSES = (
    "air_conditioner",
    "car_horn",
    "children_playing",
    "dog_bark",
    "drilling",
    "engine_idling",
    "gun_shot",
    "jackhammer",
    "siren",
    "street_music",
)
#: Where the one archive of 6 GB lies; it has no single files to fetch, so fetching is left to the reader.
ARCHIVE = "https://zenodo.org/records/1203745"
#: Longest excerpt in s.
SECONDS = 4


@cache
def publication() -> Publication:
    """Describe UrbanSound8K as its authors publish it."""
    return Publication(
        name="UrbanSound8K",
        files={f"audio/{name}": md5 for name, md5 in published_checksums("urbansound8k").items()},
        licence="Creative Commons Attribution-NonCommercial 3.0 (CC BY-NC 3.0)",
        citation=(
            'J. Salamon, C. Jacoby and J. P. Bello, "A Dataset and Taxonomy for Urban Sound Research", 22nd ACM '
            "International Conference on Multimedia, 2014, https://doi.org/10.1145/2647868.2655045"
        ),
        homepage="https://urbansounddataset.weebly.com/urbansound8k.html",
        max_bytes=1 << 23,
        typical_bytes=810_000,
    )


class UrbanSound8K:
    """The official folds of UrbanSound8K out of a folder that was downloaded by hand (lesson 7).

    Parameters
    ----------
    root : str or Path, optional
        The folder ``UrbanSound8K``, with ``audio/fold1`` to ``audio/fold10``. By default what ``ENVNET_DATA`` names, or
        a folder in the user's cache.
    folds : sequence of int, optional
        These folds only.

    Attributes
    ----------
    folder : Path
    table : DataFrame
        One row a clip: filename (with its fold's folder), fold, target, category, src_file.

    Raises
    ------
    InputError
        If files are missing or damaged, with where to get them and how to lay them out.

    Notes
    -----
    Five of the 1,297 recordings have fragments of one class in one official fold and of another class in another
    (106905, 132016, 176638, 180937 and 77751): a source is recording plus class, see `folder.ClipTable.sources`.
    """

    #: Where a test puts a small set in the place of the real one.
    publication: ClassVar = staticmethod(publication)

    def __init__(self, root: str | Path | None = None, *, folds: Sequence[int] | None = None):
        self.folder = set_folder(root, "UrbanSound8K")
        self.wanted = self.select(folds)
        found = validate(self.publication(), self.folder, self.wanted, quick=True)
        if not found.is_whole:
            raise InputError(
                f"UrbanSound8K is not whole in {self.folder} ({found}): download UrbanSound8K.tar.gz by hand from "
                f"{self.publication().homepage} or {ARCHIVE}, unpack it so that this folder holds audio/fold1 ... "
                "audio/fold10, and give the folder here or in ENVNET_DATA"
            )
        self.table = self._table()

    def __len__(self) -> int:
        return len(self.table)

    @property
    def clip_table(self) -> ClipTable:
        """The clips as those of any folder."""
        return ClipTable(self.folder / "audio", self.table, verified=True)

    @property
    def paths(self) -> list[Path]:
        """Path of each clip."""
        return self.clip_table.paths

    def clips(self, sample_rate: int, *, seconds: float = SECONDS, progress: bool = True) -> ClipArray:
        """Decode the set to mono at one rate, through the cache; excerpts under 4 s are followed by zeros."""
        return self.clip_table.decode(sample_rate, seconds=seconds, progress=progress)

    def validate(self) -> Validation:
        """Look at every file anew and tell whole, missing, corrupt and extra ones apart."""
        return validate(self.publication(), self.folder, self.wanted)

    @classmethod
    def inspect(cls, root: str | Path | None = None, *, folds: Sequence[int] | None = None) -> Validation:
        """Validate a folder that need not hold the whole set."""
        return validate(cls.publication(), set_folder(root, "UrbanSound8K"), cls.select(folds))

    @classmethod
    def select(cls, folds: Iterable[int] | None) -> list[str]:
        """Name the files of some folds."""
        folds = FOLDS if folds is None else tuple(folds)
        if not folds or not set(folds) <= set(FOLDS):
            raise InputError(f"there is no fold {folds}; the folds are {FOLDS}")
        prefixes = tuple(f"audio/fold{fold}/" for fold in folds)
        return [name for name in cls.publication().files if name.startswith(prefixes)]

    def _table(self) -> pd.DataFrame:
        """Read everything out of the names: ``fold{fold}/{recording}-{class}-{occurrence}-{slice}.wav``."""
        rows = []
        for name in self.wanted:
            path = PurePosixPath(name).relative_to("audio")
            recording, target, _, _ = path.stem.split("-")
            fold, category = int(path.parent.name.removeprefix("fold")), CLASSES[int(target)]
            rows.append((str(path), fold, int(target), category, recording))
        return pd.DataFrame(rows, columns=["filename", "fold", "target", "category", "src_file"])
