"""Networks that come with the package: each by its fold, what they are worth, and when a guess is sure enough."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch

from envnet_tutorial import training
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.models.compact import CompactPooledNorm
from envnet_tutorial.pretrained import OUT_OF_REACH, WEIGHTS, Pretrained, load_pretrained, lowest_threshold, naming_rule
from envnet_tutorial.results import Result, load_result


def tiny_clips():
    """Return what two networks said of four clips each."""
    return pd.DataFrame(
        {
            "fold": [1, 1, 1, 1, 2, 2, 2, 2],
            "name": [f"1-{source}-A-0" for source in (10, 10, 30, 30, 20, 20, 40, 40)],
            "label": [0, 1, 2, 0, 0, 1, 2, 1],
            "prediction": [0, 1, 2, 1, 0, 1, 2, 1],
            "window_prediction": [0, 1, 0, 1, 0, 1, 1, 1],
            "window_probability": [0.9, 0.8, 0.3, 0.2, 0.7, 0.6, 0.5, 0.4],
        }
    )


def tiny_pretrained(network="compact-pooled-norm"):
    """Return two untrained networks of three classes with their tests."""
    arrays = {}
    for fold in (1, 2):
        torch.manual_seed(fold)
        state = NETWORKS[network](3).state_dict()
        arrays |= {f"weights/{fold}/{key}": value.numpy().copy() for key, value in state.items()}
    settings = {
        "kind": "weights",
        "data": "tones",
        "network": network,
        "recipe": {"epochs": 7, "trim_silence": True, "compression_ratio": 2.5},
        "seeds": [4],
        "folds": [1, 2],
        "classes": ["a", "b", "c"],
        "licence": "All yours.",
    }
    return Pretrained(Result(settings, {"clips": tiny_clips()}, arrays))


@pytest.fixture(scope="module")
def tiny():
    return tiny_pretrained()


def test_each_fold_has_its_own_network(tiny):
    for fold in (1, 2):
        network = tiny.network(fold)
        torch.manual_seed(fold)
        torch.testing.assert_close(network.state_dict(), CompactPooledNorm(3).state_dict())
        assert not network.training
    with pytest.raises(InputError, match=r"no pretrained network for fold 3; there are folds \(1, 2\)"):
        tiny.network(3)


def test_tests_are_counted_by_fold(tiny):
    tests = tiny.tests()
    assert tests["clips"].tolist() == [4, 4]
    assert tests["correct"].tolist() == [3, 4]
    assert tests["correct_window"].tolist() == [2, 3]


def test_the_note_says_what_the_answers_are_worth(tiny):
    assert "names 3 of 4 clips (75.0%) of fold 1 rightly, and has heard none of them" in tiny.note([1])
    assert "Mean of 2 networks" in tiny.note([1, 2]) and "7 of 8 clips (87.5%)" in tiny.note([1, 2])
    assert "trained on tones for 7 epochs, seed 4. All yours." in tiny.origin()
    assert tiny.preparation == training.Preparation(trim_silence=True, compression_ratio=2.5)


def test_the_lowest_threshold_against_all_that_there_are():
    random = np.random.default_rng(3)
    for trust in (0.5, 0.8, 0.9):
        sure = random.permutation(np.linspace(0.05, 1, 60))
        right = random.random(60) < sure
        enough = [limit for limit in sure if right[sure >= limit].mean() >= trust]
        assert lowest_threshold(sure, right, trust) == (min(enough) if enough else OUT_OF_REACH)
    assert lowest_threshold(np.array([0.4, 1.0]), np.array([False, False]), 0.8) == OUT_OF_REACH


def test_clips_that_are_as_sure_as_each_other_are_named_together_or_not_at_all():
    assert lowest_threshold(np.array([0.9, 0.9, 0.5]), np.array([True, False, False]), 0.8) == OUT_OF_REACH
    assert lowest_threshold(np.array([0.9, 0.9, 0.5]), np.array([True, True, False]), 0.8) == 0.9


def test_the_rule_is_tested_on_recordings_that_did_not_choose_it():
    rule = naming_rule(tiny_clips(), trust=0.8, parts=2)
    # Recordings 10 and 30 alone: 0.9 and 0.8 are right, 0.3 and 0.2 wrong: threshold 0.8. Of the rest none reaches it.
    # Recordings 20 and 40 alone: 0.7 and 0.6 are right, 0.5 wrong, 0.4 right: threshold 0.6. 0.9 and 0.8 reach it.
    assert (rule.clips, rule.named, rule.right) == (8, 2, 2)
    # All: right are 0.9, 0.8, 0.7, 0.6, then 0.5 wrong (4 of 5), 0.4 right (5 of 6), 0.3 wrong (5 of 7).
    assert rule.threshold == 0.4


@pytest.fixture(scope="module", params=WEIGHTS)
def shipped(request):
    return load_pretrained(request.param)


def test_unless_asked_the_network_that_learned_its_front_end_is_loaded():
    assert load_pretrained().result.settings["network"] == "compact-pooled-norm"
    with pytest.raises(InputError, match="no trained 'envnet' comes with the package; these do: compact-pooled"):
        load_pretrained("envnet")


def test_the_kinds_have_been_tested_on_the_same_clips():
    tables = [load_pretrained(kind).result.tables["clips"] for kind in WEIGHTS]
    assert all(table["name"].tolist() == tables[0]["name"].tolist() for table in tables)


def test_the_shipped_networks_are_compact(shipped):
    assert len(shipped.classes) == 50 and shipped.result.settings["network"] in WEIGHTS
    for fold in shipped.folds:
        weights = sum(parameter.numel() for parameter in shipped.network(fold).parameters())
        assert weights <= 150_000
    tests = shipped.tests()
    assert tests["clips"].tolist() == [400] * len(shipped.folds) and tests.index.tolist() == list(shipped.folds)


def test_rounding_moved_few_answers(shipped):
    """The run that made the networks was tested before they were rounded."""
    run = load_result(WEIGHTS[shipped.result.settings["network"]].removesuffix("-weights")).tables["predictions"]
    clips = shipped.result.tables["clips"]
    both = clips.merge(run, on=["fold", "name", "label"], suffixes=("", "_before"))
    assert len(both) == len(clips) == 400 * len(shipped.folds)
    assert (both["prediction"] != both["prediction_before"]).mean() < 0.01


def test_each_shipped_network_is_another(shipped):
    for one, other in itertools.pairwise(shipped.folds):
        weights = [shipped.network(fold).classifier.fc11.weight for fold in (one, other)]
        assert not torch.equal(*weights)
