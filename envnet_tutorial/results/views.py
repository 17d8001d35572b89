"""What a lesson wants to know of a result: counts by fold and by variant, films, front ends (lessons 4 and 5)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results.result import Result


def by_fold(result: Result) -> pd.DataFrame:
    """Count the right answers of a run, fold by fold (lesson 4).

    Parameters
    ----------
    result : Result
        Of the kind "run".

    Returns
    -------
    DataFrame
        clips, correct, accuracy (share from 0 to 1), nll (mean negative log-likelihood, nats). A row for each fold,
        named by fold; where the run has several seeds, for each pair of seed and fold.
    """
    clips = result.tables["predictions"]
    likelihood = result.arrays["probabilities"][np.arange(len(clips)), clips["label"]].astype(np.float64)
    rows = clips[["seed", "fold"]].assign(
        right=clips["label"] == clips["prediction"], nll=-np.log(likelihood.clip(1e-12))
    )
    groups = rows.groupby("fold" if rows["seed"].nunique() == 1 else ["seed", "fold"])
    table = groups["right"].agg(clips="count", correct="sum", accuracy="mean").astype({"correct": int})
    return table.join(groups["nll"].mean())


def by_seed(result: Result) -> pd.DataFrame:
    """Count the right answers of a run: a row for each seed, a column for each fold, and their sum (lesson 4).

    Parameters
    ----------
    result : Result
        Of the kind "run", with each of its seeds on the same folds.
    """
    clips = result.tables["predictions"]
    right = (clips["label"] == clips["prediction"]).groupby([clips["seed"], clips["fold"]]).sum()
    table = right.unstack("fold")
    return table.assign(total=table.sum(axis=1))


def by_variant(result: Result) -> pd.DataFrame:
    """Add up what each variant of an ablation did (lesson 4).

    Parameters
    ----------
    result : Result
        Of the kind "ablation".

    Returns
    -------
    DataFrame
        trainings, clips, correct, accuracy (share of all clips), means of nll (nats), training_loss (nats) and seconds.
        A row for each variant, in the order of the trainings.
    """
    groups = result.tables["trainings"].groupby("variant", sort=False)
    counts = groups.agg(trainings=("fold", "count"), clips=("clips", "sum"), correct=("correct", "sum"))
    means = groups[["nll", "training_loss", "seconds"]].mean()
    return counts.assign(accuracy=counts["correct"] / counts["clips"]).join(means)


def by_reported_fold(result: Result) -> pd.DataFrame:
    """Show by what each fold would choose its recipe if it may not look at itself (lesson 4).

    Parameters
    ----------
    result : Result
        Of the kind "choice".

    Returns
    -------
    DataFrame
        A row for each fold that is to be reported; a column for each variant with its right answers on all other folds,
        a network for each of these and each seed, and "chosen": the variant with the most of them, and of several such
        the one with the lowest mean nll.
    """
    groups = result.tables["trainings"].groupby(["reported", "variant"], sort=False)
    correct, nll = (values.unstack(sort=False) for values in (groups["correct"].sum(), groups["nll"].mean()))
    best = nll.where(correct.eq(correct.max(axis=1), axis=0)).idxmin(axis=1)
    return correct.assign(chosen=best).sort_index()


def by_split(result: Result) -> pd.DataFrame:
    """Set the official folds beside dealt ones (lesson 4).

    Parameters
    ----------
    result : Result
        Of the kind "leak".

    Returns
    -------
    DataFrame
        A row for each split, "by fold" and "at random", with means over the seeds: accuracy of all clips; known, the
        share of clips whose recording has a fragment among the training clips; accuracy of these, and of the rest.
        accuracy_std is the standard deviation of the first over the seeds.
    """
    sums = result.tables["trainings"].groupby(["split", "seed"], sort=False).sum()
    rest, right = sums["clips"] - sums["known"], sums["correct"] - sums["known_correct"]
    shares = pd.DataFrame(
        {
            "accuracy": sums["correct"] / sums["clips"],
            "known": sums["known"] / sums["clips"],
            "accuracy_known": sums["known_correct"] / sums["known"].where(sums["known"] > 0),
            "accuracy_rest": right / rest,
        }
    )
    groups = shares.groupby("split", sort=False)
    table = groups.mean()
    table.insert(1, "accuracy_std", groups["accuracy"].std())
    return table


@dataclass(frozen=True)
class Film:
    """The filters of one network along its training (lesson 5).

    Parameters
    ----------
    steps : list of int
        Optimiser steps after which the network was probed, 0 for before any.
    frequencies : Tensor of float64, shape (frequency,)
        Of the tones, in Hz.
    responses : Tensor of float32, shape (step, filter, frequency)
    kernels : Tensor of float32, shape (step, filter, taps), or None
        Both convolutions merged (`probing.composite_kernels`), where they can be.
    """

    steps: list[int]
    frequencies: Tensor
    responses: Tensor
    kernels: Tensor | None


def film(result: Result) -> Film:
    """Return the film of a run's first fold (lesson 5).

    Raises
    ------
    InputError
        If the run was trained without ``--keep-filters``.
    """
    if "film/steps" not in result.arrays:
        raise InputError("this result has no film: its filters were not kept along the training")
    steps, frequencies = result.arrays["film/steps"].tolist(), torch.from_numpy(result.arrays["film/frequencies"])
    kernels = as_float(result, "film/kernels") if "film/kernels" in result.arrays else None
    return Film(steps, frequencies, as_float(result, "film/responses"), kernels)


def front_end(result: Result, fold: int = 1, seed: int | None = None) -> nn.Module:
    """Return a network with a front end of a run; its classifier is untrained: probe it, do not ask it (lesson 5).

    Parameters
    ----------
    result : Result
        Of the kind "run".
    fold : int, default 1
        The fold that was held out.
    seed : int, optional
        The run's first without.

    Raises
    ------
    InputError
        If the run has no such fold or seed.
    """
    settings = result.settings
    seed = settings["seeds"][0] if seed is None else seed
    start = f"front_end/{seed}/{fold}/"
    state = {key.removeprefix(start): value for key, value in result.arrays.items() if key.startswith(start)}
    if not state:
        raise InputError(
            f"there is no fold {fold} of seed {seed}: seeds {settings['seeds']}, folds {settings['folds']}"
        )
    # A network starts from random weights; the caller's draws stay as they were.
    with torch.random.fork_rng(devices=[]):
        network = NETWORKS[settings["network"]](len(settings["classes"]))
    front, fixed = network.frontend_module, fixed_names(network.frontend_module)
    kept = {key: torch.from_numpy(value) for key, value in state.items()}
    front.load_state_dict({key: value for key, value in front.state_dict().items() if key in fixed} | kept)
    return network.eval()


def fixed_names(front: nn.Module) -> set[str]:
    """Return the names of weights that nothing learns: a result need not keep them."""
    return {name for name, parameter in front.named_parameters() if not parameter.requires_grad}


def front_end_arrays(state: dict[str, Tensor], seed: int, fold: int) -> dict[str, np.ndarray]:
    """Return the state dict of a front end under the names by which `front_end` finds it."""
    return {f"front_end/{seed}/{fold}/{key}": value.detach().cpu().numpy().copy() for key, value in state.items()}


def responses_of(result: Result, control: str, amplitude: float = 0.5) -> Tensor:
    """Return what the filters of one control answered to tones of one amplitude (lesson 5).

    Parameters
    ----------
    result : Result
        Of the kind "controls".
    control : str
        Such as "untrained".
    amplitude : float, default 0.5
        Of the tones, where full scale is 1.

    Returns
    -------
    Tensor of float32, shape (seed, filter, frequency)

    Raises
    ------
    InputError
        If there is no such control, or it was not probed at this amplitude.
    """
    rows, amplitudes = result.tables["networks"]["control"] == control, result.arrays["amplitudes"].tolist()
    if not rows.any() or amplitude not in amplitudes:
        raise InputError(f"there is no control {control!r} at amplitude {amplitude}; the amplitudes are {amplitudes}")
    return as_float(result, "responses")[torch.tensor(rows.tolist()), amplitudes.index(amplitude)]


@dataclass(frozen=True)
class Heard:
    """What a trained network hears in a few real clips that it has not seen (lesson 5).

    Parameters
    ----------
    log_mel : Tensor of float32, shape (clip, band, step)
        Log-mel spectrogram of the loudest window, in dB.
    learned : Tensor of float32, shape (clip, filter, step)
        Output of the front end, filters in their own order.
    occlusion, gradient : Tensor of float32, shape (clip, step)
        Importance of each step for the clip's class, in log odds (`probing.occlusion_importance`,
        `probing.gradient_importance`).
    """

    log_mel: Tensor
    learned: Tensor
    occlusion: Tensor
    gradient: Tensor


def heard(result: Result) -> Heard:
    """Return what was heard in the clips that the settings of a result of the kind "listening" name (lesson 5)."""
    return Heard(*(as_float(result, name) for name in ("log_mel", "learned", "occlusion", "gradient")))


def as_float(result: Result, name: str) -> Tensor:
    """Return an array as a float32 tensor; those that only pictures are made of are kept in half the size."""
    return torch.from_numpy(result.arrays[name]).float()
