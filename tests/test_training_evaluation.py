"""Testing on ten windows, against a slow reference and against the bugs of public ports."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import PREPARATION, RATE, RECIPE, TinyNet, tones, weights_of
from torch import nn

from envnet_tutorial import training
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.modes import evaluating
from envnet_tutorial.settings import InputFormat

pytestmark = pytest.mark.usefixtures("one_thread")


class Listener(nn.Module):
    """Scores that say how loud each window is, in a network without weights."""

    input_format = InputFormat(sample_rate=RATE, num_samples=600)
    num_classes = 3

    def forward(self, waveform):
        loud = waveform.square().mean(dim=(1, 2)) * 8
        return torch.stack([loud, 1.0 - loud, 0.2 * torch.ones_like(loud)], dim=1)


def loud_and_silent(length=2_000):
    """Two clips with sound in one place, one loud throughout, one silent."""
    samples = np.zeros((4, length), dtype=np.int16)
    random = np.random.default_rng(0)
    samples[0, 500:900] = random.integers(-30_000, 30_000, 400)
    samples[1, 1_000:1_100] = random.integers(-9_000, 9_000, 100)
    samples[2] = random.integers(-30_000, 30_000, length)
    names = np.array(list("abcd"))
    return ClipArray(samples, np.array([0, 1, 0, 1]), np.ones(4, int), names, names, ("x", "y", "z"), RATE)


def slow_scores(samples, trim, ratio=1.0):
    """Ten windows, one clip at a time."""
    clips = []
    for clip in samples.astype(np.float64) / 32_768:
        sounding = np.flatnonzero(clip)
        if trim and sounding.size:
            clip = clip[sounding[0] : sounding[-1] + 1]
        padded = np.pad(clip, 300)
        stride = (len(padded) - 600) // 9
        windows = np.stack([padded[i * stride : i * stride + 600] for i in range(10)])
        level = 10 * np.log10(np.maximum((windows**2).mean(1), 1e-6))
        windows = windows * 10 ** ((-20 + (level + 20) / ratio - level) / 20)[:, None]
        loud = (windows**2).mean(1) * 8
        clips.append(np.stack([loud, 1 - loud, 0.2 * np.ones(10)], axis=1))
    return np.stack(clips)  # (clip, window, class)


def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)


@pytest.mark.parametrize("trim", [True, False])
def test_evaluation_agrees_with_a_slow_one_and_not_with_its_buggy_versions(trim):
    clips = loud_and_silent()
    found = training.evaluate(Listener(), clips, preparation=training.Preparation(trim), batch_size=3)
    scores = slow_scores(clips.samples, trim)
    np.testing.assert_allclose(found.probabilities, softmax(scores).mean(1), atol=1e-5)
    logits_averaged = softmax(scores.mean(1))
    loud_enough = (scores[..., 0] > 1e-3)[..., None]
    quiet_dropped = (softmax(scores) * loud_enough).sum(1) / np.maximum(loud_enough.sum(1), 1)
    for buggy in (logits_averaged, quiet_dropped):
        assert np.abs(found.probabilities - buggy).max() > 0.01


@pytest.mark.parametrize("ratio", [1.5, 2.5, np.inf])
def test_evaluation_compresses_levels_as_training_did(ratio):
    clips = loud_and_silent()
    found = training.evaluate(Listener(), clips, training.Preparation(compression_ratio=ratio))
    expected = softmax(slow_scores(clips.samples, True, ratio)).mean(1)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    assert np.abs(training.evaluate(Listener(), clips, PREPARATION).probabilities - expected).max() > 0.01


def test_a_silent_clip_stays_in_the_denominator():
    clips = loud_and_silent()
    found = training.evaluate(Listener(), clips, PREPARATION)
    assert found.probabilities.shape == (4, 3)
    assert found.confusion.sum() == 4
    np.testing.assert_allclose(found.probabilities[3], softmax(np.array([0, 1, 0.2])), atol=1e-6)
    assert found.accuracy == (found.predictions == clips.labels).sum() / 4


def test_rows_of_the_confusion_matrix_are_the_truth():
    labels, predictions = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 1, 1, 1, 0, 2])
    truth = [[1, 2, 0], [0, 1, 0], [1, 0, 1]]
    found = training.confusion_matrix(labels, predictions, 3)
    assert found.tolist() == truth
    assert found.sum(axis=1).tolist() == np.bincount(labels).tolist()
    transposed = training.confusion_matrix(predictions, labels, 3)  # the bug
    assert transposed.tolist() != truth


def test_evaluation_leaves_the_network_in_its_mode_and_unchanged():
    model = training.build_model(TinyNet, 3, seed=0).train()
    before = weights_of(model)
    first = training.evaluate(model, tones(), PREPARATION).probabilities
    assert model.training and torch.equal(weights_of(model), before)
    np.testing.assert_array_equal(first, training.evaluate(model, tones(), PREPARATION).probabilities)


def test_a_frozen_batch_norm_is_frozen_again_after_an_error():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).train()
    model[1].eval()
    with pytest.raises(ZeroDivisionError), evaluating(model):
        assert not (model.training or model[0].training)
        raise ZeroDivisionError
    assert model.training and model[0].training and not model[1].training


def test_a_network_that_was_tested_can_be_trained():
    clips, model = tones(), TinyNet(3)
    training.evaluate(model, clips, PREPARATION)
    history = training.fit(model, clips, replace(RECIPE, epochs=1), progress=False)
    assert np.isfinite(history.epochs.loss[0])


@pytest.mark.parametrize(
    ("shape", "windows", "complaint"),
    [((16_000,), 10, "shape"), ((1, 0), 10, "at least 1"), ((0, 99), 10, "at least 1"), ((1, 99), 0, "num_windows")],
)
def test_what_is_no_clip_is_refused(shape, windows, complaint):
    with pytest.raises(InputError, match=complaint):
        training.predict(TinyNet(3), np.zeros(shape, np.float32), PREPARATION, num_windows=windows)


@pytest.mark.parametrize("num_classes", [1, 2, 50])
def test_clips_of_another_number_of_classes_are_refused(num_classes):
    """One class is the treacherous number: its scores would spread over all the others, and nothing would complain."""
    model = training.build_model(TinyNet, num_classes, seed=0)
    for use in (training.evaluate, training.fit):
        with pytest.raises(InputError, match=f"tells {num_classes} classes apart, and the clips are of 3"):
            use(model, tones(), PREPARATION if use is training.evaluate else RECIPE)
