"""The training loop: forward, loss, backward, step, schedule (lesson 4)."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm.auto import tqdm

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.training.batches import draw_batch, epoch_rows
from envnet_tutorial.training.checkpoints import load_checkpoint, save_checkpoint
from envnet_tutorial.training.distributed import connected, own_share, rank_and_size, sum_over_processes
from envnet_tutorial.training.evaluation import check_clips
from envnet_tutorial.training.recipe import Recipe
from envnet_tutorial.training.run import History, Run, steps_per_epoch
from envnet_tutorial.training.runtime import (
    choose_device,
    global_seed,
    keep_memory,
    lent_to,
    precision_context,
    stream_seed,
)

Callback = Callable[[int, nn.Module], object]


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
    rank, size = rank_and_size()
    generator = torch.Generator(run.device).manual_seed(stream_seed(run.seed, epoch, 0))
    started, step = time.perf_counter(), (epoch - 1) * steps_per_epoch(len(run.clips.labels), run.recipe)
    sums = torch.zeros(2, device=run.device)  # of loss and hits
    run.network.train()
    with global_seed(stream_seed(run.seed, epoch, 1, rank), run.device):  # for dropout
        for rows in epoch_rows(run.clips, run.recipe, generator):
            waveforms, targets = draw_batch(run.clips, rows, run.recipe, run.model.input_format, generator)
            waveforms, targets = own_share(waveforms), own_share(targets)
            with precision_context(run.device, run.recipe.precision):
                scores = run.network(waveforms)  # (batch, class)
            loss = kl_loss(scores, targets) * len(targets) * size / len(rows[0])  # the mean over the whole batch
            run.optimizer.zero_grad()
            loss.backward()
            rate = run.scheduler.get_last_lr()[0]
            run.optimizer.step()
            run.scheduler.step()
            step += 1
            hits = (scores.argmax(dim=1) == targets.argmax(dim=1)).sum()
            sums += torch.stack([loss.detach() * len(rows[0]) / size, hits])
            for callback in callbacks:
                callback(step, run.model)
            if bar is not None:
                bar.update()
    loss, accuracy = (sum_over_processes(sums) / len(run.clips.labels)).tolist()
    seconds = time.perf_counter() - started
    return {"epoch": epoch, "loss": loss, "accuracy": accuracy, "learning_rate": rate, "seconds": seconds}


def fit(
    model: nn.Module,
    train: ClipArray,
    recipe: Recipe,
    *,
    device: torch.device | str | None = None,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
    checkpoint: str | os.PathLike | None = None,
    checkpoint_every: int = 10,
    resume: bool = False,
) -> History:
    """Train a network; under ``torchrun``, together with the other processes (lesson 4).

    Parameters
    ----------
    model : nn.Module
        Maps waveforms (batch, 1, time) to scores (batch, class); has ``input_format``. It is changed in place, and
        afterwards where it was before.
    train : ClipArray
        The training clips.
    recipe : Recipe
    device : torch.device or str, optional
        Where to compute; a GPU if there is one.
    seed : int, default 0
        Seed of every random choice. On the same machine, with as many threads, it repeats the run exactly.
    callbacks : sequence of callable
        Called as ``callback(step, model)`` after each optimiser step, counted from 1.
    progress : bool, default True
        Show a bar with loss, rate and time left, and print a row an epoch.
    checkpoint : path-like, optional
        File to save the state of the training in. All processes must see it.
    checkpoint_every : int, default 10
        Epochs between two checkpoints; the last epoch always has one.
    resume : bool, default False
        Go on from the checkpoint if it exists.

    Returns
    -------
    History

    Raises
    ------
    InputError
        If the clips are sampled at another rate than the network takes, if there are none, or if the checkpoint is
        that of another run.
    TrainingStopped
        If the loss or a weight is no longer a number, or the checkpoint cannot be written; the last good checkpoint
        is untouched.
    """
    check_clips(model, train)
    keep_memory()
    device = choose_device(device)
    with lent_to(model, device):
        run = Run.start(model, train, recipe, seed, device)
        if resume and checkpoint is not None and Path(checkpoint).exists():
            load_checkpoint(checkpoint, run)
        train_epochs(run, callbacks, progress, checkpoint, checkpoint_every)
    return run.history


def train_epochs(
    run: Run, callbacks: Sequence[Callback], progress: bool, checkpoint: str | os.PathLike | None, checkpoint_every: int
) -> None:
    """Train the epochs that a run has not finished yet; see `fit`."""
    is_first, recipe = rank_and_size()[0] == 0, run.recipe
    steps, done = steps_per_epoch(len(run.clips.labels), recipe), len(run.history.rows)
    bar = tqdm(total=recipe.epochs * steps, initial=done * steps, unit="step", disable=not (progress and is_first))
    with bar, connected(run):
        for epoch in range(done + 1, recipe.epochs + 1):
            run.history.rows.append(train_epoch(run, epoch, callbacks if is_first else (), bar))
            run.check_numbers()
            report(run.history.rows[-1], bar)
            if checkpoint is not None and is_first and (epoch % checkpoint_every == 0 or epoch == recipe.epochs):
                save_checkpoint(checkpoint, run)


def report(row: dict, bar: tqdm) -> None:
    """Print a row of the history above the bar, and its loss and rate behind it."""
    if bar.disable:
        return
    numbers = f"loss {row['loss']:.3f}  accuracy {row['accuracy']:.1%}  rate {row['learning_rate']:.2g}"
    bar.write(f"epoch {row['epoch']:4d}  {numbers}  {row['seconds']:.1f} s")
    bar.set_postfix(loss=f"{row['loss']:.3f}", rate=f"{row['learning_rate']:.2g}")
