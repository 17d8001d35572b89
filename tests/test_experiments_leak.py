"""The leak is measured on the same clips, folds and seeds, and what is trained is kept."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from tiny import RECIPE, TinyNet, tones

from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result, views
from experiments import leak
from experiments.program import call


def paired(num_clips=36):
    """Give each two clips of a class and fold one recording."""
    clips = tones(num_clips=num_clips)
    sources = [
        f"{label}-{fold}-{i // 12}" for i, (label, fold) in enumerate(zip(clips.labels, clips.folds, strict=True))
    ]
    return replace(clips, sources=np.array(sources))


def test_a_dealt_fold_has_as_many_clips_of_each_class_and_other_ones():
    clips = paired()
    shuffled = leak.dealt(clips, seed=1)
    for fold in (1, 2):
        before, after = (np.bincount(found.labels[found.folds == fold]) for found in (clips, shuffled))
        assert before.tolist() == after.tolist()
    assert (shuffled.folds != clips.folds).any() and (shuffled.names == clips.names).all()
    assert (leak.dealt(clips, seed=1).folds == shuffled.folds).all()
    assert (leak.dealt(clips, seed=2).folds != shuffled.folds).any()
    shuffled.split(1)  # is not refused


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(NETWORKS, leak.NETWORK, TinyNet)
    monkeypatch.setattr(leak, "load_clips", lambda *arguments, **options: paired())
    monkeypatch.setattr(leak, "FAST", replace(RECIPE, epochs=2))


def test_known_clips_are_those_with_a_fragment_on_the_other_side(tiny):
    clips, rows = paired(), {}
    classify = partial(leak.envnet, recipe=RECIPE, device=torch.device("cpu"), progress=False)
    for split in leak.SPLITS:
        (rows[split],) = leak.measure(split, clips, 1, 0, classify).tables["trainings"].to_dict("records")
    shuffled = leak.dealt(clips, 0)
    held_out = [clips.sources[i] for i in range(len(clips)) if shuffled.folds[i] == 1]
    training = {clips.sources[i] for i in range(len(clips)) if shuffled.folds[i] != 1}
    assert rows["by fold"]["known"] == rows["by fold"]["known_correct"] == 0
    assert rows["at random"]["known"] == sum(source in training for source in held_out) > 0
    assert rows["at random"]["known_correct"] <= min(rows["at random"]["known"], rows["at random"]["correct"])
    assert rows["by fold"]["clips"] == rows["at random"]["clips"] == 18


def test_the_nearest_clip_is_found_among_the_other_folds():
    clips = paired()
    right = leak.nearest(clips, 1, leak.mean_spectra(clips))
    assert right.shape == (18,) and right.all()  # tones of three frequencies
    at_odds = np.where(clips.folds == 1, clips.labels, clips.labels + 1)[:, None] % 3  # nearest is the class below
    assert not leak.nearest(clips, 1, at_odds.astype(float)).any()


def test_who_knows_the_recording_gains_from_a_dealt_split():
    clips, generator = paired(72), np.random.default_rng(0)
    places = {source: generator.standard_normal(3) for source in clips.sources}
    spectra = np.array([places[source] for source in clips.sources])  # nothing but the recording
    by_fold, dealt = (
        np.mean(
            [
                leak.measure(split, clips, fold, seed, lambda f, k, seed: leak.nearest(f, k, spectra))
                .tables["trainings"][["correct", "known_correct", "known"]]
                .iloc[0]
                for fold in (1, 2)
                for seed in range(5)
            ],
            axis=0,
        )
        for split in leak.SPLITS
    )
    assert dealt[0] > 1.3 * by_fold[0]
    assert dealt[1] == dealt[2] > 0


@pytest.mark.parametrize("classifier", ["envnet", "nearest"])
def test_stopped_and_called_again_it_makes_only_what_is_missing(classifier, tiny, tmp_path, monkeypatch, capsys):
    told = [
        "data",
        "--seeds",
        "2",
        "--epochs",
        "1",
        "--device",
        "cpu",
        "--quiet",
        "--trainings",
        str(tmp_path / "kept"),
    ]
    told += ["--classifier", classifier]
    assert call(lambda: leak.main([*told, "--out", str(tmp_path / "first")])) == 0
    first = Result.load(tmp_path / "first")
    table = first.tables["trainings"]
    assert table.groupby(["split", "seed", "fold"]).size().tolist() == [1] * 8
    summary = views.by_split(first)
    assert summary["accuracy"].tolist() == (table.groupby("split", sort=False)["correct"].sum() / 72).tolist()
    assert summary["known"].iloc[0] == 0 < summary["known"].iloc[1]
    monkeypatch.setattr(leak, "measure", lambda *arguments, **options: pytest.fail("it was kept"))
    assert call(lambda: leak.main([*told, "--out", str(tmp_path / "second")])) == 0
    assert Result.load(tmp_path / "second").tables["trainings"].equals(table)
    assert call(lambda: leak.main([*told, "--out", str(tmp_path / "second")])) == 2
    assert "exists" in capsys.readouterr().err


def test_epochs_out_of_range_are_refused(tiny, tmp_path, capsys):
    told = ["data", "--trainings", str(tmp_path / "kept"), "--out", str(tmp_path / "out"), "--epochs", "0", "--quiet"]
    assert call(lambda: leak.main(told)) == 2
    assert "epochs and batch_size must be at least 1; got 0" in capsys.readouterr().err
