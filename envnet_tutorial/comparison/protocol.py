"""Which trainings may stand in one table: the same data, recipe, seeds and folds for every network (lesson 7)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from envnet_tutorial.errors import InputError
from envnet_tutorial.results import SHIPPED, Result
from envnet_tutorial.run_folder import RunFolder
from envnet_tutorial.training import Recipe


@dataclass(frozen=True)
class Protocol:
    """What all networks of a table have in common.

    Parameters
    ----------
    data : str
        Name of the data set.
    recipe : Recipe
        Its number format may differ, as it may between the runs of one result.
    seeds, folds : tuple of int, optional
        What is asked for; without, whatever there is.
    """

    data: str
    recipe: Recipe
    seeds: tuple[int, ...] | None = None
    folds: tuple[int, ...] | None = None

    def admits(self, settings: dict, network: str) -> bool:
        """Say from the settings of a result whether it is of this network, data and recipe."""
        return (
            settings["kind"] == "run"
            and settings["network"] == network
            and same_data(settings["data"], self.data)
            and recipe_of(settings) == replace(self.recipe, precision="float32")
        )


def same_data(name: str, other: str) -> bool:
    """Say whether two names mean one data set: "ESC-50" is what the options call "esc50"."""
    return name.replace("-", "").casefold() == other.replace("-", "").casefold()


def recipe_of(settings: dict) -> Recipe:
    """Return the recipe of a result, as if its products had been in float32."""
    fields = settings["recipe"] | {"milestones": tuple(settings["recipe"]["milestones"]), "precision": "float32"}
    return Recipe(**fields)


def training_folder(trainings: Path, network: str, preset: str, seed: int, fold: int) -> Path:
    """Return the run folder of one training: it holds one fold, so that seeds and folds can be added to at will."""
    return trainings / f"{network}-{preset}-seed{seed}-fold{fold}"


def kept_results(trainings: Path, network: str, protocol: Protocol) -> Iterator[Result]:
    """Yield the finished trainings of a network below a folder.

    Raises
    ------
    InputError
        If a folder of that name was trained on other data or with another recipe.
    """
    for path in sorted(trainings.glob(f"{network}-{protocol.recipe.name}-seed*-fold*")):
        # A killed process may leave a folder that says nothing yet.
        if not (path / "settings.json").exists() or not (run := RunFolder.open(path)).finished_folds():
            continue
        result = run.result()
        if not protocol.admits(result.settings, network):
            raise InputError(f"{path} was trained on other data or with another recipe: give another --trainings")
        yield result


def shipped_results(network: str, protocol: Protocol) -> Iterator[Result]:
    """Yield what comes with the package of a network under a protocol."""
    for path in sorted(SHIPPED.glob("*/settings.json")):
        if protocol.admits(json.loads(path.read_text("utf-8")), network):
            yield Result.load(path.parent)


def held(network: str, protocol: Protocol, trainings: Path | None = None) -> Result | None:
    """Return what has been trained of a network under a protocol, as one result.

    Parameters
    ----------
    network : str
        A key of `models.NETWORKS`.
    protocol : Protocol
    trainings : Path, optional
        A folder that ``compare`` keeps its trainings in. What it holds comes before what comes with the package, of
        which a training is used if the folder has none of its seed and fold.

    Returns
    -------
    Result or None
        Its tables "predictions" and "history", of seeds that were all tested on the same folds: the largest such part
        of what there is, because the mean over unlike folds is no fair number. None if there is nothing.
    """
    kept = [] if trainings is None else list(kept_results(trainings, network, protocol))
    parts = [part for result in (*kept, *shipped_results(network, protocol)) for part in single_trainings(result)]
    found = {}
    for (seed, fold), part in parts:
        is_asked = seed in (protocol.seeds or (seed,)) and fold in (protocol.folds or (fold,))
        if is_asked:
            found.setdefault((seed, fold), part)
    return joined([found[key] for key in rectangle(found)]) if found else None


def single_trainings(result: Result) -> Iterator[tuple[tuple[int, int], Result]]:
    """Take a run apart into its trainings, by seed and fold."""
    clips = result.tables["predictions"]
    for seed, fold in clips[["seed", "fold"]].drop_duplicates().itertuples(index=False, name=None):
        rows = {name: result.tables[name] for name in ("history", "predictions")}
        own = {name: table[(table["seed"] == seed) & (table["fold"] == fold)] for name, table in rows.items()}
        probabilities = result.arrays["probabilities"][
            np.flatnonzero((clips["seed"] == seed) & (clips["fold"] == fold))
        ]
        yield (seed, fold), Result(result.settings, own, {"probabilities": probabilities})


def rectangle(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return pairs of seed and fold in which all seeds have the same folds: as many as the folds of a seed allow."""
    folds = {}
    for seed, fold in sorted(pairs):
        folds.setdefault(seed, []).append(fold)
    groups = [([seed for seed in folds if set(common) <= set(folds[seed])], common) for common in folds.values()]
    seeds, common = max(groups, key=lambda group: len(group[0]) * len(group[1]))
    return [(seed, fold) for seed in seeds for fold in common]


def joined(parts: Sequence[Result]) -> Result:
    """Return several trainings of one network as one result, with the commands and provenance of all."""
    tables = {name: pd.concat([part.tables[name] for part in parts], ignore_index=True) for name in parts[0].tables}
    arrays = {"probabilities": np.concatenate([part.arrays["probabilities"] for part in parts])}
    records = [record for part in parts for record in part.settings["provenance"]]
    commands = dict.fromkeys(command for part in parts for command in part.settings["commands"])
    clips = tables["predictions"]
    settings = parts[0].settings | {
        "seeds": sorted(set(clips["seed"].tolist())),
        "folds": sorted(set(clips["fold"].tolist())),
        "commands": list(commands),
        "provenance": [record for number, record in enumerate(records) if record not in records[:number]],
    }
    return Result(settings, tables, arrays)
