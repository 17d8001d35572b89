"""The folder that a training run works in, all that is needed to go on with it and to make a result of it (lesson 4).

::

    RUN/settings.json      data, network, recipe, seed, classes; provenance, taken before the first step
    RUN/results.csv        clips, correct, accuracy of each finished fold
    RUN/confusion.csv      all finished folds together; rows are the truth
    RUN/fold-1/            weights.pt, history.csv, predictions.csv, confusion.csv; checkpoint.pt until it is finished
    RUN/fold-1/front_end/  step-000000.pt and so on: the weights of the front end along the training, where asked for

Hidden beside these are the locks of processes that write here: ``.fold-1.lock`` and so on, ``.lock`` for the tables.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from filelock import FileLock, Timeout
from torch import nn

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.files import errors_of_disk, is_part, remove_parts, write_json, write_table, write_tensors
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.models.base import refuse_lost
from envnet_tutorial.results import Result, read_table
from envnet_tutorial.results.views import front_end_arrays
from envnet_tutorial.training import FoldResult, Recipe, confusion_matrix
from envnet_tutorial.training.front_ends import FrontEndKeeper, kept_steps, read_front_ends

#: The file by which processes take turns at what belongs to the whole run.
LOCK = ".lock"


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What a run was asked to do.

    Parameters
    ----------
    data : str
        Name or folder of the data set.
    network : str
        A key of `models.NETWORKS`.
    recipe : Recipe
    seed : int
    folds : tuple of int
        The folds to hold out, one after the other.
    classes : tuple of str
        Class names.
    """

    data: str
    network: str
    recipe: Recipe
    seed: int
    folds: tuple[int, ...]
    classes: tuple[str, ...]

    @classmethod
    def from_json(cls, fields: dict) -> "RunSettings":
        """Make settings from what `RunFolder.create` wrote."""
        recipe = fields["recipe"] | {"milestones": tuple(fields["recipe"]["milestones"])}
        known = {key: fields[key] for key in ("data", "network", "seed")}
        tuples = {key: tuple(fields[key]) for key in ("folds", "classes")}
        return cls(recipe=Recipe(**recipe), **known, **tuples)


