"""ESC-50 and its subset ESC-10: 2,000 (400) clips of environmental sound in 50 (10) classes and 5 folds (lesson 4).

K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015, doi:10.1145/2733373.2806390.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar

import pandas as pd
import soundfile

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.datasets.download import Patience
from envnet_tutorial.datasets.folder import ClipTable, is_urbansound8k, read_metadata, select_folds
from envnet_tutorial.datasets.published import Publication, fetch, set_folder, validate
from envnet_tutorial.datasets.verification import Validation, published_checksums
from envnet_tutorial.errors import InputError
from envnet_tutorial.settings import CLIP_SECONDS

#: The commit of karolpiczak/ESC-50 whose files have the checksums that are shipped here.
COMMIT = "33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6"
METADATA = "meta/esc50.csv"
METADATA_MD5 = "54a0d0055a10bb7df84ad340a148722e"
FOLDS = (1, 2, 3, 4, 5)
#: Targets of the ten classes of ESC-10, by their numbers in ESC-50.
ESC10_TARGETS = (0, 1, 10, 11, 12, 20, 21, 38, 40, 41)
SUBSETS = ("esc50", "esc10")
#: Rate in Hz of every published clip.
SAMPLE_RATE = 44_100


@cache
def publication() -> Publication:
    """Describe ESC-50 as its author publishes it."""
    clips = {f"audio/{name}": md5 for name, md5 in published_checksums("esc50").items()}
    return Publication(
        name="ESC-50",
        files={METADATA: METADATA_MD5} | clips,
        licence="Creative Commons Attribution-NonCommercial (CC BY-NC); the clips of the ESC-10 subset CC BY",
        citation=(
            'K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", Proceedings of the 23rd ACM '
            "International Conference on Multimedia, 2015, pp. 1015-1018, https://doi.org/10.1145/2733373.2806390"
        ),
        homepage="https://github.com/karolpiczak/ESC-50",
        max_bytes=441_044,
        typical_bytes=441_044,
        mirrors=(
            f"https://raw.githubusercontent.com/karolpiczak/ESC-50/{COMMIT}",
            "https://raw.githubusercontent.com/karolpiczak/ESC-50/master",
        ),
        archive=f"https://github.com/karolpiczak/ESC-50/archive/{COMMIT}.zip",
        archive_bytes=645_832_161,
    )


class ESC50:
    """ESC-50, ESC-10 or some folds of either, verified clip by clip (lesson 4).

    Parameters
    ----------
    root : str or Path, optional
        The set's folder, with ``audio`` and ``meta``. By default what ``ENVNET_DATA`` names, or a folder in the user's
        cache. A folder that already holds the files needs no network.
    subset : {"esc50", "esc10"}
        All 50 classes, or the 10 of ESC-10.
    folds : sequence of int, optional
        These folds only.
    download : bool
        Fetch what is missing or damaged: 176 MB for ESC-10, 882 MB for all. What is whole is never fetched again.
    mirrors : sequence of str
        Addresses of folders with ``audio`` and ``meta`` that are tried before GitHub.
    archive : str or Path, optional
        Take the files out of the ZIP archive of the repository, a path or an address, instead of one by one.
    patience : Patience, optional
        How often and how long to try.
    progress : bool
        Show progress bars.

    Attributes
    ----------
    folder : Path
    table : DataFrame
        One row a clip: filename, fold, target, category, esc10, src_file, take.

    Raises
    ------
    InputError
        If files are missing or damaged and `download` is off, or if they could not be fetched.
    """

    #: Where a test puts a small set in the place of the real one.
    publication: ClassVar = staticmethod(publication)

    def __init__(
        self,
        root: str | Path | None = None,
        *,
        subset: str = "esc50",
        folds: Sequence[int] | None = None,
        download: bool = True,
        mirrors: Sequence[str] = (),
        archive: str | Path | None = None,
        patience: Patience | None = None,
        progress: bool = True,
    ):
        self.folder = set_folder(root, "ESC-50")
        self.subset = subset
        self.folds = None if folds is None else tuple(folds)
        self.wanted = self._wanted()
        if download:
            self._refuse_another_set()
            fetch(
                self.publication(),
                self.folder,
                self.wanted,
                mirrors=mirrors,
                archive=archive,
                patience=patience,
                progress=progress,
            )
        else:
            self._require_whole()
        self.table = self._table()

    def __len__(self) -> int:
        return len(self.table)

    @property
    def paths(self) -> list[Path]:
        """Path of each clip."""
        return ClipTable(self.folder / "audio", self.table).paths

    def clips(self, sample_rate: int, *, seconds: float = CLIP_SECONDS, progress: bool = True) -> ClipArray:
        """Decode the set at one rate, through the cache (see `envnet_tutorial.datasets.cache.decode`)."""
        clips = ClipTable(self.folder / "audio", self.table, verified=True)
        return clips.decode(sample_rate, seconds=seconds, progress=progress)

    def validate(self) -> Validation:
        """Look at every file anew and tell whole, missing, corrupt and extra ones apart."""
        return validate(self.publication(), self.folder, self.wanted)

    @classmethod
    def inspect(
        cls, root: str | Path | None = None, *, subset: str = "esc50", folds: Sequence[int] | None = None
    ) -> Validation:
        """Validate a folder that need not hold the whole set."""
        return validate(cls.publication(), set_folder(root, "ESC-50"), cls.select(subset, folds))

    @classmethod
    def select(cls, subset: str, folds: Iterable[int] | None) -> list[str]:
        """Name the files of a subset and some folds; a name tells both: ``{fold}-{clip}-{take}-{target}.wav``."""
        if subset not in SUBSETS:
            raise InputError(f"there is no subset {subset!r}; the subsets are {', '.join(SUBSETS)}")
        folds = FOLDS if folds is None else tuple(folds)
        if not folds or not set(folds) <= set(FOLDS):
            raise InputError(f"there is no fold {folds}; the folds are {FOLDS}")
        chosen = []
        for name in cls.publication().files:
            if name != METADATA:
                fold, _, _, target = Path(name).stem.split("-")
                if int(fold) in folds and (subset == "esc50" or int(target) in ESC10_TARGETS):
                    chosen.append(name)
        return [METADATA, *chosen]

    def _wanted(self) -> list[str]:
        return self.select(self.subset, self.folds)

    def _refuse_another_set(self) -> None:
        """Raise if the folder holds other clips, or these at another rate: a fetch would replace somebody's own set."""
        if is_urbansound8k(self.folder):
            raise InputError(
                f"{self.folder} is laid out as UrbanSound8K: to use it, give the folder itself as the data; to fetch "
                "ESC-50, give another folder, or take it out of ENVNET_DATA"
            )
        for name in validate(self.publication(), self.folder, self.wanted, quick=True).corrupt:
            rate = _sample_rate(self.folder / name)
            if rate not in (None, SAMPLE_RATE):
                raise InputError(
                    f"{self.folder} holds a copy of ESC-50 at another rate than the published one ({name} has {rate:,} "
                    "Hz): to use it as it is, give the folder itself as the data; to fetch ESC-50, give another folder"
                )
        try:
            names = read_metadata(self.folder / METADATA)["filename"]
        except InputError:  # not there or damaged: the fetch brings it
            return
        strange = [name for name in names if f"audio/{name}" not in self.publication().files]
        if strange:
            raise InputError(
                f"{self.folder} holds another set than the published ESC-50 ({METADATA} names {strange[0]}): to use it "
                "as it is, give the folder itself as the data; to fetch ESC-50, give another folder"
            )

    def _require_whole(self) -> None:
        """Raise with what to do unless every wanted file is there and right."""
        found = validate(self.publication(), self.folder, self.wanted, quick=True)
        if not found.is_whole:
            raise InputError(
                f"ESC-50 is not whole in {self.folder} ({found}): fetch it with download=True or "
                f"'python -m envnet_tutorial data fetch {self.subset}', or name its folder in ENVNET_DATA"
            )

    def _table(self) -> pd.DataFrame:
        """Read the rows of the wanted clips."""
        table = select_folds(read_metadata(self.folder / METADATA), self.folds)
        rows = table["filename"].map(lambda name: f"audio/{name}").isin(self.wanted)
        return table[rows].reset_index(drop=True)


def _sample_rate(path: Path) -> int | None:
    """Return the rate in Hz that a file's header names, None where it is no sound."""
    try:
        return soundfile.info(path).samplerate
    except soundfile.LibsndfileError:
        return None
