"""A trained network and what has to be known to use it, from a run folder or from a lone file of weights."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from envnet_tutorial.datasets import open_folder
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.models.base import refuse_lost
from envnet_tutorial.run_folder import RunFolder
from envnet_tutorial.training import PRESETS, Preparation


class Trained(NamedTuple):
    """A trained network and what has to be known to use it.

    Parameters
    ----------
    network : nn.Module
    classes : tuple of str
        Their names; "class 0" and so on where nothing names them.
    preparation : Preparation
        What was done to the clips that it was trained on.
    """

    network: nn.Module
    classes: tuple[str, ...]
    preparation: Preparation


def load_trained(
    weights: Path,
    *,
    fold: int | None = None,
    network: str | None = None,
    preset: str | None = None,
    data: Path | None = None,
) -> Trained:
    """Load a trained network.

    Parameters
    ----------
    weights : Path
        A run folder, or a lone file with a state dict.
    fold : int, optional
        Which network of the run; its first finished fold's without.
    network : str, optional
        Whose weights a lone file holds, a key of `models.NETWORKS`; EnvNet's without.
    preset : str, optional
        Recipe that a lone file was trained with, a key of `training.PRESETS`; the paper's without.
    data : Path, optional
        Data set that names the classes of lone weights.

    Returns
    -------
    Trained

    Raises
    ------
    InputError
        If there are no such weights, or a run folder is told what it knows itself.
    """
    if not weights.exists():
        raise InputError(f"{weights} is not there: give a run folder that `train` wrote, or a weights file")
    if weights.is_file():
        if fold is not None:
            raise InputError(f"--fold is for a run folder: {weights} is a lone file of weights, of one network")
        return load_lone_weights(weights, network or "envnet", preset or "paper", data)
    folder = RunFolder.open(weights)
    for option, value in (("--network", network), ("--preset", preset)):
        if value is not None:
            raise InputError(f"{option} is for a lone file of weights: {weights} is a run folder and knows its own")
    finished = folder.finished_folds()
    if not finished:
        raise InputError(f"no fold of {weights} is finished: train it further with --resume")
    model = folder.load_network(finished[0] if fold is None else fold)
    return Trained(model, folder.settings.classes, folder.settings.recipe.preparation)


def load_lone_weights(path: Path, network: str, preset: str, data: Path | None) -> Trained:
    """Load a state dict into a network with as many classes as it has, named by a data set or by number."""
    for kind, wanted, known in (("network", network, NETWORKS), ("preset", preset, PRESETS)):
        if wanted not in known:
            raise InputError(f"there is no {kind} {wanted}; there are {', '.join(known)}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model = NETWORKS[network](len(list(state.values())[-1]))  # the last are the offsets of the classes
        model.load_state_dict(state)
    except Exception as error:  # torch raises a dozen kinds for a file that is something else
        raise InputError(f"{path} does not hold the weights of the network {network}") from error
    refuse_lost(model, path)
    preparation = PRESETS[preset].preparation
    if data is None:
        return Trained(model, tuple(f"class {index}" for index in range(model.num_classes)), preparation)
    classes = open_folder(data).classes
    if len(classes) != model.num_classes:
        raise InputError(f"{path} tells {model.num_classes} classes apart, but {data} has {len(classes)}")
    return Trained(model, classes, preparation)
