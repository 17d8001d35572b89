"""Checkpoints: written whole or not at all, and enough to go on as if nothing had happened (lesson 4)."""

import os
import pickle
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import torch

from envnet_tutorial.errors import InputError
from envnet_tutorial.training.batches import DeviceClips
from envnet_tutorial.training.run import Run, TrainingStopped


def write_atomically(path: str | os.PathLike, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place, then move it there: a reader finds the old file or the new one, never a part.

    Parameters
    ----------
    path : path-like
    write : callable
        Writes to the open binary file that it is given.

    Raises
    ------
    TrainingStopped
        If the file cannot be written, for instance because the disk is full; the old file is untouched.
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch.save turns some OSErrors into RuntimeErrors
        partial.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or "the disk is full or the file may not grow"
        raise TrainingStopped(f"{path} could not be written ({reason}); what was there before is untouched") from error


def save_checkpoint(path: str | os.PathLike, run: Run) -> None:
    """Save what a run holds after its last finished epoch (lesson 4).

    The random numbers of an epoch follow from the run's seed and the epoch's number, so no generator is saved.

    Parameters
    ----------
    path : path-like
    run : Run

    Raises
    ------
    TrainingStopped
        If the file cannot be written; the checkpoint before is untouched.
    """
    state = {
        "recipe": asdict(run.recipe),
        "seed": run.seed,
        "clips": fingerprint(run.clips),
        "history": run.history.rows,
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "scheduler": run.scheduler.state_dict(),
    }
    write_atomically(path, lambda file: torch.save(state, file))


def load_checkpoint(path: str | os.PathLike, run: Run) -> None:
    """Put a run into the state that a checkpoint holds (lesson 4).

    Parameters
    ----------
    path : path-like
    run : Run
        Started with the same recipe, seed and clips.

    Raises
    ------
    InputError
        If the file is no checkpoint, or one of another run.
    """
    try:
        state = torch.load(path, map_location=run.device, weights_only=True)
        found = {key: state[key] for key in ("recipe", "seed", "clips")}
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a checkpoint of this package, or it is damaged") from error
    wanted = {"recipe": asdict(run.recipe), "seed": run.seed, "clips": fingerprint(run.clips)}
    differing = [key for key in wanted if wanted[key] != found[key]]
    if differing:
        raise InputError(f"{path} belongs to a run with other {' and '.join(differing)}: resume with the same ones")
    run.model.load_state_dict(state["model"])
    run.optimizer.load_state_dict(state["optimizer"])
    run.scheduler.load_state_dict(state["scheduler"])
    run.history.rows[:] = state["history"]


def fingerprint(clips: DeviceClips) -> int:
    """Return a checksum of the samples and labels of a training set."""
    labels = zlib.crc32(clips.labels.cpu().numpy().tobytes())
    return zlib.crc32(clips.samples.cpu().numpy(), labels)
