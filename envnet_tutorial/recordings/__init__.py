"""Training runs that took longer than a lesson, kept with everything needed to believe them (lessons 4 and 5).

A recording is a folder of this package: ``settings.json`` (recipe, seed, versions, hardware), ``history.csv`` (a row
an epoch), ``predictions.csv`` (a row a test clip), ``feature_conv.pt`` (the front end of each fold) and, where the run
kept its filters along the way, ``film.npz``. ``python -m scripts.recording RUN --name NAME --data-name ESC-10`` makes
one from a run folder; ``python -m scripts.controls`` makes that of the controls, ``python -m benchmarks.ablation`` that
of the ablation.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from envnet_tutorial.errors import InputError
from envnet_tutorial.models import EnvNet
from envnet_tutorial.runs import NETWORKS

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Film:
    """The filters of one network along its training (lesson 5).

    Parameters
    ----------
    steps : list of int
        Optimiser steps after which the network was probed, 0 for before any.
    frequencies : Tensor of float64, shape (frequency,)
        Of the tones, in Hz.
    responses : Tensor of float32, shape (step, filter, frequency)
    kernels : Tensor of float32, shape (step, filter, taps)
        Both convolutions merged (`probing.composite_kernels`).
    """

    steps: list[int]
    frequencies: Tensor
    responses: Tensor
    kernels: Tensor


@dataclass(frozen=True)
class Recording:
    """A recorded run over one or more folds (lessons 4 and 5).

    Parameters
    ----------
    settings : dict
        Data, network, recipe, seed, folds, classes, versions, hardware.
    history : DataFrame
        One row an epoch of a fold: fold, epoch, loss (nats per clip), accuracy (share of the training crops),
        learning_rate, seconds.
    predictions : DataFrame
        One row a test clip: fold, name, label, prediction, and the probability of each class.
    feature_conv : dict of int to dict of str to Tensor
        State dict of each fold's trained front end.
    film : Film or None
        Of the first fold.
    """

    settings: dict
    history: pd.DataFrame
    predictions: pd.DataFrame
    feature_conv: dict
    film: Film | None

    @property
    def results(self) -> pd.DataFrame:
        """One row a fold: clips, correct, accuracy (share from 0 to 1), nll (mean negative log-likelihood, nats)."""
        labels = self.predictions["label"].to_numpy()
        likelihood = self.predictions[self.settings["classes"]].to_numpy()[np.arange(len(labels)), labels]
        is_right = self.predictions["label"] == self.predictions["prediction"]
        rows = pd.DataFrame(
            {"fold": self.predictions["fold"], "right": is_right, "nll": -np.log(likelihood.clip(1e-12))}
        )
        groups = rows.groupby("fold")
        table = groups["right"].agg(clips="count", correct="sum", accuracy="mean").astype({"correct": int})
        return table.join(groups["nll"].mean())

    def load_front_end(self, fold: int = 1) -> EnvNet:
        """Return a network with a recorded front end; its classifier is untrained, so probe it and do not ask it."""
        network = NETWORKS[self.settings["network"]](len(self.settings["classes"]))
        network.feature_conv.load_state_dict(self.feature_conv[fold])
        return network.eval()


@dataclass(frozen=True)
class Controls:
    """What the filters of trained networks and of their controls answer to, several seeds each (lesson 5).

    Parameters
    ----------
    settings : dict
        Data, network, recipe, held-out fold, versions, hardware.
    table : DataFrame
        One row a network: control, seed, accuracy (on the held-out fold's real clips).
    frequencies : Tensor of float64, shape (frequency,)
        Of the tones, in Hz.
    amplitudes : list of float
        Of the tones, where full scale is 1.
    responses : Tensor of float32, shape (network, amplitude, filter, frequency)
        In the order of the table.
    """

    settings: dict
    table: pd.DataFrame
    frequencies: Tensor
    amplitudes: list[float]
    responses: Tensor

    def of(self, control: str, amplitude: float = 0.5) -> Tensor:
        """Return the responses of one control to tones of one amplitude, shape (seed, filter, frequency)."""
        rows = torch.tensor((self.table["control"] == control).tolist())
        return self.responses[rows, self.amplitudes.index(amplitude)]


@dataclass(frozen=True)
class Listening:
    """What a trained network hears in a few real clips that it has not seen (lesson 5).

    Parameters
    ----------
    settings : dict
        As of a recording, and ``heard`` (the classes), ``clips`` (their file names), ``cover`` (steps of a gap).
    log_mel : Tensor of float32, shape (clip, band, step)
        Log-mel spectrogram of the loudest 1.5 s, in dB.
    learned : Tensor of float32, shape (clip, filter, step)
        Output of ``feature_conv``, filters in their own order.
    occlusion, gradient : Tensor of float32, shape (clip, step)
        Importance of each step for the clip's class, in log odds (`probing.occlusion_importance`,
        `probing.gradient_importance`).
    """

    settings: dict
    log_mel: Tensor
    learned: Tensor
    occlusion: Tensor
    gradient: Tensor


@dataclass(frozen=True)
class Ablation:
    """What changing one ingredient of a recipe at a time did (lesson 4).

    Parameters
    ----------
    settings : dict
        Data, network, recipe of each variant, versions, hardware.
    table : DataFrame
        One row a training: variant, fold, seed, clips and correct (of the held-out fold), nll (mean negative
        log-likelihood of its clips, nats), training_loss (of the last epoch, nats), seconds.
    """

    settings: dict
    table: pd.DataFrame

    @property
    def summary(self) -> pd.DataFrame:
        """One row a variant: trainings, clips, correct, accuracy (share of all clips), means of the other measures."""
        groups = self.table.groupby("variant", sort=False)
        counts = groups.agg(trainings=("fold", "count"), clips=("clips", "sum"), correct=("correct", "sum"))
        means = groups[["nll", "training_loss", "seconds"]].mean()
        return counts.assign(accuracy=counts["correct"] / counts["clips"]).join(means)


def recording_folder(name: str, file: str) -> Path:
    """Return the folder of the recording of that name, which must hold the file.

    Raises
    ------
    InputError
        If there is no such recording.
    """
    if not (FOLDER / name / file).is_file():
        known = sorted(path.parent.name for path in FOLDER.glob(f"*/{file}"))
        raise InputError(f"there is no recording {name!r}; there are {', '.join(known)}")
    return FOLDER / name


def load_recording(name: str) -> Recording:
    """Read a recorded run that comes with the package (lessons 4 and 5).

    Parameters
    ----------
    name : str
        Such as ``"esc10-fast"``.

    Returns
    -------
    Recording

    Raises
    ------
    InputError
        If there is no recording of that name.
    """
    folder = recording_folder(name, "predictions.csv")
    return Recording(
        settings=json.loads((folder / "settings.json").read_text("utf-8")),
        history=pd.read_csv(folder / "history.csv"),
        predictions=pd.read_csv(folder / "predictions.csv"),
        feature_conv=torch.load(folder / "feature_conv.pt", weights_only=True),
        film=read_film(folder / "film.npz"),
    )


def read_film(path: Path) -> Film | None:
    """Read a film, or return None where there is none."""
    if not path.is_file():
        return None
    with np.load(path) as arrays:
        responses, kernels = (torch.from_numpy(arrays[name]).float() for name in ("responses", "kernels"))
        return Film(arrays["steps"].tolist(), torch.from_numpy(arrays["frequencies"]), responses, kernels)


def load_controls(name: str = "esc10-controls") -> Controls:
    """Read the controls that come with the package (lesson 5).

    Parameters
    ----------
    name : str, default "esc10-controls"

    Returns
    -------
    Controls

    Raises
    ------
    InputError
        If there is no recording of that name.
    """
    folder = recording_folder(name, "controls.csv")
    with np.load(folder / "responses.npz") as arrays:
        responses = torch.from_numpy(arrays["responses"]).float()
        axes = {"frequencies": torch.from_numpy(arrays["frequencies"]), "amplitudes": arrays["amplitudes"].tolist()}
    settings = json.loads((folder / "settings.json").read_text("utf-8"))
    return Controls(settings, pd.read_csv(folder / "controls.csv"), responses=responses, **axes)


def load_listening(name: str = "esc10-listening") -> Listening:
    """Read what a network heard in a few clips, as it comes with the package (lesson 5).

    Parameters
    ----------
    name : str, default "esc10-listening"

    Returns
    -------
    Listening

    Raises
    ------
    InputError
        If there is no recording of that name.
    """
    folder = recording_folder(name, "pictures.npz")
    with np.load(folder / "pictures.npz") as arrays:
        tensors = {key: torch.from_numpy(array).float() for key, array in arrays.items()}
    return Listening(json.loads((folder / "settings.json").read_text("utf-8")), **tensors)


def load_ablation(name: str = "esc10-ablation") -> Ablation:
    """Read an ablation that comes with the package, of the fast recipe or another (lesson 4).

    Parameters
    ----------
    name : str, default "esc10-ablation"

    Returns
    -------
    Ablation

    Raises
    ------
    InputError
        If there is no recording of that name.
    """
    folder = recording_folder(name, "ablation.csv")
    settings = json.loads((folder / "settings.json").read_text("utf-8"))
    return Ablation(settings, pd.read_csv(folder / "ablation.csv"))
