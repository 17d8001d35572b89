"""Run folders: everything that is needed to believe a training run, or to make it again (lesson 4).

::

    RUN/settings.json      data, network, recipe, seed, classes, versions, hardware
    RUN/results.csv        clips, correct, accuracy of each finished fold
    RUN/confusion.csv      all finished folds together; rows are the truth
    RUN/fold-1/            weights.pt, history.csv, predictions.csv, confusion.csv; checkpoint.pt until it is finished
    RUN/fold-1/front_end/  step-000000.pt and so on: the weights of feature_conv along the training, where asked for
"""

import datetime
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from envnet_tutorial import models
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.models.pooled_norm import PooledNormEnvNet
from envnet_tutorial.models.reordered import ReorderedEnvNet
from envnet_tutorial.training import FoldResult, Recipe, confusion_matrix
from envnet_tutorial.training.checkpoints import write_atomically
from envnet_tutorial.training.distributed import rank_and_size

#: The networks that can be trained by name. The first two have the same values, the third is a variant (lesson 4).
NETWORKS = {
    "envnet": models.EnvNet,
    "envnet-reordered": ReorderedEnvNet,
    "envnet-pooled-norm": PooledNormEnvNet,
    "envnet-v2": models.EnvNetV2,
}

PACKAGES = ("envnet-tutorial", "torch", "numpy", "pandas")


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What a run was asked to do.

    Parameters
    ----------
    data : str
        Name or folder of the data set.
    network : str
        A key of `NETWORKS`.
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
    """

    path: Path
    settings: RunSettings

    @classmethod
    def create(cls, path: str | os.PathLike, settings: RunSettings, device: torch.device) -> "RunFolder":
        """Make a folder for a new run and write down what it will do, and on what.

        Raises
        ------
        InputError
            If there is something in the folder already, or it cannot be made.
        """
        path = Path(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            is_empty = not any(path.iterdir())
        except OSError as error:
            raise InputError(f"{path} cannot be a run folder: {error.strerror}") from error
        if not is_empty:
            raise InputError(f"{path} is not empty: choose another folder, or go on in it with --resume")
        text = json.dumps(asdict(settings) | provenance(device), indent=2)
        write_atomically(path / "settings.json", lambda file: file.write(text.encode()))
        return cls(path, settings)

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
            return cls(path, RunSettings.from_json(json.loads((path / "settings.json").read_text())))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is not a run folder: it has no readable settings.json") from error

    def fold_path(self, fold: int) -> Path:
        """Return the folder of one fold."""
        return self.path / f"fold-{fold}"

    def checkpoint(self, fold: int) -> Path:
        """Return the place of a fold's checkpoint, and make its folder."""
        self.fold_path(fold).mkdir(exist_ok=True)
        return self.fold_path(fold) / "checkpoint.pt"

    def front_end_keeper(self, fold: int, every: int) -> "FrontEndKeeper":
        """Return a callback of `training.fit` that keeps the front end of a fold's network every so many steps."""
        folder = self.fold_path(fold) / "front_end"
        folder.mkdir(parents=True, exist_ok=True)
        return FrontEndKeeper(folder, every)

    def front_ends(self, fold: int) -> dict[int, dict[str, torch.Tensor]]:
        """Read the kept front ends of a fold: the state dict of ``feature_conv`` for each kept step, in order."""
        paths = sorted((self.fold_path(fold) / "front_end").glob("step-*.pt"))
        return {int(path.stem.removeprefix("step-")): torch.load(path, weights_only=True) for path in paths}

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
        return network

    def write_fold(self, result: FoldResult, test: ClipArray) -> None:
        """Write down one finished fold; its weights come last, because they mark it as finished.

        Raises
        ------
        TrainingStopped
            If the disk is full.
        """
        folder = self.fold_path(result.fold)
        write_table(folder / "history.csv", result.history.epochs)
        write_table(folder / "predictions.csv", prediction_table(result, test))
        classes = list(self.settings.classes)
        write_table(folder / "confusion.csv", confusion_table(result.evaluation.confusion, classes))
        weights = {key: value.cpu() for key, value in result.model.state_dict().items()}
        write_atomically(folder / "weights.pt", lambda file: torch.save(weights, file))
        self.checkpoint(result.fold).unlink(missing_ok=True)

    def predictions(self, fold: int) -> pd.DataFrame:
        """Read a finished fold's table of predictions, one row a clip."""
        return pd.read_csv(self.fold_path(fold) / "predictions.csv")

    def write_summary(self) -> pd.DataFrame:
        """Write results.csv and the confusion matrix of all finished folds, and return the results, a row a fold."""
        tables = {fold: self.predictions(fold) for fold in self.finished_folds()}
        hits = {fold: (table.label == table.prediction) for fold, table in tables.items()}
        rows = [
            {"fold": fold, "clips": len(hit), "correct": int(hit.sum()), "accuracy": hit.mean()}
            for fold, hit in hits.items()
        ]
        results = pd.DataFrame(rows, columns=["fold", "clips", "correct", "accuracy"])
        write_table(self.path / "results.csv", results)
        if tables:
            everything = pd.concat(tables.values())
            classes = list(self.settings.classes)
            confusion = confusion_matrix(everything.label.array, everything.prediction.array, len(classes))
            write_table(self.path / "confusion.csv", confusion_table(confusion, classes))
        return results


@dataclass(frozen=True)
class FrontEndKeeper:
    """Write the front end of a network to a folder every so many steps of a training run (lesson 5).

    A resumed run writes the same files again, so nothing is lost to a kill.

    Parameters
    ----------
    folder : Path
    every : int
        Steps from one file to the next.
    """

    folder: Path
    every: int

    def __call__(self, step: int, model: nn.Module) -> None:
        """Write the state dict of ``feature_conv`` if it is time to; step 0 is before any training."""
        if step % self.every == 0:
            state = {key: value.detach().cpu().contiguous() for key, value in model.feature_conv.state_dict().items()}
            write_atomically(self.folder / f"step-{step:06d}.pt", lambda file: torch.save(state, file))


def prediction_table(result: FoldResult, test: ClipArray) -> pd.DataFrame:
    """Return one row for each test clip: name, label, prediction (class indices), and the probability of each class."""
    columns = {"name": test.names, "label": test.labels, "prediction": result.evaluation.predictions}
    probabilities = result.evaluation.probabilities.astype(np.float64)
    return pd.DataFrame(columns | {name: probabilities[:, i].round(6) for i, name in enumerate(test.classes)})


def confusion_table(confusion: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Return a confusion matrix as a table, rows the truth, columns the prediction."""
    return pd.DataFrame(confusion, columns=classes).assign(truth=classes).set_index("truth").reset_index()


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all."""
    write_atomically(path, lambda file: file.write(table.to_csv(index=False).encode()))


def provenance(device: torch.device) -> dict:
    """Return the versions, the hardware and the time, as plain values."""
    return {
        "versions": {"python": platform.python_version()} | {name: installed_version(name) for name in PACKAGES},
        "hardware": {
            "device": device.type,
            "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
            "processor": processor_name(),
            "threads": torch.get_num_threads(),
            "processes": rank_and_size()[1],
            "system": platform.platform(),
        },
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def installed_version(package: str) -> str:
    """Return the version of a package; that of this one also where it runs from its source."""
    from envnet_tutorial import __version__

    return __version__ if package == "envnet-tutorial" else metadata.version(package)


def processor_name() -> str:
    """Return the model of the processor, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
