"""The training loop: forward, loss, backward, step, schedule (lesson 4)."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.formats import precision_context
from envnet_tutorial.models.base import WaveformNetwork
from envnet_tutorial.training.checkpoints import load_checkpoint, save_checkpoint
from envnet_tutorial.training.device import choose_device, keep_memory, on_device, peak_memory
from envnet_tutorial.training.distributed import connected, rank_and_size
from envnet_tutorial.training.evaluation import check_clips
from envnet_tutorial.training.history import History, Tally
from envnet_tutorial.training.recipe import Recipe
from envnet_tutorial.training.state import TrainingState

Callback = Callable[[int, WaveformNetwork], object]


def kl_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of the prediction from the target, in nats per clip (lesson 4).

    Parameters
    ----------
    logits : Tensor, shape (batch, class)
        Class scores before the softmax.
    targets : Tensor, shape (batch, class)
        Probability of each class. Where one class has them all, this is the cross-entropy.

    Returns
    -------
    Tensor, scalar
    """
    return functional.kl_div(functional.log_softmax(logits.float(), dim=1), targets, reduction="batchmean")


def train_epoch(
    state: TrainingState,
    epoch: int,
    callbacks: Sequence[Callback] = (),
) -> dict:
    """Show the network every clip once, or as many mixtures (lesson 4).

    Parameters
    ----------
    state : TrainingState
    epoch : int
        Number of the epoch, from 1.
    callbacks : sequence of callable
        Called as ``callback(step, model)`` after each step of the training, from 1.

    Returns
    -------
    dict
        A row of the history.
    """
    tally, first = Tally(state.device), (epoch - 1) * state.steps_per_epoch + 1
    state.network.train()
    with state.dropout_seed(epoch):
        for step, batch in enumerate(state.batches(epoch), start=first):
            with precision_context(state.device, state.recipe.precision):
                logits = state.network(batch.waveforms)  # (clip, class)
            loss = batch.weight * kl_loss(logits, batch.targets)
            state.optimizer.zero_grad()
            loss.backward()
            state.optimizer.step()
            rate = state.learning_rate
            state.scheduler.step()
            tally.add(batch, logits, loss)
            for callback in callbacks:
                callback(step, state.model)
    return tally.row(epoch, rate)


def fit(
    model: WaveformNetwork,
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
    model : WaveformNetwork
        It is changed in place, and afterwards on the device where it was before.
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
        If the clips are sampled at another rate than the network takes, if there are none, if the checkpoint is that
        of another run, or if it cannot be written; the last good checkpoint is untouched.
    TrainingStopped
        If the loss or a weight is no longer a number; the last good checkpoint is untouched.
    """
    check_clips(model, train)
    keep_memory()
    device = choose_device(device)
    with on_device(model, device):
        state = TrainingState.start(model, train, recipe, seed, device)
        if resume and checkpoint is not None and Path(checkpoint).exists():
            load_checkpoint(checkpoint, state)
        train_epochs(state, callbacks, progress, checkpoint, checkpoint_every)
    return state.history


def train_epochs(
    state: TrainingState,
    callbacks: Sequence[Callback],
    progress: bool,
    checkpoint: str | os.PathLike | None,
    checkpoint_every: int,
) -> None:
    """Train the epochs that are not finished yet; see `fit`."""
    is_first, epochs, steps = rank_and_size()[0] == 0, state.recipe.epochs, state.steps_per_epoch
    done = len(state.history.rows)
    bar = tqdm(total=epochs * steps, initial=done * steps, unit="step", disable=not (progress and is_first))
    callbacks = [*(callbacks if is_first else ()), lambda step, model: bar.update()]
    with bar, connected(state.model, state.device) as state.network:
        for epoch in range(done + 1, epochs + 1):
            state.history.rows.append(train_epoch(state, epoch, callbacks))
            state.check_numbers()
            report(state.history.rows[-1], bar)
            if epoch == done + 1:
                report_outlook(state, bar)
            if checkpoint is not None and is_first and (epoch % checkpoint_every == 0 or epoch == epochs):
                save_checkpoint(checkpoint, state)


def report_outlook(state: TrainingState, bar: tqdm) -> None:
    """Say after the first epoch how long the others take, if a minute or more, and how much memory the process holds.

    It is measured: nothing that is known before the first epoch tells how busy a machine is.
    """
    left = state.recipe.epochs - len(state.history.rows)
    minutes = left * state.history.rows[-1]["seconds"] / 60
    if bar.disable or minutes < 1:
        return
    held = peak_memory(state.device) / 2**30
    bar.write(f"about {minutes:.0f} minutes more for {left} epochs on {state.device}; {held:.1f} GiB in use")


def report(row: dict, bar: tqdm) -> None:
    """Print a row of the history above the bar, and its loss and rate behind it."""
    if bar.disable:
        return
    numbers = f"loss {row['loss']:.3f}  accuracy {row['accuracy']:.1%}  rate {row['learning_rate']:.2g}"
    bar.write(f"epoch {row['epoch']:4d}  {numbers}  {row['seconds']:.1f} s")
    bar.set_postfix(loss=f"{row['loss']:.3f}", rate=f"{row['learning_rate']:.2g}")
