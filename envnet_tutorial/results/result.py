"""The one form of a result: settings, tables, arrays, in memory and as a folder."""

import json
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from envnet_tutorial.errors import InputError
from envnet_tutorial.files import PART_SUFFIX, unwritten, write_arrays, write_json, write_table

#: The results that come with the package, a folder each.
SHIPPED = Path(__file__).parent / "shipped"
#: Makes pandas read every float as it was written, which it does anyway from 3.1 on, and warns of being told so.
EXACTLY = {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}


@dataclass(frozen=True)
class Result:
    """What an experiment found, and everything needed to believe it and to make it again (lessons 4 and 5).

    Parameters
    ----------
    settings : dict of plain values
        kind ("run", "ablation", "choice", "controls", "listening", "activations", "comparison", "weights" or
        "throughput"), and what has to be known of that kind: data, network, recipe, seeds, folds, classes; commands
        (what makes it again);
        provenance (a list, one record for each process that trained; see `provenance.provenance`).
    tables : dict of str to DataFrame
        Rows of one kind each, such as the epochs ("history") or the test clips ("predictions").
    arrays : dict of str to ndarray
        What does not fit into tables, such as the probability of each class for each clip.

    Notes
    -----
    As a folder it is ``settings.json``, a ``NAME.csv`` for each table, and ``arrays.npz`` if there are arrays.
    """

    settings: dict
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> "Result":
        """Read a result from its folder, every number as it was written.

        Raises
        ------
        InputError
            If there is no result in the folder, or a file of it is damaged.
        """
        try:
            settings = json.loads((folder / "settings.json").read_text("utf-8"))
            paths = sorted(folder.glob("*.csv"))
            return cls(settings, {path.stem: read_table(path) for path in paths}, read_arrays(folder / "arrays.npz"))
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise InputError(f"{folder} does not hold a result, or it is damaged ({error})") from error

    def save(self, folder: Path) -> None:
        """Write the result to a folder of its own, whole or not at all.

        Raises
        ------
        InputError
            If the folder exists, or cannot be written.
        """
        if folder.exists():
            raise InputError(f"{folder} exists: remove it or choose another name")
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            unfinished_name = re.compile(rf"\.{re.escape(folder.name)}\.\w+{re.escape(PART_SUFFIX)}")
            for leftover in folder.parent.iterdir():  # of a process that was killed
                if unfinished_name.fullmatch(leftover.name) and leftover.is_dir():
                    shutil.rmtree(leftover)
            unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=PART_SUFFIX))
            try:
                self.write_into(unfinished)
                unfinished.chmod(0o755)  # mkdtemp's 0700 would keep it from everybody else
                unfinished.rename(folder)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        except OSError as error:
            raise unwritten(folder, error) from error

    def write_into(self, folder: Path) -> None:
        """Write the files of the result into an empty folder; see `save`."""
        write_json(folder / "settings.json", self.settings)
        for name, table in self.tables.items():
            write_table(folder / f"{name}.csv", table)
        if self.arrays:
            write_arrays(folder / "arrays.npz", self.arrays)


def read_table(path: Path) -> pd.DataFrame:
    """Read a table that `files.write_table` wrote, every float as it was.

    Raises
    ------
    InputError
        If the file is not there, or no table.
    """
    try:
        return pd.read_csv(path, **EXACTLY)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table ({error})") from error


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an NPZ; none where there is no such file."""
    if not path.is_file():
        return {}
    with path.open("rb") as stream, np.load(stream) as arrays:
        return dict(arrays)


def load_result(name: str) -> Result:
    """Read a result that comes with the package (lessons 4 and 5).

    Parameters
    ----------
    name : str
        Such as ``"esc10-fast"``.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        If there is none of that name.
    """
    known = sorted(path.parent.name for path in SHIPPED.glob("*/settings.json"))
    if name not in known:
        raise InputError(f"there is no result {name!r}; there are {', '.join(known)}")
    return Result.load(SHIPPED / name)
