"""Trainings that are kept one by one: a program that is stopped and called again makes only what is missing."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from envnet_tutorial.errors import InputError
from envnet_tutorial.results import Result


@dataclass(frozen=True)
class Trainings:
    """A folder with a result for each training of an experiment.

    Several processes may share it if each makes other trainings.

    Parameters
    ----------
    folder : Path
    provenance : dict
        Of the trainings that this process makes (`provenance.provenance`).
    """

    folder: Path
    provenance: dict

    def once(self, name: str, settings: dict, train: Callable[[], Result]) -> Result:
        """Return the training of a name: what is kept of it, or else what it gives now.

        Parameters
        ----------
        name : str
            Tells the training from the others of the folder.
        settings : dict of plain values
            What decides the training, such as recipe and seed.
        train : callable
            Makes the result, whose settings are set here.

        Raises
        ------
        InputError
            If what is kept was trained with other settings or on other data.
        """
        folder = self.folder / re.sub(r"[^\w.]+", "-", name)
        settings = json.loads(json.dumps(settings | {"data": self.provenance["data"]}))  # tuples become lists
        if not folder.exists():
            found = train()
            Result(settings | {"provenance": [self.provenance]}, found.tables, found.arrays).save(folder)
        kept = Result.load(folder)
        if {key: value for key, value in kept.settings.items() if key != "provenance"} != settings:
            raise InputError(f"{folder} was trained with other settings or data: give another --trainings")
        return kept


def joined(results: Iterable[Result], name: str) -> pd.DataFrame:
    """Return the rows of one table of several results, in their order."""
    return pd.concat([result.tables[name] for result in results], ignore_index=True)


def all_provenance(results: Iterable[Result]) -> list[dict]:
    """Return the records of provenance of several results, each once, in the order of the results."""
    records = [record for result in results for record in result.settings["provenance"]]
    return [record for number, record in enumerate(records) if record not in records[:number]]


def all_commands(results: Iterable[Result], last: str) -> list[str]:
    """Return the commands that made several results, each once, and the one that joins them last."""
    made = dict.fromkeys(record["command"] for record in all_provenance(results))
    return [*(command for command in made if command != last), last]
