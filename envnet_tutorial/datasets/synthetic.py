"""A stand-in for ESC-10 that is made on the spot: ten classes of synthetic sounds in ESC-50's own layout (lesson 1).

Nothing is recorded or downloaded: every clip is computed from a seed, so the book works offline and on the same
samples everywhere. The numbers and names of the classes, the file names, the table and the five folds are those of
ESC-50 (Piczak 2015, https://doi.org/10.1145/2733373.2806390), so that real data can take its place.
"""

import csv
import io
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path

import numpy as np
import soundfile
import torch
from tqdm import tqdm

from envnet_tutorial.datasets import sounds
from envnet_tutorial.errors import InputError
from envnet_tutorial.files import errors_of_disk
from envnet_tutorial.settings import CLIP_RATE, CLIP_SECONDS

#: Changes whenever the same seed would give other bytes; stored in ``meta/recipe.json``.
RECIPE_VERSION = 2
#: What a set consists of.
MADE = re.compile(r"audio/\d-\d+-[A-Z]-\d+\.wav|meta/(esc50\.csv|recipe\.json)")

#: ESC-50's target numbers and names of the ten classes that make up ESC-10.
CLASSES = {
    0: "dog",
    1: "rooster",
    10: "rain",
    11: "sea_waves",
    12: "crackling_fire",
    20: "crying_baby",
    21: "sneezing",
    38: "clock_tick",
    40: "helicopter",
    41: "chainsaw",
}

#: What draws a source recording of each class.
SOUNDS = {
    "dog": sounds.Dog,
    "rooster": sounds.Rooster,
    "rain": sounds.Rain,
    "sea_waves": sounds.SeaWaves,
    "crackling_fire": sounds.CracklingFire,
    "crying_baby": sounds.CryingBaby,
    "sneezing": sounds.Sneezing,
    "clock_tick": sounds.ClockTick,
    "helicopter": sounds.Helicopter,
    "chainsaw": sounds.Chainsaw,
}

FOLDS = (1, 2, 3, 4, 5)
#: Columns of ``meta/esc50.csv``.
COLUMNS = ("filename", "fold", "target", "category", "esc10", "src_file", "take")
#: Bytes of a clip's file: 44 of header, then two a sample.
FILE_BYTES = 44 + 2 * CLIP_RATE * CLIP_SECONDS
#: How often a source recording gives one, two, three or four takes, roughly as in ESC-10.
TAKE_ODDS = (0.35, 0.3, 0.2, 0.15)


@dataclass(frozen=True)
class Fragment:
    """One clip to be made.

    Parameters
    ----------
    fold, target : int
        Fold (1 to 5) and ESC-50's class number.
    source : int
        Which source recording of that class in that fold, from 0.
    take : int
        Which fragment of that source, from 0.
    """

    fold: int
    target: int
    source: int
    take: int

    @property
    def source_id(self) -> int:
        """Number of the source recording in file names: seven digits, which no Freesound number of ESC-50 has."""
        return 1_000_000 * self.fold + 10_000 * self.target + self.source

    @property
    def take_letter(self) -> str:
        """Letter of the take, from A."""
        return chr(ord("A") + self.take)

    @property
    def filename(self) -> str:
        """ESC-50's ``{FOLD}-{CLIP_ID}-{TAKE}-{TARGET}.wav``."""
        return f"{self.fold}-{self.source_id}-{self.take_letter}-{self.target}.wav"

    def row(self) -> tuple:
        """Return this clip's row of ``meta/esc50.csv``."""
        return (
            self.filename,
            self.fold,
            self.target,
            CLASSES[self.target],
            True,
            self.source_id,
            self.take_letter,
        )

    def render(self, seed: int) -> np.ndarray:
        """Synthesise the clip, shape (220500,), int16: one generator for its source, one for its take."""
        key = [seed, self.target, self.fold, self.source]
        source = SOUNDS[CLASSES[self.target]].draw(np.random.default_rng(key))
        wave = source.take(np.random.default_rng([*key, self.take + 1]))
        return np.round(wave * 32_767).astype(np.int16)


