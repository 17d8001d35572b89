"""Cross-validation over the official folds (lesson 4)."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.models.base import WaveformNetwork
from envnet_tutorial.training.device import global_seed, stream_seed
from envnet_tutorial.training.evaluation import Evaluation, evaluate
from envnet_tutorial.training.history import History
from envnet_tutorial.training.loop import Callback, fit
from envnet_tutorial.training.recipe import Recipe


class FoldResult(NamedTuple):
    """One fold of a cross-validation: the network after its last epoch, its history, its test on the fold."""

    fold: int
    model: WaveformNetwork
    history: History
    evaluation: Evaluation

    def predictions(self, test: ClipArray) -> pd.DataFrame:
        """Return a row for each test clip: name, label, prediction (class indices), probability of each class."""
        columns = {"name": test.names, "label": test.labels, "prediction": self.evaluation.predictions}
        probabilities = self.evaluation.probabilities
        return pd.DataFrame(columns | {name: probabilities[:, i] for i, name in enumerate(test.classes)})


def build_model(build: Callable[[int], WaveformNetwork], num_classes: int, *, seed: int) -> WaveformNetwork:
    """Make a network whose first weights follow from a seed, leaving torch's global generator as it was.

    Parameters
    ----------
    build : callable
        Takes the number of classes, returns a network; a class such as `EnvNet` will do.
    num_classes : int
    seed : int

    Returns
    -------
    WaveformNetwork
    """
    with global_seed(stream_seed(seed), torch.device("cpu")):
        return build(num_classes)


def train_fold(
    build: Callable[[int], WaveformNetwork],
    clips: ClipArray,
    recipe: Recipe,
    fold: int,
    *,
    device: torch.device | str | None = None,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    **options,
) -> FoldResult:
    """Train a network on all folds but one, and test it on that one once, after the last epoch (lesson 4).

    Parameters
    ----------
    build : callable
        Takes the number of classes, returns an untrained network.
    clips : ClipArray
        All folds.
    recipe : Recipe
    fold : int
        The fold to hold out.
    device : torch.device or str, optional
        Where to compute; a GPU if there is one.
    seed : int, default 0
        Seed of first weights and training, the same for each fold.
    callbacks : sequence of callable
        Called as ``callback(step, model)``, first with step 0, before any training.
    **options
        Passed on to `fit`.

    Returns
    -------
    FoldResult
    """
    train, test = clips.split(fold)
    model = build_model(build, clips.num_classes, seed=seed)
    for callback in callbacks:
        callback(0, model)
    history = fit(model, train, recipe, device=device, seed=seed, callbacks=callbacks, **options)
    return FoldResult(fold, model, history, evaluate(model, test, recipe.preparation, device=device))


def k_fold(
    build: Callable[[int], WaveformNetwork],
    clips: ClipArray,
    recipe: Recipe,
    *,
    folds: Sequence[int] | None = None,
    **options,
) -> Iterator[FoldResult]:
    """Train a network for each fold on all other folds, and test it on that fold (lesson 4).

    Parameters
    ----------
    build, clips, recipe
        As for `train_fold`.
    folds : sequence of int, optional
        The folds to hold out, all of them without.
    **options
        Passed on to `train_fold`.

    Yields
    ------
    FoldResult
        As soon as a fold is finished.
    """
    for fold in np.unique(clips.folds).tolist() if folds is None else folds:
        yield train_fold(build, clips, recipe, fold, **options)
