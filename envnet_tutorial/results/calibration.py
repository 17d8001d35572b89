"""Are the probabilities as sure as they should be? One number sharpens or softens them all (lesson 6).

C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks", ICML 2017.
"""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from envnet_tutorial.errors import InputError
from envnet_tutorial.results.result import Result

#: Temperatures that are tried: from a fiftieth to fifty times.
LIMITS = (0.02, 50.0)
#: Smallest probability that counts as one; a network in float32 may print 0.
LEAST = 1e-12


def temper(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Sharpen (below 1) or soften (above 1) probabilities: their powers of 1 / T as shares, softmax(log p / T).

    Parameters
    ----------
    probabilities : ndarray, shape (clip, class)
    temperature : float
        T, above 0. 1 leaves them as they are.

    Returns
    -------
    ndarray, shape (clip, class)
        The order of the classes is that of before, and so is the answer.
    """
    if not temperature > 0:
        raise InputError(f"a temperature is above 0; got {temperature}")
    powers = np.log(np.clip(probabilities.astype(np.float64), LEAST, None)) / temperature
    shares = np.exp(powers - powers.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def mean_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean negative log-likelihood of the true classes, in nats."""
    return float(-np.log(probabilities[np.arange(len(labels)), labels].clip(LEAST)).mean())


def best_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature with the least mean loss, within `LIMITS`.

    The loss is convex in 1 / T (a mean of log-sum-exp less a line), so it has one minimum.
    """

    def loss(inverse: float) -> float:
        return mean_loss(temper(probabilities, 1 / inverse), labels)

    return float(1 / minimize_scalar(loss, bounds=(1 / LIMITS[1], 1 / LIMITS[0]), method="bounded").x)


def tempered(result: Result) -> pd.DataFrame:
    """Give each fold of a run the temperature that suits the *other* folds best, and look at its loss (lesson 6).

    Parameters
    ----------
    result : Result
        Of the kind "run", with at least two folds.

    Returns
    -------
    DataFrame
        A row for each seed and fold, which its index names: temperature, nll and tempered, the mean loss in nats
        before and after. No clip has a say in its own temperature.

    Raises
    ------
    InputError
        If a seed has one fold only.
    """
    clips, probabilities = result.tables["predictions"].reset_index(drop=True), result.arrays["probabilities"]
    rows = {}
    for (seed, fold), own in clips.groupby(["seed", "fold"]):
        others = clips[(clips["seed"] == seed) & (clips["fold"] != fold)]
        if others.empty:
            raise InputError(f"seed {seed} has one fold only: its temperature has to come from other clips")
        found = best_temperature(probabilities[others.index], others["label"].to_numpy())
        here, labels = probabilities[own.index].astype(np.float64), own["label"].to_numpy()
        after = mean_loss(temper(here, found), labels)
        rows[seed, fold] = {"temperature": found, "nll": mean_loss(here, labels), "tempered": after}
    return pd.DataFrame(rows).T.rename_axis(["seed", "fold"])
