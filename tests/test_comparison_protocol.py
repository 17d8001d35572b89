"""Which trainings may stand in one table: same data, recipe, seeds and folds, and nothing twice."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from envnet_tutorial import training
from envnet_tutorial.comparison import Protocol, held
from envnet_tutorial.comparison import protocol as room
from envnet_tutorial.errors import InputError
from envnet_tutorial.results import Result, load_result

FAST = Protocol("tones", training.FAST)


def result(pairs, *, recipe=training.FAST, data="tones", network="tiny", right=True):
    """Return a run of so many seeds and folds, each with two clips of two classes."""
    rows = [
        {"seed": seed, "fold": fold, "name": f"{fold}-{clip}-A-{clip}.wav", "label": clip, "prediction": clip * right}
        for seed, fold in pairs
        for clip in (0, 1)
    ]
    clips = pd.DataFrame(rows)
    history = clips[["seed", "fold"]].assign(seconds=30.0)
    settings = {"kind": "run", "data": data, "network": network, "recipe": asdict(recipe), "classes": ["a", "b"]}
    origin = {"commands": ["train"], "provenance": [{"command": "train"}]}
    arrays = {"probabilities": np.full((len(clips), 2), 0.5)}
    return Result(settings | origin, {"history": history, "predictions": clips}, arrays)


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Let nothing come with the package but what a test puts there."""
    monkeypatch.setattr(room, "SHIPPED", tmp_path / "shipped")
    return tmp_path / "shipped"


def pairs_of(found):
    clips = found.tables["predictions"]
    return sorted(set(clips[["seed", "fold"]].itertuples(index=False, name=None)))


def test_the_number_format_does_not_matter_and_all_else_does(shipped):
    bfloat16 = replace(training.FAST, precision="bfloat16")
    assert FAST.admits(result([(0, 1)], recipe=bfloat16).settings, "tiny")
    merged = result([(0, 1)]).settings
    merged["recipe"]["precision"] = "float32 and bfloat16"
    assert FAST.admits(merged, "tiny")
    assert not FAST.admits(result([(0, 1)], recipe=training.SHORT).settings, "tiny")
    assert not FAST.admits(result([(0, 1)], data="other").settings, "tiny")
    assert not FAST.admits(result([(0, 1)]).settings, "envnet")


def test_one_set_under_two_names():
    assert room.same_data("esc50", "ESC-50") and not room.same_data("ESC-10", "ESC-50")


def test_nothing_is_nothing(shipped):
    assert held("tiny", FAST) is None


def test_the_largest_part_with_like_folds_is_used(shipped):
    result([(0, 1), (0, 2), (1, 2), (1, 1), (2, 1)]).save(shipped / "one")
    assert pairs_of(held("tiny", FAST)) == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert held("tiny", FAST).settings["seeds"] == [0, 1]
    asked = replace(FAST, seeds=(2, 1), folds=(1,))
    assert pairs_of(held("tiny", asked)) == [(1, 1), (2, 1)]
    assert held("tiny", replace(FAST, seeds=(7,))) is None
    result([(seed, fold) for seed in (0, 1, 2) for fold in range(1, 6 - seed // 2)]).save(shipped / "more")
    assert pairs_of(held("tiny", FAST)) == [(seed, fold) for seed in (0, 1, 2) for fold in (1, 2, 3, 4)]


def test_several_results_are_joined_and_none_counts_twice(shipped):
    result([(0, 1), (0, 2)]).save(shipped / "one")
    result([(0, 2), (1, 1), (1, 2)]).save(shipped / "two")
    result([(5, 1)], recipe=training.SHORT).save(shipped / "other")
    found = held("tiny", FAST)
    assert pairs_of(found) == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert len(found.tables["predictions"]) == len(found.arrays["probabilities"]) == 8
    assert found.settings["provenance"] == [{"command": "train"}]


def test_what_comes_with_the_package_is_found():
    found = held("envnet-pooled-norm", Protocol("esc10", training.FAST))
    known = load_result("esc10-fast")
    assert found.settings["seeds"] == known.settings["seeds"] and found.settings["folds"] == [1, 2, 3, 4, 5]
    assert len(found.tables["predictions"]) == len(known.tables["predictions"])


class Run:
    """A run folder that holds one training and is read like one."""

    def __init__(self, path):
        self.path = path

    def finished_folds(self):
        return [] if "fold3" in self.path.name else [1]

    def result(self):
        recipe = training.SHORT if "seed9" in self.path.name else training.FAST
        return result([(int(self.path.name[-7]), int(self.path.name[-1]))], recipe=recipe, right=False)


def test_own_trainings_come_first_and_unfinished_ones_are_passed_over(shipped, tmp_path, monkeypatch):
    monkeypatch.setattr(room.RunFolder, "open", Run)
    result([(0, 1), (0, 2)]).save(shipped / "one")
    for fold in (1, 3):
        path = room.training_folder(tmp_path, "tiny", "fast", 0, fold)
        path.mkdir()
        (path / "settings.json").touch()
    room.training_folder(tmp_path, "tiny", "fast", 1, 1).mkdir()  # of a process that was killed at once
    clips = held("tiny", FAST, tmp_path).tables["predictions"]
    assert clips[clips["fold"] == 1]["prediction"].tolist() == [0, 0]
    assert clips[clips["fold"] == 2]["prediction"].tolist() == [0, 1]


def test_a_training_of_another_recipe_is_refused(shipped, tmp_path, monkeypatch):
    monkeypatch.setattr(room.RunFolder, "open", Run)
    path = room.training_folder(tmp_path, "tiny", "fast", 9, 1)
    path.mkdir()
    (path / "settings.json").touch()
    with pytest.raises(InputError, match="seed9-fold1 was trained on other data or with another recipe"):
        held("tiny", FAST, tmp_path)
