"""The ablation changes one ingredient at a time, trains what is missing, and keeps every training at once."""

from dataclasses import asdict, fields

import pandas as pd
import pytest
import torch
from tiny import TinyNet, tones

from envnet_tutorial import training
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result, load_result, views
from envnet_tutorial.training import PRESETS, Recipe
from experiments import ablation
from experiments.program import call

COLUMNS = ["variant", "fold", "seed", "clips", "correct", "nll", "training_loss", "seconds"]


@pytest.mark.parametrize("base", PRESETS)
def test_each_variant_leaves_out_one_ingredient(base):
    together = [{"schedule", "learning_rate", "warmup"}, {"max_scale", "max_gain_db"}]  # one has no sense alone
    recipes = ablation.variants(PRESETS[base])
    assert next(iter(recipes)) == base and recipes.pop(base) == PRESETS[base]
    for recipe in recipes.values():
        changed = {
            field.name for field in fields(recipe) if getattr(recipe, field.name) != getattr(PRESETS[base], field.name)
        }
        assert len(changed) == 1 or changed <= together[0] or changed == together[1]


@pytest.mark.parametrize("name", ["esc10-ablation", "esc10-short-ablation"])
def test_the_code_still_makes_the_shipped_variants(name):
    settings = load_result(name).settings
    (command,) = settings["commands"]
    recorded = {
        variant: Recipe(**fields | {"milestones": tuple(fields["milestones"])})
        for variant, fields in settings["recipes"].items()
    }
    only = [variant for variant in recorded if variant != settings["base"]]
    assert ablation.variants(PRESETS[settings["base"]], only) == recorded
    assert all(variant in command for variant in only)


def test_a_variant_that_changes_nothing_is_refused():
    for name in ("60 epochs", "more cowbell"):
        with pytest.raises(InputError, match=f"no variant of fast is called '{name}'; there are .*20 epochs"):
            ablation.variants(training.FAST, [name])


def test_a_row_is_measured_by_training_and_testing(monkeypatch):
    monkeypatch.setitem(NETWORKS, ablation.NETWORK, TinyNet)
    recipe = ablation.variants(training.LESSON)["batch of 64"]
    cpu = torch.device("cpu")
    result = ablation.measure("batch of 64", recipe, tones(num_clips=24), 1, 0, device=cpu, progress=False)
    (row,) = result.tables["trainings"].to_dict("records")
    assert list(row) == COLUMNS
    assert row["clips"] == 12 and 0 <= row["correct"] <= 12 and row["nll"] > 0


@pytest.fixture
def calls(monkeypatch):
    """Let each training be written down instead of run; the fourth one fails."""
    made = []

    def measure(variant, recipe, clips, fold, seed, device, progress):
        if len(made) == 3:
            raise training.TrainingStopped("enough")
        made.append((variant, fold, seed))
        row = dict(zip(COLUMNS, [variant, fold, seed, 12, 3 * fold, 1.0, 1.0, 1.0], strict=True))
        return Result({}, {"trainings": pd.DataFrame([row])})

    monkeypatch.setattr(ablation, "measure", measure)
    monkeypatch.setattr(ablation, "load_clips", lambda *_, **__: tones())
    return made


def run(folder, *arguments):
    told = ["data/tones", "--trainings", str(folder / "kept"), "--out", str(folder / "result"), "--quiet"]
    return call(lambda: ablation.main([*told, *arguments]))


def test_stopped_and_called_again_it_makes_only_what_is_missing(tmp_path, calls, capsys):
    done, names = set(), [word for name in ("20 epochs", "silence kept") for word in ("--only", name)]
    for rest in range(2 * 3, 0, -3):
        assert run(tmp_path, "--folds", "1,2", *names) == (1 if rest > 3 else 0)
        assert len(calls) == min(rest, 3) and not done & set(calls)
        done |= set(calls)
        calls.clear()
    variants = ["fast", "20 epochs", "silence kept"]
    assert done == {(variant, fold, 0) for variant in variants for fold in (1, 2)}
    result = Result.load(tmp_path / "result")
    assert result.tables["trainings"]["variant"].tolist() == [variant for variant in variants for _ in range(2)]
    assert (views.by_variant(result)["accuracy"] == 9 / 24).all()
    recipes = {
        name: asdict(recipe) | {"milestones": [0.5, 0.75]}
        for name, recipe in ablation.variants(training.FAST, variants[1:]).items()
    }
    assert result.settings["recipes"] == recipes and result.settings["data"] == "tones"


def test_trainings_of_another_base_are_not_taken_for_ones_own(tmp_path, calls, capsys):
    assert run(tmp_path, "--only", "20 epochs") == 0
    calls.clear()
    (tmp_path / "result").rename(tmp_path / "first")
    assert run(tmp_path, "--only", "20 epochs", "--base", "short") == 2
    assert "20-epochs-fold-1-seed-0 was trained with other settings or data" in capsys.readouterr().err


def test_folds_and_seeds_that_are_not_there_are_refused_before_anything_is_trained(tmp_path, calls, capsys):
    for folds, sentence in {"9": "no clip is in fold 9", "one": "--folds takes numbers"}.items():
        assert run(tmp_path, "--folds", folds) == 2
        assert sentence in capsys.readouterr().err
    for seeds, sentence in {"0": "must be 1 or more; got 0", "few": "invalid int value: 'few'"}.items():
        with pytest.raises(SystemExit):
            run(tmp_path, "--seeds", seeds)
        assert sentence in capsys.readouterr().err
    assert not calls and not (tmp_path / "kept").exists()
