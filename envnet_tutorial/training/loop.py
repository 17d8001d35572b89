"""The training loop: forward, loss, backward, step, schedule (lesson 4)."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm.auto import tqdm

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.training.batches import DeviceClips, draw_batch, epoch_rows
from envnet_tutorial.training.evaluation import check_clips
from envnet_tutorial.training.recipe import Recipe
from envnet_tutorial.training.runtime import choose_device, global_seed, precision_context, stream_seed

Callback = Callable[[int, nn.Module], object]


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


def kl_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of the prediction from the target, in nats per clip (lesson 4).

    Parameters
    ----------
    scores : Tensor, shape (batch, class)
        Before the softmax.
    targets : Tensor, shape (batch, class)
        Probability of each class. Where one class has them all, this is the cross-entropy.

    Returns
    -------
    Tensor, scalar
    """
    return functional.kl_div(functional.log_softmax(scores.float(), dim=1), targets, reduction="batchmean")


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
    recipe: Recipe
    clips: DeviceClips
    seed: int
    device: torch.device
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    history: History = field(default_factory=History)

    @classmethod
    def start(cls, model: nn.Module, train: ClipArray, recipe: Recipe, seed: int, device: torch.device) -> "Run":
        """Bring model and clips to the device and make the optimiser."""
        model.to(device)
        clips = DeviceClips.load(train, device, trim_silence=recipe.trim_silence)
        steps = recipe.epochs * steps_per_epoch(len(train), recipe)
        return cls(model, recipe, clips, seed, device, *make_optimizer(model, recipe, steps))


def steps_per_epoch(num_clips: int, recipe: Recipe) -> int:
    """Return the number of optimiser steps in one epoch; the last batch may be smaller."""
    return math.ceil(num_clips / recipe.batch_size)


def train_epoch(run: Run, epoch: int, callbacks: Sequence[Callback] = (), bar: tqdm | None = None) -> dict:
    """Show the network every clip once, or as many mixtures: the loop itself (lesson 4).

    Parameters
    ----------
    run : Run
    epoch : int
        Number of the epoch, from 1. Each epoch has random numbers of its own, from the run's seed and this number,
        so that a resumed run draws what an uninterrupted one would have drawn.
    callbacks : sequence of callable
        Called as ``callback(step, model)`` after each step.
    bar : tqdm, optional
        Progress bar over the steps.

    Returns
    -------
    dict
        A row of the history.
    """
    generator = torch.Generator(run.device).manual_seed(stream_seed(run.seed, epoch, 0))
    started, step = time.perf_counter(), (epoch - 1) * steps_per_epoch(len(run.clips.labels), run.recipe)
    loss_sum, hits = torch.zeros(2, device=run.device)
    run.model.train()
    with global_seed(stream_seed(run.seed, epoch, 1), run.device):  # for dropout
        for rows in epoch_rows(run.clips, run.recipe, generator):
            waveforms, targets = draw_batch(run.clips, rows, run.recipe, run.model.input_format, generator)
            with precision_context(run.device, run.recipe.precision):
                scores = run.model(waveforms)  # (batch, class)
            loss = kl_loss(scores, targets)
            run.optimizer.zero_grad()
            loss.backward()
            rate = run.scheduler.get_last_lr()[0]
            run.optimizer.step()
            run.scheduler.step()
            step += 1
            loss_sum += loss.detach() * len(targets)
            hits += (scores.argmax(dim=1) == targets.argmax(dim=1)).sum()
            for callback in callbacks:
                callback(step, run.model)
            if bar is not None:
                bar.update()
    count = len(run.clips.labels)
    return {
        "epoch": epoch,
        "loss": loss_sum.item() / count,
        "accuracy": hits.item() / count,
        "learning_rate": rate,
        "seconds": time.perf_counter() - started,
    }


def fit(
    model: nn.Module,
    train: ClipArray,
    recipe: Recipe,
    *,
    device: torch.device | str | None = None,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
) -> History:
    """Train a network (lesson 4).

    Parameters
    ----------
    model : nn.Module
        Maps waveforms (batch, 1, time) to scores (batch, class); has ``input_format``. It is changed in place and
        left on the device.
    train : ClipArray
        The training clips.
    recipe : Recipe
    device : torch.device or str, optional
        Where to compute; a GPU if there is one.
    seed : int, default 0
        Seed of every random choice. On the same machine it repeats the run exactly.
    callbacks : sequence of callable
        Called as ``callback(step, model)`` after each optimiser step, counted from 1.
    progress : bool, default True
        Show a bar with loss, rate and time left, and print a row an epoch.

    Returns
    -------
    History

    Raises
    ------
    InputError
        If the clips are sampled at another rate than the network takes, or there are none.
    TrainingStopped
        If the loss is no longer a number.
    """
    check_clips(model, train)
    run = Run.start(model, train, recipe, seed, choose_device(device))
    steps = steps_per_epoch(len(train), recipe)
    with tqdm(total=recipe.epochs * steps, unit="step", disable=not progress) as bar:
        for epoch in range(1, recipe.epochs + 1):
            row = train_epoch(run, epoch, callbacks, bar)
            if not math.isfinite(row["loss"]):
                raise TrainingStopped(f"the loss is {row['loss']} in epoch {epoch}: try a smaller learning rate")
            run.history.rows.append(row)
            report(row, bar)
    return run.history


def report(row: dict, bar: tqdm) -> None:
    """Print a row of the history above the bar, and its loss and rate behind it."""
    if bar.disable:
        return
    numbers = f"loss {row['loss']:.3f}  accuracy {row['accuracy']:.1%}  rate {row['learning_rate']:.2g}"
    bar.write(f"epoch {row['epoch']:4d}  {numbers}  {row['seconds']:.1f} s")
    bar.set_postfix(loss=f"{row['loss']:.3f}", rate=f"{row['learning_rate']:.2g}")
