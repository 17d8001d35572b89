"""The one table: a row a network, what it costs beside what it has been measured to be worth (lesson 7)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from envnet_tutorial.comparison.prices import latency, operations, parameters
from envnet_tutorial.comparison.protocol import Protocol, held
from envnet_tutorial.comparison.published import published
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results.statistics import accuracy

#: What stands in a cell that nobody has run.
EMPTY = "not run"


def compare(
    networks: Sequence[str],
    protocol: Protocol,
    num_classes: int,
    *,
    trainings: Path | None = None,
    rounds: int = 20,
) -> pd.DataFrame:
    """Put networks side by side under one protocol; nothing is trained here (lesson 7).

    Parameters
    ----------
    networks : sequence of str
        Keys of `models.NETWORKS`.
    protocol : Protocol
    num_classes : int
        For how many classes to price the networks.
    trainings : Path, optional
        Folder with the trainings of ``compare``; those that come with the package are used as well.
    rounds : int, default 20
        Windows to time; 0 leaves latency and memory empty.

    Returns
    -------
    DataFrame
        A row for each network, by name; NaN where nothing is known. title, sample_rate (Hz), field_ms (what a frame of
        the front end sees), parameters, operations (for 1.5 s); latency_low, latency and latency_high (quartiles for
        1.5 s on one core of this machine, ms), rounds, memory (bytes, see `prices.Latency`); training_seconds (mean of
        a training, on whatever trained it), accuracy and standard_error (`statistics.accuracy`), clips, seeds, folds;
        published (accuracy) and source.

    Raises
    ------
    InputError
        If there is no such network, or a training below ``trainings`` is of another protocol.
    """
    if unknown := [name for name in networks if name not in NETWORKS]:
        raise InputError(f"there is no network {unknown[0]}; there are {', '.join(NETWORKS)}")
    rows = [
        {"network": name}
        | price(name, num_classes, rounds)
        | worth(name, protocol, trainings)
        | reported(name, protocol)
        for name in networks
    ]
    return pd.DataFrame(rows).set_index("network")


def price(name: str, num_classes: int, rounds: int) -> dict:
    """Return what a network costs, as the columns of `compare`."""
    network = NETWORKS[name]
    timed = latency(network, num_classes, rounds) if rounds else None
    low, median, high = (1e3 * seconds for seconds in timed[:3]) if timed else [np.nan] * 3
    return {
        "title": network.title,
        "sample_rate": network.input_format.sample_rate,
        "field_ms": 1e3 * network.receptive_field / network.input_format.sample_rate,
        "parameters": parameters(network, num_classes),
        "operations": operations(network, num_classes),
        "latency_low": low,
        "latency": median,
        "latency_high": high,
        "rounds": rounds,
        "memory": (timed.peak if timed else 0) or np.nan,
    }


def worth(name: str, protocol: Protocol, trainings: Path | None) -> dict:
    """Return what a network has been measured to be worth under a protocol, as the columns of `compare`."""
    result = held(name, protocol, trainings)
    if result is None:
        empty = ("training_seconds", "accuracy", "standard_error")
        return dict.fromkeys(empty, np.nan) | dict.fromkeys(("clips", "seeds", "folds"), 0)
    found = accuracy(result)
    seconds = result.tables["history"].groupby(["seed", "fold"])["seconds"].sum()
    return {
        "training_seconds": seconds.mean(),
        "accuracy": found.mean,
        "standard_error": found.standard_error,
        "clips": found.clips,
        "seeds": found.seeds,
        "folds": len(result.settings["folds"]),
    }


def reported(name: str, protocol: Protocol) -> dict:
    """Return what a paper reports of a network under such a protocol, as the columns of `compare`."""
    found = published(name, protocol.data, mix=protocol.recipe.mix)
    return {"published": found.accuracy, "source": found.source} if found else {"published": np.nan, "source": ""}


def spelled_out(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of `compare` as it is read: texts with units in the headings, empty cells marked."""
    columns = {
        "kHz": table["sample_rate"].map(lambda rate: f"{rate / 1e3:g}"),
        "field, ms": table["field_ms"].map("{:.1f}".format),
        "weights": table["parameters"].map("{:,}".format),
        "GFLOP": table["operations"].map(lambda count: f"{count / 1e9:.2f}"),
        "latency, ms (quartiles)": [
            text(row.latency, f"{row.latency:.1f} ({row.latency_low:.1f} to {row.latency_high:.1f})")
            for row in table.itertuples()
        ],
        "memory, MB": [text(size, f"{size / 1e6:.0f}") for size in table["memory"]],
        "training, min": [text(seconds, f"{seconds / 60:.1f}") for seconds in table["training_seconds"]],
        "accuracy, % (error)": [
            text(row.accuracy, f"{100 * row.accuracy:.1f} ({100 * row.standard_error:.1f})")
            for row in table.itertuples()
        ],
        "seeds x folds": [f"{row.seeds} x {row.folds}" if row.seeds else EMPTY for row in table.itertuples()],
        "published, %": [text(share, f"{100 * share:.1f}", "") for share in table["published"]],
    }
    return pd.DataFrame(columns, index=table.index)


def text(value: float, written: str, empty: str = EMPTY) -> str:
    """Return a number as it is written, or what stands for one that nobody has measured."""
    return empty if np.isnan(value) else written
