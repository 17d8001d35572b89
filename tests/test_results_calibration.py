"""One number sharpens all probabilities: against softmax, a grid, and labels that the fold itself has no say in."""

import numpy as np
import pandas as pd
import pytest
import torch

from envnet_tutorial.errors import InputError
from envnet_tutorial.results import Result, calibration, load_result, views

CLASSES = 5


def make_run(temperature=0.5, clips=4_000, folds=4, seeds=(0,)):
    """Make a run whose probabilities are softened: true are those at the temperature."""
    rng, tables, probabilities = np.random.default_rng(1), [], []
    for seed in seeds:
        logits = rng.standard_normal((clips, CLASSES))
        truth = torch.from_numpy(logits / temperature).softmax(dim=1).numpy()
        labels = [rng.choice(CLASSES, p=row) for row in truth]
        tables.append(pd.DataFrame({"seed": seed, "fold": 1 + np.arange(clips) % folds, "label": labels}))
        probabilities.append(torch.from_numpy(logits).softmax(dim=1).numpy())
    arrays = {"probabilities": np.concatenate(probabilities).astype(np.float32)}
    return Result({"kind": "run"}, {"predictions": pd.concat(tables)}, arrays)


def test_tempering_is_the_softmax_of_divided_logits():
    logits = torch.randn(20, CLASSES, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    for temperature in (0.3, 1.0, 4.0):
        got = calibration.temper(logits.softmax(dim=1).numpy(), temperature)
        np.testing.assert_allclose(got, (logits / temperature).softmax(dim=1).numpy(), rtol=1e-9)
        assert (got.argmax(axis=1) == logits.argmax(dim=1).numpy()).all()
    assert calibration.temper(np.array([[1.0, 0.0]]), 0.1)[0] == pytest.approx([1, 0], abs=1e-100)
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="above 0"):
            calibration.temper(np.ones((1, 2)) / 2, wrong)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    run = make_run(temperature)
    probabilities, labels = run.arrays["probabilities"], run.tables["predictions"]["label"].to_numpy()
    found = calibration.best_temperature(probabilities, labels)
    assert found == pytest.approx(temperature, rel=0.08)
    grid = np.arange(0.3, 3, 0.01)
    losses = [calibration.mean_loss(calibration.temper(probabilities, one), labels) for one in grid]
    assert found == pytest.approx(grid[np.argmin(losses)], abs=0.011)


def test_no_clip_has_a_say_in_its_own_temperature():
    run = make_run(seeds=(0, 3))
    table = calibration.tempered(run)
    assert table.index.tolist() == [(seed, fold) for seed in (0, 3) for fold in (1, 2, 3, 4)]
    assert (table["tempered"] < table["nll"]).all()
    clips = run.tables["predictions"].reset_index(drop=True)
    own = (clips["seed"] == 3) & (clips["fold"] == 2)
    clips.loc[own, "label"] = (clips.loc[own, "label"] + 1) % CLASSES
    changed = calibration.tempered(Result({}, {"predictions": clips}, run.arrays))
    same = (changed["temperature"] == table["temperature"]).to_dict()
    assert same == {(seed, fold): seed == 0 or fold == 2 for seed, fold in same}


def test_the_loss_before_is_that_of_the_folds():
    run = load_result("esc10-short")
    table = calibration.tempered(run).droplevel("seed")
    np.testing.assert_allclose(table["nll"], views.by_fold(run)["nll"], rtol=1e-6)


def test_one_fold_alone_is_refused():
    with pytest.raises(InputError, match="seed 0 has one fold only"):
        calibration.tempered(make_run(folds=1, clips=20))
