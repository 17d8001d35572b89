"""The ablation trains what is missing, keeps every row at once, and changes one ingredient at a time."""

import json
import sys
from dataclasses import fields

import pytest
from tiny import TinyNet, tones

from benchmarks import ablation
from envnet_tutorial import training
from envnet_tutorial.recordings import Ablation


def test_each_variant_leaves_out_one_ingredient():
    together = [{"schedule", "learning_rate", "warmup"}, {"max_scale", "max_gain_db"}]  # one has no sense alone
    for name, recipe in ablation.VARIANTS.items():
        changed = {
            field.name for field in fields(recipe) if getattr(recipe, field.name) != getattr(training.FAST, field.name)
        }
        assert changed == set() if name == "fast" else len(changed) == 1 or changed in together


def test_a_row_is_measured_by_training_and_testing(monkeypatch):
    monkeypatch.setattr(ablation, "PooledNormEnvNet", TinyNet)
    row = ablation.measure("20 epochs", tones(num_clips=24), fold=1, seed=0, progress=False)
    assert list(row) == ablation.COLUMNS
    assert row["clips"] == 12 and 0 <= row["correct"] <= 12 and row["nll"] > 0


@pytest.fixture
def calls(monkeypatch):
    """Let each training be written down instead of run."""
    made = []

    def measure(variant, clips, fold, seed, progress):
        if len(made) == 3:
            raise training.TrainingStopped("enough")
        made.append((variant, fold, seed))
        return dict(zip(ablation.COLUMNS, [variant, fold, seed, 12, 3 * fold, 1.0, 1.0, 1.0], strict=True))

    monkeypatch.setattr(ablation, "measure", measure)
    monkeypatch.setattr(ablation, "load_clips", lambda *_, **__: tones())
    return made


def call(monkeypatch, out, *arguments):
    monkeypatch.setattr(sys, "argv", ["ablation", "data", "--folds", "1,2", "--out", str(out), "--quiet", *arguments])
    return ablation.main()


def test_stopped_and_called_again_it_makes_only_what_is_missing(monkeypatch, tmp_path, calls, capsys):
    done = set()
    for rest in range(2 * len(ablation.VARIANTS), 0, -3):
        assert call(monkeypatch, tmp_path / "out") == (2 if rest > 3 else 0)
        assert len(calls) == min(rest, 3) and not done & set(calls)
        done |= set(calls)
        calls.clear()
    assert done == {(variant, fold, 0) for variant in ablation.VARIANTS for fold in (1, 2)}
    rows = ablation.read_rows(tmp_path / "out")
    assert rows["variant"].tolist() == [variant for variant in ablation.VARIANTS for _ in range(2)]
    summary = Ablation({}, rows).summary
    assert (summary["accuracy"] == 9 / 24).all() and (summary["trainings"] == 2).all()


def test_the_rows_become_a_recording(monkeypatch, tmp_path, calls):
    monkeypatch.setattr(ablation, "VARIANTS", {"fast": training.FAST})
    monkeypatch.setattr(ablation, "FOLDER", tmp_path)
    assert call(monkeypatch, tmp_path / "out", "--name", "recorded", "--data-name", "tones") == 0
    settings = json.loads((tmp_path / "recorded" / "settings.json").read_text("utf-8"))
    assert settings["data"] == "tones" and settings["recipes"]["fast"]["epochs"] == training.FAST.epochs
    assert (tmp_path / "recorded" / "ablation.csv").read_text("utf-8").count("\n") == 3
    with pytest.raises(SystemExit):
        call(monkeypatch, tmp_path / "out", "--name", "recorded")
