"""How sure are we? Standard errors that respect what is shared, and paired comparisons (the page of that name).

A run tests several networks, one seed each, on the same clips, some of which are fragments of one recording. Neither
the clips of a recording nor the answers of several seeds to one clip are independent, so they do not count as such.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from envnet_tutorial.errors import InputError
from envnet_tutorial.results.result import Result

#: Fold, recording, take and class of a clip of ESC-50, or recording, class and two numbers of one of UrbanSound8K.
FRAGMENT = re.compile(r"(?:\d+-(?=[^-]+-[A-Z]))?(?P<recording>[^-]+)(?:-[A-Z][^-]*-\d+|-\d+-\d+-\d+)(?:\.\w+)?$")


def in_percent(share: float) -> float:
    """Return a share in percent with one decimal, the digits that ``f"{share:.1%}"`` prints wherever the book does so.

    Pandas and NumPy would round a product instead: 1,331 of 2,000 would be 66.6 in a table and 66.5% in a sentence.
    """
    return float(f"{share:.1%}".removesuffix("%"))


def right_answers(result: Result) -> pd.DataFrame:
    """Lay out which clips a run has right.

    Parameters
    ----------
    result : Result
        Of the kind "run".

    Returns
    -------
    DataFrame of bool
        A row for each clip, by name, a column for each seed.

    Raises
    ------
    InputError
        If a seed has not been trained on every fold that another has.
    """
    clips = result.tables["predictions"]
    right = clips.assign(right=clips["label"] == clips["prediction"]).pivot(
        index="name", columns="seed", values="right"
    )
    if right.isna().any(axis=None):
        raise InputError("the seeds of this run have been tested on different folds: compare those that all have")
    return right.astype(bool)


def sources_of(result: Result, names: Sequence[str]) -> np.ndarray:
    """Return what each clip is a fragment of, recording and class, as file names of ESC-50 and UrbanSound8K tell it.

    Parameters
    ----------
    result : Result
        Of the kind "run".
    names : sequence of str
        Of its clips. One that is named otherwise counts as a recording of its own.

    Returns
    -------
    ndarray of str, shape (clip,)
    """
    labels = result.tables["predictions"].drop_duplicates("name").set_index("name")["label"]
    recordings = {name: found["recording"] for name in names if (found := FRAGMENT.match(name))}
    return np.array([f"{recordings.get(name, name)} {labels[name]}" for name in names])


def folds_of(result: Result, names: Sequence[str]) -> np.ndarray:
    """Return the fold that each clip of a run belongs to, by its name."""
    return result.tables["predictions"].drop_duplicates("name").set_index("name")["fold"][names].to_numpy()


class Accuracy(NamedTuple):
    """Share of right answers, over all seeds, and how far a repetition with other recordings and seeds may lie off."""

    clips: int
    seeds: int
    mean: float
    standard_error: float


def accuracy(result: Result) -> Accuracy:
    """Average the accuracy of a run over its seeds, with a standard error for both of its lotteries.

    Parameters
    ----------
    result : Result
        Of the kind "run".

    Returns
    -------
    Accuracy
        The mean lies between 0 and 1. Its squared standard error is the sum of two: that of the recordings, from the
        sums of each recording's clips (a mean over seeds each) about what their number lets expect, and that of the
        seeds, the variance of their accuracies over their number. The second is missing, not zero, with one seed. Part
        of the luck of a seed is in the first as well, so the sum errs to the careful side.

    Notes
    -----
    The first is the variance of a ratio of sums over clusters: W. G. Cochran, "Sampling Techniques", 3rd edition,
    Wiley 1977, section 2.11.
    """
    right = right_answers(result)
    error = error_of_mean(right.to_numpy(dtype=float), sources_of(result, right.index))
    return Accuracy(*right.shape, float(right.to_numpy().mean()), error)


def error_of_mean(values: np.ndarray, clusters: np.ndarray) -> float:
    """Return the standard error of a mean over clips and seeds, for the luck of clusters and, if it can, of seeds.

    Equation (B.1) of the page "How sure are we?".

    Parameters
    ----------
    values : ndarray of float, shape (clip, seed)
        One seed says nothing of others: then its luck is missing.
    clusters : ndarray, shape (clip,)
        What each clip belongs to.
    """
    seeds = values.shape[1]
    of_seeds = values.mean(axis=0).var(ddof=1) / seeds if seeds > 1 else 0.0
    return math.sqrt(cluster_variance(values.mean(axis=1), clusters) + of_seeds)


def cluster_variance(values: np.ndarray, clusters: np.ndarray) -> float:
    """Return the variance of a mean of values that come in clusters; of clusters of one, that of independent values.

    One cluster says nothing of others: then it is not a number.

    Parameters
    ----------
    values : ndarray of float, shape (clip,)
    clusters : ndarray, shape (clip,)
        What each value belongs to.
    """
    deviations = pd.Series(values - values.mean()).groupby(clusters).sum()
    groups = len(deviations)
    if groups < 2:
        return math.nan
    return float((deviations**2).sum() / len(values) ** 2 * groups / (groups - 1))


class Comparison(NamedTuple):
    """Two runs on the same clips: what each alone has right, and what chance makes of it."""

    answers: int
    first_alone: int
    second_alone: int
    difference: float
    standard_error: float
    fold_error: float
    sign_test: float


def compare(first: Result, second: Result, seed: int | None = None) -> Comparison:
    """Compare two runs clip by clip, with the same seeds.

    Parameters
    ----------
    first, second : Result
        Of the kind "run".
    seed : int, optional
        Compare this seed alone; all that both have without.

    Returns
    -------
    Comparison
        Over the clips that both have been tested on, each as often as there are seeds: how many the first and the
        second alone have right; the second's accuracy less the first's, from -1 to 1, with the standard error of
        paired recordings and, where there are several, paired seeds (as `accuracy` has it), and that of the folds; and
        how often coins would fall as unevenly as the two counts (sign test, two-sided), which takes all these answers
        for independent. Fragments of a recording and several seeds are not, and then the standard error is to be asked
        instead.

    Notes
    -----
    The networks of one fold were trained once (each seed), and all clips of the fold share their luck, of which the
    first error knows nothing. The error of the folds, the standard deviation of their differences over the
    root of their number, does; it is missing with one fold. It is rough, having one degree of freedom less than there
    are folds, and still too small where one fold's training clips are another's, too (Y. Bengio and Y. Grandvalet,
    "No unbiased estimator of the variance of k-fold cross-validation", JMLR 2004).

    Raises
    ------
    InputError
        If the two have no clip or no seed in common.
    """
    both = [right_answers(result) for result in (first, second)]
    seeds = [seed] if seed is not None else sorted(set(both[0]) & set(both[1]))
    names = both[0].index.intersection(both[1].index)
    if not len(names) or not seeds or not set(seeds) <= set(both[0]) & set(both[1]):
        raise InputError("these two runs have no clip or no seed in common")
    one, other = (right.loc[names, seeds].to_numpy() for right in both)
    alone = [int((one & ~other).sum()), int((other & ~one).sum())]
    gained = other.astype(float) - one  # (clip, seed)
    error, gains = error_of_mean(gained, sources_of(first, names)), gained.mean(axis=1)
    of_folds = float(pd.Series(gains).groupby(folds_of(first, names)).mean().sem())
    chance = float(stats.binomtest(alone[0], sum(alone)).pvalue) if sum(alone) else 1.0
    return Comparison(len(names) * len(seeds), *alone, float(gains.mean()), error, of_folds, chance)
