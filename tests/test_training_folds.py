"""Cross-validation: the last epoch is reported, and a test fold is seen once."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import PREPARATION, RECIPE, TinyNet, tones, weights_of

from envnet_tutorial import training

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_last_epoch_is_reported_and_the_test_fold_is_seen_once(monkeypatch):
    clips, recipe = tones(), replace(RECIPE, epochs=4)
    tested = []
    evaluate = training.folds.evaluate
    monkeypatch.setattr(
        training.folds, "evaluate", lambda model, test, *a, **o: tested.append(test) or evaluate(model, test, *a, **o)
    )
    trained_on = []
    fit = training.folds.fit
    monkeypatch.setattr(
        training.folds, "fit", lambda model, train, *a, **o: trained_on.append(train) or fit(model, train, *a, **o)
    )
    results = list(training.k_fold(TinyNet, clips, recipe, seed=2, progress=False))
    assert [result.fold for result in results] == [1, 2]
    for result, train, test in zip(results, trained_on, tested, strict=True):
        assert set(test.folds) == {result.fold} and result.fold not in train.folds
        last = training.evaluate(result.model, test, PREPARATION)
        np.testing.assert_array_equal(result.evaluation.probabilities, last.probabilities)
    assert len(tested) == 2  # choosing the best epoch needs a test after each


def test_the_accuracy_of_the_best_epoch_on_the_test_fold_is_not_what_is_reported():
    """On labels that mean nothing, the best epoch promises more than the last, which is what `k_fold` reports."""
    best, last = [], []
    for seed in (0, 1):
        clips = replace(tones(num_clips=90), labels=np.random.default_rng(seed).integers(0, 3, 90))
        recipe = replace(RECIPE, epochs=8, schedule="steps", milestones=(), learning_rate=0.1)
        for fold in (1, 2):
            curve, test = [], clips.split(fold)[1]
            note = lambda step, model: step % 6 == 0 and curve.append(training.evaluate(model, test, PREPARATION))  # noqa: B023, E731
            (result,) = training.k_fold(TinyNet, clips, recipe, folds=[fold], progress=False, callbacks=[note])
            np.testing.assert_array_equal(result.evaluation.probabilities, curve[-1].probabilities)
            best.append(max(evaluation.accuracy for evaluation in curve))
            last.append(result.evaluation.accuracy)
    assert np.mean(best) > np.mean(last)


def test_a_first_network_follows_from_its_seed():
    first, again, other = (weights_of(training.build_model(TinyNet, 3, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
