"""What a training run holds between two epochs, and what it leaves behind (lesson 4)."""

import math
from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import nn

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.training.batches import DeviceClips
from envnet_tutorial.training.recipe import Recipe


class TrainingStopped(RuntimeError):
    """Training cannot go on; the message is one sentence, and the last good checkpoint is untouched."""


@dataclass
class History:
    """What happened in each epoch of a training run (lesson 4).

    Parameters
    ----------
    rows : list of dict
        One for each epoch: epoch (from 1), loss (nats per clip), accuracy (share of the training crops),
        learning_rate (at the epoch's last step), seconds.
    """

    rows: list[dict] = field(default_factory=list)

    @property
    def epochs(self) -> pd.DataFrame:
        """The rows as a table."""
        return pd.DataFrame(self.rows, columns=["epoch", "loss", "accuracy", "learning_rate", "seconds"])


def make_optimizer(model: nn.Module, recipe: Recipe, num_steps: int):
    """Return Nesterov's stochastic gradient descent and its schedule, to be stepped once a batch (lesson 4).

    Returns
    -------
    optimizer : torch.optim.SGD
    scheduler : torch.optim.lr_scheduler.LambdaLR
    """
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=True,
        weight_decay=recipe.weight_decay,
        fused=True,
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: recipe.learning_rate_at(step / num_steps) / recipe.learning_rate
    )
    return optimizer, scheduler


@dataclass
class Run:
    """All that a training run holds between two epochs.

    Parameters
    ----------
    model : nn.Module
    network : nn.Module
        What the loop calls: the model, or a wrapper around it that averages gradients over processes.
    recipe : Recipe
    clips : DeviceClips
        The training clips.
    seed : int
    device : torch.device
    optimizer : torch.optim.SGD
    scheduler : torch.optim.lr_scheduler.LambdaLR
    history : History
        One row for each finished epoch.
    """

    model: nn.Module
    network: nn.Module
    recipe: Recipe
    clips: DeviceClips
    seed: int
    device: torch.device
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    history: History = field(default_factory=History)

    @classmethod
    def start(cls, model: nn.Module, train: ClipArray, recipe: Recipe, seed: int, device: torch.device) -> "Run":
        """Bring the clips to the device, where the model is, and make the optimiser."""
        clips = DeviceClips.load(train, device, trim_silence=recipe.trim_silence)
        steps = recipe.epochs * steps_per_epoch(len(train), recipe)
        return cls(model, model, recipe, clips, seed, device, *make_optimizer(model, recipe, steps))

    def check_numbers(self) -> None:
        """Stop if the last epoch left a loss or a weight that is not a number.

        Raises
        ------
        TrainingStopped
        """
        row = self.history.rows[-1]
        if math.isfinite(row["loss"]) and all(bool(weight.isfinite().all()) for weight in self.model.parameters()):
            return
        raise TrainingStopped(
            f"epoch {row['epoch']} left a loss of {row['loss']:.3g} or weights that are not numbers: "
            f"try a smaller learning rate than {self.recipe.learning_rate}"
        )


def steps_per_epoch(num_clips: int, recipe: Recipe) -> int:
    """Return the number of optimiser steps in one epoch; the last batch may be smaller."""
    return math.ceil(num_clips / recipe.batch_size)