@dataclass(frozen=True)
class RunFolder:
    """A folder with a run: what was asked, and what came of it.

    Parameters
    ----------
    path : Path
    settings : RunSettings
    provenance : dict
        Commit, command, versions, hardware and so on when the training started (`provenance.provenance`).
    """

    path: Path
    settings: RunSettings
    provenance: dict

    @classmethod
    def create(cls, path: str | os.PathLike, settings: RunSettings, provenance: dict) -> "RunFolder":
        """Make a folder for a new run and write down what it will do, and on what.

        Raises
        ------
        InputError
            If there is something in the folder already, or it cannot be made.
        """
        path = Path(path)
        try:
            cls.refuse_occupied(path)
            path.mkdir(parents=True, exist_ok=True)
            with FileLock(path / LOCK):  # of two processes that ask for one folder, one gets it
                cls.refuse_occupied(path)
                remove_parts(path)
                write_json(path / "settings.json", asdict(settings) | {"provenance": provenance})
        except OSError as error:
            raise InputError(f"{path} cannot be a run folder: {error.strerror}") from error
        return cls(path, settings, provenance)

    @staticmethod
    def refuse_occupied(path: Path) -> None:
        """Raise `InputError` if something is in a folder that a new run asks for."""
        if path.exists() and not all(is_part(entry) or entry.name == LOCK for entry in path.iterdir()):
            raise InputError(f"{path} is not empty: choose another folder, or go on in it with --resume")

    @classmethod
    def open(cls, path: str | os.PathLike) -> "RunFolder":
        """Open the folder of a run that was made before.

        Raises
        ------
        InputError
            If there is no run in the folder.
        """
        path = Path(path)
        try:
            fields = json.loads((path / "settings.json").read_text("utf-8"))
            run = cls(path, RunSettings.from_json(fields), fields["provenance"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is not a run folder: it has no readable settings.json") from error
        if run.settings.network not in NETWORKS:
            raise InputError(f"{path} was trained with {run.settings.network}, a network that is not here")
        return run

    def fold_path(self, fold: int) -> Path:
        """Return the folder of one fold."""
        return self.path / f"fold-{fold}"

    def checkpoint(self, fold: int) -> Path:
        """Return the place of a fold's checkpoint, and make its folder."""
        self.fold_path(fold).mkdir(exist_ok=True)
        return self.fold_path(fold) / "checkpoint.pt"

    @contextmanager
    def reserved(self, fold: int) -> Iterator[None]:
        """Keep a fold for this process, and remove what a killed one left half-written there.

        Raises
        ------
        InputError
            If another process has it, or the folder cannot be written to.
        """
        place = self.path / f".fold-{fold}.lock"
        try:
            with errors_of_disk(place):
                lock = FileLock(place).acquire(timeout=0)
        except Timeout as error:
            advice = "wait until it is finished and use --resume, or choose another folder"
            raise InputError(f"another process is training fold {fold} of {self.path}: {advice}") from error
        with lock:
            remove_parts(self.fold_path(fold))
            yield

    def front_end_keeper(self, fold: int, every: int) -> FrontEndKeeper | None:
        """Return a callback of `training.fit` that keeps the front end of a fold's network every so many steps.

        None for 0 steps: it is not kept.

        Raises
        ------
        InputError
            If the fold has been trained for a while and its front end was not kept so.
        """
        folder = self.fold_path(fold) / "front_end"
        kept = list(kept_steps(folder))[:2]
        fits = kept in ([0], [0, every]) if every else not kept
        if (kept or self.checkpoint(fold).exists()) and not fits:
            how = f"not begun with --keep-filters {every}" if every else "begun with --keep-filters"
            raise InputError(f"fold {fold} of {self.path} was {how}: go on as it began")
        if not every:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        return FrontEndKeeper(folder, every)

    def front_ends(self, fold: int) -> dict[int, dict[str, torch.Tensor]]:
        """Read the kept front ends of a fold: its state dict for each kept step, in order."""
        return read_front_ends(self.fold_path(fold) / "front_end")

    def finished_folds(self) -> list[int]:
        """Return the folds whose network is trained and tested."""
        return [fold for fold in self.settings.folds if (self.fold_path(fold) / "weights.pt").exists()]

    @property
    def network_class(self) -> type[nn.Module]:
        """The class of the run's network; it takes the number of classes."""
        return NETWORKS[self.settings.network]

    def load_network(self, fold: int) -> nn.Module:
        """Return the trained network of one fold, on the processor.

        Raises
        ------
        InputError
            If the fold has no weights, or they are not those of this network.
        """
        path = self.fold_path(fold) / "weights.pt"
        if not path.exists():
            raise InputError(f"fold {fold} of {self.path} is not finished: it has no weights.pt")
        network = self.network_class(len(self.settings.classes))
        try:
            network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:  # torch raises a dozen kinds for a damaged file
            raise InputError(f"{path} does not hold the weights of {type(network).__name__}") from error
        refuse_lost(network, path)
        return network

    def write_fold(self, result: FoldResult, test: ClipArray) -> None:
        """Write down one finished fold; its weights come last, because they mark it as finished.

        Raises
        ------
        InputError
            If it cannot be written, for instance because the disk is full.
        """
        folder = self.fold_path(result.fold)
        write_table(folder / "history.csv", result.history.epochs)
        write_table(folder / "predictions.csv", result.predictions(test))
        classes = list(self.settings.classes)
        write_table(folder / "confusion.csv", confusion_table(result.evaluation.confusion, classes))
        weights = {key: value.cpu() for key, value in result.model.state_dict().items()}
        write_tensors(folder / "weights.pt", weights)
        self.checkpoint(result.fold).unlink(missing_ok=True)

    def predictions(self, fold: int) -> pd.DataFrame:
        """Read a finished fold's table of predictions, one row a clip."""
        path = self.fold_path(fold) / "predictions.csv"
        table = read_table(path)
        if missing := [name for name in ("name", "label", "prediction", *self.settings.classes) if name not in table]:
            raise InputError(f"{path} has no column {missing[0]}: it is not the table that train wrote")
        return table

    def result(self) -> Result:
        """Return the finished folds as a result of the kind "run": settings, tables, probabilities, front ends.

        Raises
        ------
        InputError
            If no fold is finished.
        """
        folds, seed, classes = self.finished_folds(), self.settings.seed, list(self.settings.classes)
        if not folds:
            raise InputError(f"no fold of {self.path} is finished: train it further with --resume")
        history, clips = (
            pd.concat([read_table(self.fold_path(fold) / name).assign(seed=seed, fold=fold) for fold in folds])
            for name in ("history.csv", "predictions.csv")
        )
        tables = {
            "history": history[["seed", "fold", "epoch", "loss", "accuracy", "learning_rate", "seconds"]],
            "predictions": clips[["seed", "fold", "name", "label", "prediction"]],
        }
        arrays = {"probabilities": clips[classes].to_numpy(np.float32)}
        for fold in folds:
            arrays |= front_end_arrays(self.load_network(fold).frontend_module.state_dict(), seed, fold)
        settings = {
            "kind": "run",
            "data": self.provenance["data"],
            "network": self.settings.network,
            "recipe": asdict(self.settings.recipe),
            "seeds": [seed],
            "folds": folds,
            "classes": classes,
            "commands": [self.provenance["command"]],
            "provenance": [self.provenance],
        }
        return Result(settings, {name: table.reset_index(drop=True) for name, table in tables.items()}, arrays)

    def write_summary(self) -> pd.DataFrame:
        """Write results.csv and the confusion matrix of all finished folds, and return the results, a row a fold."""
        # Read behind the lock, too: what another process finishes meanwhile would be lost from the table.
        with errors_of_disk(self.path), FileLock(self.path / LOCK):
            remove_parts(self.path, below=False)
            tables = {fold: self.predictions(fold) for fold in self.finished_folds()}
            hits = {fold: (table.label == table.prediction) for fold, table in tables.items()}
            columns = ["fold", "clips", "correct", "accuracy"]
            rows = [(fold, len(hit), int(hit.sum()), hit.mean()) for fold, hit in hits.items()]
            results = pd.DataFrame(rows, columns=columns)
            write_table(self.path / "results.csv", results)
            if tables:
                everything = pd.concat(tables.values())
                classes = list(self.settings.classes)
                confusion = confusion_matrix(everything.label.array, everything.prediction.array, len(classes))
                write_table(self.path / "confusion.csv", confusion_table(confusion, classes))
        return results


def confusion_table(confusion: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Return a confusion matrix as a table, rows the truth, columns the prediction."""
    return pd.DataFrame(confusion, columns=classes).assign(truth=classes).set_index("truth").reset_index()
