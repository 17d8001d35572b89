"""Training runs that took longer than a lesson, kept with everything needed to believe them (lesson 5).

A recording is a folder of this package: ``settings.json`` (recipe, seed, versions, hardware), ``history.csv``,
``predictions.csv`` (one row a test clip) and ``feature_conv.pt`` (the weights of the front end). ``python -m
scripts.recording RUN --fold 1 --name NAME --data-name ESC-10`` makes one from a run folder.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from envnet_tutorial.errors import InputError
from envnet_tutorial.models import EnvNet, PooledNormEnvNet

FOLDER = Path(__file__).parent
NETWORKS = {"envnet": EnvNet, "envnet-pooled-norm": PooledNormEnvNet}


@dataclass(frozen=True)
class Recording:
    """One fold of a recorded run.

    Parameters
    ----------
    settings : dict
        Data, network, recipe, seed, fold, classes, versions, hardware.
    history : DataFrame
        One row an epoch: epoch, loss (nats per clip), accuracy (share of the training crops), learning_rate, seconds.
    predictions : DataFrame
        One row a test clip: name, label, prediction, and the probability of each class.
    feature_conv : dict of str to Tensor
        State dict of the trained front end.
    """

    settings: dict
    history: pd.DataFrame
    predictions: pd.DataFrame
    feature_conv: dict

    @property
    def accuracy(self) -> float:
        """Share of the test clips whose prediction is right, from 0 to 1."""
        return float((self.predictions["label"] == self.predictions["prediction"]).mean())

    def load_front_end(self) -> EnvNet:
        """Return a network with the recorded front end; its classifier is untrained, so probe it and do not ask it."""
        network = NETWORKS[self.settings["network"]](len(self.settings["classes"]))
        network.feature_conv.load_state_dict(self.feature_conv)
        return network.eval()


def load_recording(name: str) -> Recording:
    """Read a recording that comes with the package (lesson 5).

    Parameters
    ----------
    name : str
        Such as ``"esc10-fold1"``.

    Returns
    -------
    Recording

    Raises
    ------
    InputError
        If there is no recording of that name.
    """
    folder = FOLDER / name
    if not (folder / "settings.json").is_file():
        known = sorted(path.parent.name for path in FOLDER.glob("*/settings.json"))
        raise InputError(f"there is no recording {name!r}; there are {', '.join(known)}")
    return Recording(
        settings=json.loads((folder / "settings.json").read_text("utf-8")),
        history=pd.read_csv(folder / "history.csv"),
        predictions=pd.read_csv(folder / "predictions.csv"),
        feature_conv=torch.load(folder / "feature_conv.pt", weights_only=True),
    )
