"""What a training in a lesson decides by the data and the machine at hand: its length, its forecast, its checkpoint."""

import importlib
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.models.base import WaveformNetwork
from envnet_tutorial.provenance import hardware
from envnet_tutorial.training.device import choose_device, keep_memory, on_device, peak_memory
from envnet_tutorial.training.evaluation import check_clips
from envnet_tutorial.training.folds import build_model
from envnet_tutorial.training.loop import train_epoch
from envnet_tutorial.training.recipe import LESSON, SHORT, Recipe
from envnet_tutorial.training.state import TrainingState

#: Where Colab shows the reader's Google Drive.
DRIVE = Path("/content/drive")


def live_recipe(data: str, recipe: Recipe = LESSON) -> Recipe:
    """Return the recipe of a lesson, or `SHORT` for real sounds on a machine with a GPU (lesson 4).

    Parameters
    ----------
    data : str
        Name or folder of the data set.
    recipe : Recipe
        What the lesson trains with on any machine.

    Returns
    -------
    Recipe
    """
    return SHORT if data != "synthetic" and choose_device().type != "cpu" else recipe


def checkpoint_file(folder: str | Path, name: str) -> Path | None:
    """Return where a training saves its state, and make the folder; None if the folder is "" (lesson 4).

    On Colab, whose own disk ends with the session, a folder below ``drive`` is one of the reader's Google Drive: Colab
    asks for it and mounts it.

    Parameters
    ----------
    folder : str or Path
    name : str
        What tells this training from others: a checkpoint of another one is refused, not used.

    Returns
    -------
    Path or None

    Raises
    ------
    InputError
        If the folder cannot be made.
    """
    if not str(folder):
        return None
    path = Path(folder).expanduser().absolute()
    if path.is_relative_to(DRIVE) and not DRIVE.is_dir():
        importlib.import_module("google.colab.drive").mount(str(DRIVE))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot hold checkpoints: {error.strerror}") from error
    return path / f"{name}.pt"


@dataclass(frozen=True)
class Outlook:
    """What a training would cost, printed as one line.

    Parameters
    ----------
    machine : str
        What computes.
    epochs, steps : int
        Of the training, and in each of them.
    seconds : float
        Measured, of one step.
    memory : float
        The most bytes in use after the measured steps; NaN where the system does not tell.
    """

    machine: str
    epochs: int
    steps: int
    seconds: float
    memory: float

    @property
    def total_seconds(self) -> float:
        """Time in s for all steps, if the others take as long as those that were measured."""
        return self.seconds * self.steps * self.epochs

    def __str__(self) -> str:
        total = self.total_seconds
        times = f"{total:.0f} seconds" if total < 100 else f"{total / 60:.0f} minutes"
        work = f"{self.epochs} epochs of {self.steps} steps"
        memory = "" if math.isnan(self.memory) else f"; {self.memory / 2**30:.1f} GiB in use"
        return f"{self.machine}\nabout {times} for {work}{memory}"


def outlook(
    build: Callable[[int], WaveformNetwork],
    train: ClipArray,
    recipe: Recipe,
    *,
    device: torch.device | str | None = None,
    steps: int = 3,
) -> Outlook:
    """Measure the first steps of a training, on a network that is thrown away, and reckon from there (lesson 4).

    Parameters
    ----------
    build : callable
        Takes the number of classes, returns an untrained network.
    train : ClipArray
        The training clips.
    recipe : Recipe
    device : torch.device or str, optional
        Where to compute; a GPU if there is one.
    steps : int, default 3
        How many steps are timed, after a first one that is slower; fewer if an epoch has fewer.

    Returns
    -------
    Outlook

    Raises
    ------
    InputError
        If the clips are sampled at another rate than the network takes, or if there are none.
    """
    device = choose_device(device)
    model = build_model(build, train.num_classes, seed=0)
    check_clips(model, train)
    keep_memory()
    watch = _Watch(device, steps)
    with on_device(model, device):
        state = TrainingState.start(model, train, recipe, 0, device)
        watch.note()
        with suppress(_EnoughError):
            train_epoch(state, 1, [watch])
        memory = peak_memory(device)
    return Outlook(_machine(device), recipe.epochs, state.steps_per_epoch, watch.seconds_per_step, memory)


class _EnoughError(Exception):
    """So many steps were asked for."""


class _Watch:
    """A callback of `train_epoch` that notes when each step is done, and stops it after some."""

    def __init__(self, device: torch.device, steps: int):
        self.device, self.steps, self.times = device, steps, []

    def note(self) -> None:
        """Note the time once the device, which works behind the program's back, has done what it was told."""
        if self.device.type in ("cuda", "mps"):
            getattr(torch, self.device.type).synchronize()
        self.times.append(time.perf_counter())

    def __call__(self, step: int, model: WaveformNetwork) -> None:
        self.note()
        if step > self.steps:
            raise _EnoughError

    @property
    def seconds_per_step(self) -> float:
        """Mean time of a step, without the first, in which memory is taken, unless it is the only one."""
        times = self.times[1:] if len(self.times) > 2 else self.times
        return (times[-1] - times[0]) / (len(times) - 1)


def _machine(device: torch.device) -> str:
    """Say what a device is: the GPU and its memory, or the processor and its threads."""
    found = hardware(device)
    if device.type != "cuda":
        count = found["threads"]
        return found["gpu"] or f"{found['processor']}, {count} thread{'s' * (count != 1)}, no GPU"
    memory = torch.cuda.get_device_properties(device).total_memory / 2**30
    return f"{found['gpu']} with {memory:.0f} GiB"
