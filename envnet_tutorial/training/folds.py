"""Cross-validation over the official folds (lesson 4)."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.training.evaluation import Evaluation, evaluate
from envnet_tutorial.training.loop import fit
from envnet_tutorial.training.recipe import Recipe
from envnet_tutorial.training.run import History
from envnet_tutorial.training.runtime import choose_device, global_seed, stream_seed


class FoldResult(NamedTuple):
    """One fold of a cross-validation: the network after its last epoch, its history, its test on the fold."""

    fold: int
    model: nn.Module
    history: History
    evaluation: Evaluation


def build_model(build: Callable[[int], nn.Module], num_classes: int, *, seed: int) -> nn.Module:
    """Make a network whose first weights follow from a seed, leaving torch's global generator as it was.

    Parameters
    ----------
    build : callable
        Takes the number of classes, returns a network; a class such as `EnvNet` will do.
    num_classes : int
    seed : int

    Returns
    -------
    nn.Module
    """
    with global_seed(stream_seed(seed), torch.device("cpu")):
        return build(num_classes)


def k_fold(
    build: Callable[[int], nn.Module],
    clips: ClipArray,
    recipe: Recipe,
    *,
    folds: Sequence[int] | None = None,
    device: torch.device | str | None = None,
    seed: int = 0,
    **options,
) -> Iterator[FoldResult]:
    """Train a network for each fold on all other folds, and test it on that fold once, after the last epoch (lesson 4).

    Parameters
    ----------
    build : callable
        Takes the number of classes, returns an untrained network.
    clips : ClipArray
        All folds.
    recipe : Recipe
    folds : sequence of int, optional
        The folds to hold out, all of them without.
    device : torch.device or str, optional
        Where to compute; a GPU if there is one.
    seed : int, default 0
        Seed of first weights and training, the same for each fold.
    **options
        Passed on to `fit`.

    Yields
    ------
    FoldResult
        As soon as a fold is finished.
    """
    device = choose_device(device)
    for fold in np.unique(clips.folds).tolist() if folds is None else folds:
        train, test = clips.split(fold)
        model = build_model(build, clips.num_classes, seed=seed)
        history = fit(model, train, recipe, device=device, seed=seed, **options)
        evaluation = evaluate(model, test, device=device, preparation=recipe.preparation)
        yield FoldResult(fold, model, history, evaluation)
