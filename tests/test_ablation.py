"""The ablation trains what is missing, keeps every row at once, and changes one ingredient at a time."""

import sys
from dataclasses import fields

import pandas as pd
import pytest
from tiny import TinyNet, tones

from benchmarks import ablation
from envnet_tutorial import training


def test_each_variant_leaves_out_one_ingredient():
    rate = {"schedule", "learning_rate", "warmup"}  # a schedule comes with its rate
    for name, recipe in ablation.VARIANTS.items():
        changed = {
            field.name for field in fields(recipe) if getattr(recipe, field.name) != getattr(training.FAST, field.name)
        }
        assert changed == set() if name == "fast" else len(changed) == 1 or changed == rate


def test_a_row_is_measured_by_training_and_testing(monkeypatch):
    monkeypatch.setattr(ablation, "PooledNormEnvNet", TinyNet)
    row = ablation.measure("20 epochs", tones(num_clips=24), fold=1, seed=0, progress=False)
    assert list(row) == ablation.COLUMNS
    assert row["clips"] == 12 and 0 <= row["accuracy"] <= 1 and row["nll"] > 0


def test_stopped_and_called_again_it_makes_only_what_is_missing(monkeypatch, tmp_path):
    out, calls = tmp_path / "table.csv", []

    def measure(variant, clips, fold, seed, progress):
        if len(calls) == 3:
            raise training.TrainingStopped("enough")
        calls.append((variant, fold, seed))
        return dict(zip(ablation.COLUMNS, [variant, fold, seed, 12, 0.5, 1.0, 1.0, 1.0], strict=True))

    monkeypatch.setattr(ablation, "measure", measure)
    monkeypatch.setattr(ablation, "load_clips", lambda *_, **__: tones())
    monkeypatch.setattr(sys, "argv", ["ablation", "data", "--folds", "1,2", "--out", str(out), "--quiet"])
    assert ablation.main() == 2
    assert len(pd.read_csv(out)) == 3
    first = calls.copy()
    calls.clear()
    monkeypatch.setattr(ablation, "missing", lambda *arguments, missing=ablation.missing: missing(*arguments)[:2])
    assert ablation.main() == 0
    assert len(pd.read_csv(out)) == 5 and not set(first) & set(calls)


@pytest.mark.parametrize("seeds", [1, 2])
def test_everything_is_missing_from_an_empty_table(seeds):
    table = pd.DataFrame(columns=ablation.COLUMNS)
    wanted = ablation.missing(table, [1, 2], seeds)
    assert len(set(wanted)) == len(wanted) == 2 * seeds * len(ablation.VARIANTS)