def synthesize(
    folder: str | Path,
    *,
    seed: int = 0,
    clips_per_class: int = 40,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Make the data set: 44.1 kHz, 5 s, 16-bit mono WAV files in ESC-50's layout.

    The folder appears when it is complete and not before. If it holds this very set already, nothing is done; if it
    holds an older recipe or another seed of this set, it is replaced.

    Parameters
    ----------
    folder : str or Path
        Where to write ``audio/`` and ``meta/``: a new or an empty folder, or one that this function made.
    seed : int
        Same seed, same bytes.
    clips_per_class : int
        Multiple of five: the folds are equally large.
    workers : int, optional
        Threads (NumPy lets them run in parallel); the number of cores unless given. The bytes do not depend on it.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If a number makes no sense, the folder holds something else, or the disk is full.
    """
    folder = Path(folder).expanduser().absolute()
    if clips_per_class < 5 or clips_per_class % 5:
        raise InputError(f"clips_per_class must be a multiple of 5, one for each fold, not {clips_per_class}")
    _require_seed(seed)
    if workers is not None and workers < 1:
        raise InputError(f"workers must be 1 or more, not {workers}")
    recipe = {"name": "envnet-tutorial", "version": RECIPE_VERSION, "seed": seed, "clips_per_class": clips_per_class}
    if _is_complete(folder, recipe):
        return folder
    _refuse_foreign(folder)
    with errors_of_disk(folder), _appearing_whole(folder) as unfinished:
        _write(unfinished, plan(seed, clips_per_class), seed, workers or cpu_count() or 1, progress)
        (unfinished / "meta" / "recipe.json").write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")
    return folder


def example(category: str, *, seed: int = 0) -> tuple[torch.Tensor, int]:
    """Synthesise one clip without writing a file.

    Parameters
    ----------
    category : str
        A name in `CLASSES`.
    seed : int
        Another seed is another source: another dog, another room.

    Returns
    -------
    waveform : Tensor of float32, shape (1, 220500)
        Between -1 and 1.
    sample_rate : int
        44,100 Hz.

    Raises
    ------
    InputError
        If there is no such category.
    """
    targets = {name: target for target, name in CLASSES.items()}
    if category not in targets:
        raise InputError(f"no category {category!r}; there are {', '.join(targets)}")
    _require_seed(seed)
    clip = Fragment(fold=1, target=targets[category], source=0, take=0).render(seed)
    return torch.from_numpy(clip.astype(np.float32) / 32_768).unsqueeze(0), CLIP_RATE


def plan(seed: int, clips_per_class: int) -> list[Fragment]:
    """List the clips of a set: in each fold and class, sources of one to four takes until there are enough."""
    fragments = []
    for fold in FOLDS:
        for target in CLASSES:
            rng = np.random.default_rng([seed, target, fold])
            takes = rng.choice(4, size=clips_per_class // 5, p=TAKE_ODDS) + 1
            of_class = [Fragment(fold, target, source, k) for source, count in enumerate(takes) for k in range(count)]
            fragments += of_class[: clips_per_class // 5]
    return sorted(fragments, key=lambda fragment: fragment.filename)


def _write(folder: Path, fragments: list[Fragment], seed: int, workers: int, progress: bool) -> None:
    """Write audio and table into an empty folder."""
    (folder / "audio").mkdir()
    (folder / "meta").mkdir()

    def make(fragment: Fragment) -> None:
        stream = io.BytesIO()  # in memory first: a disk that refuses is then no riddle of the library's
        soundfile.write(stream, fragment.render(seed), CLIP_RATE, format="WAV", subtype="PCM_16")
        (folder / "audio" / fragment.filename).write_bytes(stream.getvalue())

    with ThreadPoolExecutor(workers) as pool:
        done = pool.map(make, fragments)
        try:
            for _ in tqdm(done, total=len(fragments), desc="Synthesising", unit="clip", disable=not progress):
                pass
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    with (folder / "meta" / "esc50.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(fragment.row() for fragment in fragments)


@contextmanager
def _appearing_whole(folder: Path) -> Iterator[Path]:
    """Give a temporary neighbour to write to; rename it to `folder` at the end, remove it after an exception."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".unfinished", dir=folder.parent))
    try:
        unfinished.chmod(0o755)  # mkdtemp's folders are for their owner only
        yield unfinished
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _is_complete(folder: Path, recipe: dict) -> bool:
    """Whether the folder holds exactly the set of this recipe, every file at its full length."""
    if _recipe_of(folder) != recipe:
        return False
    files = [folder / "audio" / clip.filename for clip in plan(recipe["seed"], recipe["clips_per_class"])]
    return (folder / "meta" / "esc50.csv").is_file() and all(
        file.is_file() and file.stat().st_size == FILE_BYTES for file in files
    )


def _recipe_of(folder: Path) -> dict | None:
    """Read the recipe of a synthetic set; None where there is none."""
    try:
        recipe = json.loads((folder / "meta" / "recipe.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return recipe if isinstance(recipe, dict) else None


def _refuse_foreign(folder: Path) -> None:
    """Refuse to write where something is that this module did not make."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder for the data set")
    content = {entry.name for entry in folder.iterdir()}
    is_ours = (_recipe_of(folder) or {}).get("name") == "envnet-tutorial" and content <= {"audio", "meta"}
    if content and not is_ours:
        raise InputError(f"{folder} is not empty and was not made by synthesize(); name a new or an empty folder")
    strangers = sorted(path for path in folder.glob("*/*") if not MADE.fullmatch(path.relative_to(folder).as_posix()))
    if strangers:
        raise InputError(
            f"{strangers[0]} was not made by synthesize() and would be lost: move it out of {folder} first"
        )


def _require_seed(seed: int) -> None:
    """Refuse a seed that no generator takes."""
    if seed < 0:
        raise InputError(f"seed must be 0 or more, not {seed}")
