"""What turns of training add up to: quartiles, ratios to the plain loop, shares of what the machine can do."""

import numpy as np
import pandas as pd

from benchmarks.limits import DTYPES
from envnet_tutorial import costs
from envnet_tutorial.models import NETWORKS, EnvNet

#: The order of evaluation behind an entry's name, up to the first comma; see `costs.ORDERS`.
BOUNDS = {"plain": "plain", "paper": "paper, reordered", "pooled norm": "pooled norm, in cache"}


def quartiles(values: pd.Series) -> list[float]:
    """Return first quartile, median and third quartile."""
    return np.percentile(values, [25, 50, 75]).tolist()


def bounding_passes(name: str, num_classes: int) -> pd.DataFrame:
    """Return the passes that bound an entry: EnvNet's, in the entry's order, or those of another network as drawn."""
    first = name.split(", ")[0]
    if first in BOUNDS:
        return costs.ORDERS[BOUNDS[first]](costs.training_passes(EnvNet, num_classes))
    return costs.training_passes(NETWORKS[first], num_classes)


def summarise(table: pd.DataFrame, batch: int, num_classes: int) -> pd.DataFrame:
    """Return one row an entry: quartiles of clips/s and of its ratio to plain, share of the limit, bound, memory."""
    passes = costs.training_passes(EnvNet, num_classes)
    speed = table.pivot(index="round", columns="network", values="clips/s")
    cpu = table.pivot(index="round", columns="network", values="cpu")
    peak = table.groupby("network")["peak"].max() / 2**30
    lines = []
    for (name, precision), own in table.groupby(["network", "precision"], sort=False):
        steps, rate = bounding_passes(name, num_classes), own["rate"].median()
        low, middle, high = quartiles(speed[name])
        ratio = dict(zip(("ratio_low", "ratio", "ratio_high"), quartiles(speed[name] / speed["plain"]), strict=True))
        size, limit = DTYPES[precision].itemsize, rate / passes["operations"].sum()
        bound = costs.fastest(steps, rate, table["bandwidth"].median(), batch=batch, value_bytes=size)
        line = {"network": name, "precision": precision, "n": len(speed)}
        line |= {"low": low, "clips/s": middle, "high": high, **ratio}
        line["processor_ratio"] = (cpu["plain"] / cpu[name]).median()
        lines.append(line | {"limit": limit, "share": middle / limit, "bound": bound, "peak_gib": peak[name]})
    return pd.DataFrame(lines)


def spelled_out(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the summary as it is read: median (quartiles)."""
    columns = {"network": summary["network"], "n": summary["n"]}
    for name, low, middle, high, digits in (
        ("clips/s", "low", "clips/s", "high", 1),
        ("ratio", "ratio_low", "ratio", "ratio_high", 2),
    ):
        texts = (
            f"{m:.{digits}f} ({a:.{digits}f} to {b:.{digits}f})" for a, m, b in summary[[low, middle, high]].values
        )
        columns[name] = list(texts)
    columns["ratio of processor time"] = summary["processor_ratio"].map("{:.2f}".format)
    columns["share of limit"] = summary["share"].map("{:.0%}".format)
    columns["bound"] = summary["bound"].map("{:.0f}".format)
    columns["peak GiB"] = summary["peak_gib"].map("{:.1f}".format)
    return pd.DataFrame(columns)
