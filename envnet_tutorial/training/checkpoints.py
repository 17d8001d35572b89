"""Checkpoints: written whole or not at all, and enough to go on as if nothing had happened (lesson 4)."""

import os
import zlib
from dataclasses import asdict
from pathlib import Path

import torch

from envnet_tutorial.errors import InputError
from envnet_tutorial.files import write_tensors
from envnet_tutorial.training.batches import DeviceClips
from envnet_tutorial.training.state import TrainingState


def save_checkpoint(path: str | os.PathLike, state: TrainingState) -> None:
    """Save what a training holds after its last finished epoch (lesson 4).

    The random numbers of an epoch follow from the run's seed and the epoch's number, so no generator is saved.

    Parameters
    ----------
    path : path-like
    state : TrainingState

    Raises
    ------
    InputError
        If the file cannot be written; the checkpoint before is untouched.
    """
    saved = identity(state) | {
        "history": state.history.rows,
        "model": state.model.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "scheduler": state.scheduler.state_dict(),
    }
    write_tensors(Path(path), saved)


def load_checkpoint(path: str | os.PathLike, state: TrainingState) -> None:
    """Put a training into the state that a checkpoint holds (lesson 4).

    Parameters
    ----------
    path : path-like
    state : TrainingState
        Started with the same network, recipe, seed and clips.

    Raises
    ------
    InputError
        If the file is no checkpoint, or one of another run.
    """
    wanted = identity(state)
    try:
        saved = torch.load(path, map_location=state.device, weights_only=True)
        differing = [key for key in wanted if wanted[key] != saved[key]]
    except Exception as error:  # torch raises a dozen kinds for a file that is something else
        raise InputError(f"{path} is not a checkpoint of this package, or it is damaged") from error
    if differing:
        raise InputError(f"{path} belongs to a run with other {' and '.join(differing)}: resume with the same ones")
    try:
        state.model.load_state_dict(saved["model"])
        state.optimizer.load_state_dict(saved["optimizer"])
        state.scheduler.load_state_dict(saved["scheduler"])
        state.history.rows[:] = saved["history"]
    except Exception as error:
        raise InputError(f"{path} is damaged: remove it, and the training begins anew") from error


def identity(state: TrainingState) -> dict:
    """Return what a checkpoint has to agree on with the training that goes on from it."""
    return {
        "network": type(state.model).__name__,
        "recipe": asdict(state.recipe),
        "seed": state.seed,
        "clips": fingerprint(state.clips),
    }


def fingerprint(clips: DeviceClips) -> int:
    """Return a checksum of the samples and labels of a training set."""
    labels = zlib.crc32(clips.labels.cpu().numpy().tobytes())
    return zlib.crc32(clips.samples.cpu().numpy(), labels)
