"""What a training holds between two epochs (lesson 4)."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from torch import nn

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.models.base import WaveformNetwork
from envnet_tutorial.training.batches import Batch, DeviceClips, epoch_batches
from envnet_tutorial.training.device import global_seed, stream_seed
from envnet_tutorial.training.distributed import rank_and_size, refuse_uneven
from envnet_tutorial.training.history import History
from envnet_tutorial.training.optimizer import make_optimizer
from envnet_tutorial.training.recipe import Recipe


class TrainingStopped(RuntimeError):
    """Training cannot go on; the message is one sentence, and the last good checkpoint is untouched."""


@dataclass
class TrainingState:
    """All that a training holds between two epochs.

    Parameters
    ----------
    model : WaveformNetwork
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

    model: WaveformNetwork
    network: nn.Module
    recipe: Recipe
    clips: DeviceClips
    seed: int
    device: torch.device
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    history: History = field(default_factory=History)

    @classmethod
    def start(
        cls, model: WaveformNetwork, train: ClipArray, recipe: Recipe, seed: int, device: torch.device
    ) -> "TrainingState":
        """Bring the clips to the device, where the model is, and make the optimiser."""
        refuse_uneven(len(train), recipe.batch_size)
        clips = DeviceClips.load(train, device, trim_silence=recipe.trim_silence)
        steps = recipe.epochs * recipe.steps_per_epoch(len(train))
        return cls(model, model, recipe, clips, seed, device, *make_optimizer(model, recipe, steps))

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in one epoch."""
        return self.recipe.steps_per_epoch(len(self.clips.labels))

    @property
    def learning_rate(self) -> float:
        """Rate of the next step."""
        return self.scheduler.get_last_lr()[0]

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Draw the batches of an epoch, prepared, this process's share of each.

        Each epoch has random numbers of its own, from the seed and its number, so that a resumed run draws what an
        uninterrupted one would have drawn.
        """
        generator = torch.Generator(self.device).manual_seed(stream_seed(self.seed, epoch, 0))
        return epoch_batches(self.clips, self.recipe, self.model.input_format, generator)

    def dropout_seed(self, epoch: int) -> AbstractContextManager[None]:
        """Seed what dropout draws from for an epoch, in each process otherwise."""
        return global_seed(stream_seed(self.seed, epoch, 1, rank_and_size()[0]), self.device)

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
