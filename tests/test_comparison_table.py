"""The one table: each cell against where it comes from, and empty where nobody has run anything."""

import numpy as np
import pytest

from envnet_tutorial import training
from envnet_tutorial.comparison import EMPTY, Protocol, compare, operations, spelled_out
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import load_result
from envnet_tutorial.results.statistics import accuracy

NAMES = ["envnet-pooled-norm", "envnet-v2", "mel-cnn"]


@pytest.fixture(scope="module")
def table():
    return compare(NAMES, Protocol("ESC-10", training.FAST), 10, rounds=0)


def test_costs_are_those_of_the_network(table):
    assert table.index.tolist() == NAMES
    assert table["sample_rate"].tolist() == [16_000, 44_100, 16_000]
    assert table["field_ms"].tolist() == pytest.approx([174 / 16, 346 / 44.1, 400 / 16])
    assert table["operations"].tolist() == [operations(NETWORKS[name], 10) for name in NAMES]


def test_worth_is_that_of_the_shipped_result(table):
    row, result = table.loc["envnet-pooled-norm"], load_result("esc10-fast")
    found = accuracy(result)
    assert (row["accuracy"], row["standard_error"]) == (found.mean, found.standard_error)
    assert (row["clips"], row["seeds"], row["folds"]) == (400, found.seeds, 5)
    trainings = found.seeds * 5
    assert row["training_seconds"] == pytest.approx(result.tables["history"]["seconds"].sum() / trainings)


def test_published_numbers_stand_beside_it(table):
    assert table["published"].iloc[:2].tolist() == [0.872, 0.858]
    assert np.isnan(table.loc["mel-cnn", "published"]) and table.loc["mel-cnn", "source"] == ""


def test_mixtures_are_held_against_what_is_published_of_mixtures():
    table = compare(["envnet"], Protocol("ESC-50", training.FAST.between_class()), 50, rounds=0)
    assert table.loc["envnet", "published"] == 0.759


def test_a_cell_that_nobody_has_run_is_marked(table):
    shown = spelled_out(table)
    assert shown.loc["envnet-v2", ["accuracy, % (error)", "seeds x folds", "training, min"]].tolist() == [EMPTY] * 3
    assert (shown["latency, ms (quartiles)"] == EMPTY).all() and (shown["memory, MB"] == EMPTY).all()
    assert shown["published, %"].tolist() == ["87.2", "85.8", ""]
    row = table.loc["envnet-pooled-norm"]
    accurate = f"{100 * row['accuracy']:.1f} ({100 * row['standard_error']:.1f})"
    assert shown.loc["envnet-pooled-norm", "accuracy, % (error)"] == accurate
    assert shown["field, ms"].tolist() == ["10.9", "7.8", "25.0"] and shown["kHz"].tolist() == ["16", "44.1", "16"]


def test_a_measured_latency_is_shown_with_its_quartiles(table):
    timed = table.assign(latency_low=9.0, latency=10.0, latency_high=12.5, memory=2e8)
    shown = spelled_out(timed)
    assert shown["latency, ms (quartiles)"].iloc[0] == "10.0 (9.0 to 12.5)" and shown["memory, MB"].iloc[0] == "200"


def test_an_unknown_network_is_refused():
    with pytest.raises(InputError, match=r"there is no network echo; there are .*wavemsnet"):
        compare(["echo"], Protocol("ESC-10", training.FAST), 10)
