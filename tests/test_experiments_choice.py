"""The choice of a recipe: no fold that is reported has a say in it, and each training serves two choices."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import TinyNet, tones

from envnet_tutorial import training
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result, views
from experiments import choice
from experiments.program import call

COLUMNS = ["variant", "seed", "reported", "validation", "clips", "correct", "nll", "training_loss", "seconds"]
PAIRS = list(itertools.combinations(range(1, 6), 2))


def five_folds():
    clips = tones(num_clips=40)
    return replace(clips, folds=np.arange(40) % 5 + 1, sources=np.arange(40))


def test_both_folds_are_held_out_and_each_is_tested_once(monkeypatch):
    monkeypatch.setitem(NETWORKS, choice.NETWORK, TinyNet)
    clips, learned, fit = five_folds(), [], training.fit
    monkeypatch.setattr(
        training, "fit", lambda model, train, *rest, **more: learned.append(train) or fit(model, train, *rest, **more)
    )
    recipe = replace(training.LESSON, epochs=1)
    result = choice.measure("lesson", recipe, clips, (2, 4), 0, device=torch.device("cpu"), progress=False)
    rows = result.tables["trainings"]
    assert sorted(set(learned[0].folds.tolist())) == [1, 3, 5] and len(learned) == 1
    assert list(rows) == COLUMNS and rows[["reported", "validation"]].to_numpy().tolist() == [[4, 2], [2, 4]]
    assert (rows["clips"] == 8).all() and rows["correct"].between(0, 8).all() and (rows["nll"] > 0).all()


@pytest.fixture
def made(monkeypatch):
    """Let each training be written down instead of run: "between-class" is better wherever fold 1 is tested."""
    trainings = []

    def measure(variant, recipe, clips, pair, seed, device, progress):
        trainings.append((variant, pair, seed, recipe.precision))
        rows = []
        for validation, reported in (pair, pair[::-1]):
            correct = 5 + (variant == "between-class") * (9 if validation == 1 else -1)
            rows.append([variant, seed, reported, validation, 16, correct, 1.0, 1.0, 1.0])
        return Result({}, {"trainings": pd.DataFrame(rows, columns=COLUMNS)})

    monkeypatch.setattr(choice, "measure", measure)
    monkeypatch.setattr(choice, "load_clips", lambda *_, **__: five_folds())
    return trainings


def test_a_fold_has_no_say_in_its_own_recipe(made, tmp_path, capsys):
    told = ["tones", "--trainings", str(tmp_path / "kept"), "--quiet", "--only", "between-class", "--seeds", "2"]
    for number in range(2):  # the second finds everything kept
        out = tmp_path / f"result{number}"
        assert call(lambda out=out: choice.main([*told, "--precision", "bfloat16", "--out", str(out)])) == 0
    expected = itertools.product(("fast", "between-class"), range(2), PAIRS)
    assert made == [(variant, pair, seed, "bfloat16") for variant, seed, pair in expected]
    result = Result.load(out)
    assert len(result.tables["trainings"]) == 2 * 2 * 20
    table = views.by_reported_fold(result)
    assert table["chosen"].tolist() == ["fast", *4 * ["between-class"]]
    assert table.loc[1].tolist()[:2] == [40, 32] and table.loc[2].tolist()[:2] == [40, 2 * (14 + 3 * 4)]
    assert "chosen" in capsys.readouterr().out


def test_equal_counts_are_settled_by_the_loss():
    row = dict.fromkeys(COLUMNS, 1) | {"reported": 1, "validation": 2, "correct": 5}
    rows = [row | {"variant": "first", "nll": 0.9}, row | {"variant": "second", "nll": 0.8}]
    rows += [row | {"variant": "third", "nll": 0.1, "correct": 4}]
    assert views.by_reported_fold(Result({}, {"trainings": pd.DataFrame(rows)})).loc[1, "chosen"] == "second"
