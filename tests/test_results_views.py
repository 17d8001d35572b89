"""Views of results, counted by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS, EnvNet
from envnet_tutorial.results import Result, load_result, views


@pytest.fixture(scope="module")
def run():
    """Two seeds, two folds, three clips each, two classes."""
    rows = [(seed, fold, f"{fold}-{i}", i % 2, (i + seed) % 2) for seed in (0, 3) for fold in (1, 2) for i in range(3)]
    table = pd.DataFrame(rows, columns=["seed", "fold", "name", "label", "prediction"])
    probabilities = np.float32([[0.75, 0.25] if row[4] == 0 else [0.125, 0.875] for row in rows])
    torch.manual_seed(0)
    network = EnvNet(2)
    arrays = views.front_end_arrays(network.frontend_module.state_dict(), seed=3, fold=2)
    settings = {"seeds": [0, 3], "folds": [1, 2], "network": "envnet", "classes": ["a", "b"]}
    return network, Result(settings, {"predictions": table}, {"probabilities": probabilities} | arrays)


def test_folds_are_counted_for_each_seed(run):
    table = views.by_fold(run[1])
    assert table.index.names == ["seed", "fold"] and table.index.tolist() == [(0, 1), (0, 2), (3, 1), (3, 2)]
    assert table["clips"].tolist() == [3] * 4
    assert table["correct"].tolist() == [3, 3, 0, 0] and table["accuracy"].tolist() == [1, 1, 0, 0]
    right, wrong = -np.log([0.75, 0.875, 0.75]).mean(), -np.log([0.125, 0.25, 0.125]).mean()
    np.testing.assert_allclose(table["nll"], [right, right, wrong, wrong])


def test_seeds_stand_below_each_other(run):
    table = views.by_seed(run[1])
    assert table.loc[0].tolist() == [3, 3, 6] and table.loc[3].tolist() == [0, 0, 0]
    assert table.columns.tolist() == [1, 2, "total"]


def test_one_seed_is_indexed_by_fold_alone(run):
    _, result = run
    is_first = (result.tables["predictions"]["seed"] == 0).to_numpy()
    one = Result(
        {},
        {"predictions": result.tables["predictions"][is_first]},
        {"probabilities": result.arrays["probabilities"][is_first]},
    )
    assert views.by_fold(one).index.tolist() == [1, 2] and views.by_fold(one).index.name == "fold"


def test_a_class_that_was_ruled_out_costs_much_and_not_infinitely():
    table = pd.DataFrame({"seed": [0], "fold": [1], "name": ["x"], "label": [0], "prediction": [1]})
    result = Result({}, {"predictions": table}, {"probabilities": np.float32([[0, 1]])})
    assert views.by_fold(result)["nll"].item() == pytest.approx(-np.log(1e-12))


def test_results_count_by_hand():
    short = load_result("esc10-short")
    for fold, row in views.by_fold(short).iterrows():
        is_in = (short.tables["predictions"]["fold"] == fold).to_numpy()
        table, probabilities = short.tables["predictions"][is_in], short.arrays["probabilities"][is_in]
        right = sum(label == given for label, given in zip(table["label"], table["prediction"], strict=True))
        assert (row["clips"], row["correct"], row["accuracy"]) == (80, right, right / 80)
        of_truth = [probabilities[i, label] for i, label in enumerate(table["label"])]
        assert row["nll"] == pytest.approx(-np.mean(np.log(of_truth)))


def test_variants_are_added_up_in_their_order():
    rows = [["b", 1, 0, 10, 4, 1.0, 0.5, 7.0], ["b", 2, 0, 30, 8, 2.0, 1.5, 9.0], ["a", 1, 0, 10, 10, 0.0, 0.0, 1.0]]
    columns = ["variant", "fold", "seed", "clips", "correct", "nll", "training_loss", "seconds"]
    table = views.by_variant(Result({}, {"trainings": pd.DataFrame(rows, columns=columns)}))
    assert table.index.tolist() == ["b", "a"]
    assert table.loc["b"].tolist() == [2, 40, 12, 0.3, 1.5, 1.0, 8.0]
    assert table.columns.tolist() == ["trainings", "clips", "correct", "accuracy", "nll", "training_loss", "seconds"]


def test_a_front_end_is_found_by_fold_and_seed(run):
    network, result = run
    found = views.front_end(result, fold=2, seed=3)
    expected = network.frontend_module.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in found.frontend_module.state_dict().items())
    assert isinstance(found, NETWORKS["envnet"]) and not found.training and found.num_classes == 2
    for fold, seed, named in ((2, None, "seed 0"), (1, 3, "fold 1")):
        with pytest.raises(InputError, match=named):
            views.front_end(result, fold, seed)


def test_a_front_end_leaves_the_callers_draws_as_they_were(run):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    views.front_end(run[1], fold=2, seed=3)
    assert torch.equal(torch.rand(3), expected)


def test_a_run_whose_filters_were_not_kept_has_no_film(run):
    with pytest.raises(InputError, match="no film"):
        views.film(run[1])


def test_a_control_that_is_none_is_refused():
    controls = load_result("esc10-controls")
    for control, amplitude in (("silence", 0.5), ("trained", 0.3)):
        with pytest.raises(InputError, match=f"{control}.*{amplitude}"):
            views.responses_of(controls, control, amplitude)


def test_responses_are_the_controls_own():
    table = pd.DataFrame({"control": ["x", "y", "x"], "seed": [0, 0, 1], "accuracy": [0.1] * 3})
    arrays = {"amplitudes": np.array([0.5, 0.1]), "responses": np.arange(12, dtype=np.float16).reshape(3, 2, 2, 1)}
    result = Result({}, {"networks": table}, arrays)
    assert views.responses_of(result, "x", 0.1).flatten().tolist() == [2, 3, 10, 11]
    assert views.responses_of(result, "y").flatten().tolist() == [4, 5]
