"""Networks that come with the package, ready to name a sound, and how often they are right (lesson 7)."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result, load_result
from envnet_tutorial.training import Preparation

#: Names of the results that hold them, by network; the first is the one that learned its front end.
WEIGHTS = {"compact-pooled-norm": "esc50-compact-weights", "compact-mel": "esc50-compact-mel-weights"}
#: Share of the sounds that the page names which are to be named rightly.
TRUST = 0.8


@dataclass(frozen=True)
class Pretrained:
    """Compact networks trained on ESC-50, one for each fold that was held out, and their tests (lesson 7).

    Parameters
    ----------
    result : Result
        Of the kind "weights", which ``experiments.weights`` makes: for each fold a state dict, and for each held-out
        clip what the network of its fold says of it.
    """

    result: Result

    @property
    def folds(self) -> tuple[int, ...]:
        """Folds that were held out, each by a network of its own."""
        return tuple(self.result.settings["folds"])

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(self.result.settings["classes"])

    @property
    def preparation(self) -> Preparation:
        """What was done to the clips in training, and is to be done to every sound."""
        recipe = self.result.settings["recipe"]
        return Preparation(recipe["trim_silence"], recipe["compression_ratio"])

    def network(self, fold: int) -> nn.Module:
        """Return the network that has not heard the clips of a fold, in eval mode.

        Raises
        ------
        InputError
            If there is no such fold.
        """
        if fold not in self.folds:
            raise InputError(f"there is no pretrained network for fold {fold}; there are folds {self.folds}")
        start = f"weights/{fold}/"
        arrays = self.result.arrays.items()
        state = {key.removeprefix(start): torch.from_numpy(array) for key, array in arrays if key.startswith(start)}
        network = NETWORKS[self.result.settings["network"]](len(self.classes))
        network.load_state_dict(state)
        return network.eval()

    def tests(self) -> pd.DataFrame:
        """Count what each network names rightly of the clips of its fold, which it has not heard.

        Returns
        -------
        DataFrame
            clips; correct, by ten windows of a clip; correct_window, by its loudest 1.5 s alone. A row for each fold.
        """
        clips = self.result.tables["clips"]
        right = clips[["fold"]].assign(
            clips=1,
            correct=clips["prediction"] == clips["label"],
            correct_window=clips["window_prediction"] == clips["label"],
        )
        return right.groupby("fold").sum()

    def origin(self) -> str:
        """Say in one sentence what the networks are, and in another under which licence."""
        settings = self.result.settings
        return (
            f"{NETWORKS[settings['network']].title}, trained on {settings['data']} for {settings['recipe']['epochs']} "
            f"epochs, seed {settings['seeds'][0]}. {settings['licence']}"
        )

    def share(self, folds: Sequence[int]) -> str:
        """Say how many clips of some folds their networks name rightly."""
        found = self.tests().loc[list(folds)].sum()
        return f"{found['correct']:,} of {found['clips']:,} clips ({found['correct'] / found['clips']:.1%})"

    def note(self, folds: Sequence[int]) -> str:
        """Say what answers by the networks of some folds are worth, and where these are from."""
        right = self.share(folds)
        if len(folds) == 1:
            return f"This network names {right} of fold {folds[0]} rightly, and has heard none of them. {self.origin()}"
        return (
            f"Mean of {len(folds)} networks. Each has not heard one fold. Of these folds they name {right} rightly, "
            f"each alone; some of them know every clip of the set, so their mean is not tested. {self.origin()}"
        )


@functools.cache
def load_pretrained(network: str = "compact-pooled-norm") -> Pretrained:
    """Return the networks of one kind that come with the package (lesson 7).

    Parameters
    ----------
    network : {"compact-pooled-norm", "compact-mel"}
        Which kind: with EnvNet's learned front end, or with a mel spectrogram in its place.

    Raises
    ------
    InputError
        If no network of that kind comes with the package.
    """
    if network not in WEIGHTS:
        raise InputError(f"no trained {network!r} comes with the package; these do: {', '.join(WEIGHTS)}")
    return Pretrained(load_result(WEIGHTS[network]))


@dataclass(frozen=True)
class NamingRule:
    """When a first guess is sure enough to be said, and what that was worth on held-out clips (lesson 7).

    Parameters
    ----------
    threshold : float
        Probability that the first guess needs.
    clips, named, right : int
        Held-out clips, those that were named, and those that were named rightly, each with a threshold that was chosen
        without its recording.
    """

    threshold: float
    clips: int
    named: int
    right: int


def naming_rule(clips: pd.DataFrame, trust: float = TRUST, parts: int = 5) -> NamingRule:
    """Choose the threshold above which first guesses are right as often as wished, and test the choice (lesson 7).

    A threshold that is chosen on the clips it is reported for looks better than it is. So the recordings are dealt into
    parts, and each part is tested with the threshold of the others; the one to use is chosen on all.

    Parameters
    ----------
    clips : DataFrame
        name, as ESC-50 names its files, with the recording behind the first hyphen; label and window_prediction (class
        indices); window_probability, of the prediction.
    trust : float, default 0.8
        Share of the named clips that are to be named rightly.
    parts : int, default 5

    Returns
    -------
    NamingRule
    """
    right = (clips["window_prediction"] == clips["label"]).to_numpy()
    sure = clips["window_probability"].to_numpy()
    part = pd.factorize(clips["name"].str.split("-").str[1], sort=True)[0] % parts
    named = np.zeros(len(clips), dtype=bool)
    for number in range(parts):
        held = part == number
        named[held] = sure[held] >= lowest_threshold(sure[~held], right[~held], trust)
    return NamingRule(lowest_threshold(sure, right, trust), len(clips), int(named.sum()), int((named & right).sum()))


#: A threshold above all probabilities, and still a number that JSON can hold.
OUT_OF_REACH = float(np.nextafter(np.float32(1), np.float32(2)))


def lowest_threshold(sure: np.ndarray, right: np.ndarray, trust: float) -> float:
    """Return the lowest probability such that of all that reach it the wished share is right, or one out of reach."""
    order = np.argsort(-sure, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    last = np.diff(sure[order], append=-np.inf) < 0  # whoever reaches a probability, all that are as sure do
    enough = np.flatnonzero((shares >= trust) & last)
    return float(sure[order[enough[-1]]]) if len(enough) else OUT_OF_REACH
