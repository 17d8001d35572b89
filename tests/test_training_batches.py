"""What a step sees: crops before mixing, labels by ratio, levels last, every clip once."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import RECIPE, TinyNet, tones

from envnet_tutorial import augment, training
from envnet_tutorial.training import batches

pytestmark = pytest.mark.usefixtures("one_thread")


def device_clips(clips):
    return batches.DeviceClips.load(clips, torch.device("cpu"))


def test_an_epoch_shows_every_clip_once():
    clips = device_clips(tones(num_clips=21))
    rows = list(batches.epoch_rows(clips, RECIPE, torch.Generator().manual_seed(0)))
    assert [len(batch[0]) for batch in rows] == [8, 8, 5]
    assert sorted(torch.cat([batch[0] for batch in rows]).tolist()) == list(range(21))


class Mixture:
    """Records what `augment.mix` was given while a batch is drawn."""

    def __init__(self):
        self.lengths = []

    def __call__(self, first, second, ratio, sample_rate):
        self.lengths.append(first.shape[1])
        self.ratio = ratio
        return augment_mix(first, second, ratio, sample_rate)


augment_mix = augment.mix


def test_clips_are_cropped_before_they_are_mixed_and_labels_follow_the_ratio(monkeypatch):
    clips, recipe = device_clips(tones()), replace(RECIPE, mix="bc", max_scale=1.25, max_gain_db=6)
    monkeypatch.setattr(augment, "mix", mixture := Mixture())
    generator = torch.Generator().manual_seed(0)
    for first, second in batches.epoch_rows(clips, recipe, generator):
        waveforms, targets = batches.draw_batch(clips, (first, second), recipe, TinyNet.input_format, generator)
        assert waveforms.shape == (8, 1, 2_400)
        expected = torch.zeros(8, 3)
        expected[torch.arange(8), clips.labels[first]] = mixture.ratio
        expected[torch.arange(8), clips.labels[second]] = 1 - mixture.ratio
        torch.testing.assert_close(targets, expected)
    assert mixture.lengths == [2_400] * 5  # mixing before cropping would see 8,000


@pytest.mark.parametrize("mix", ["none", "bc"])
def test_compression_is_the_last_that_happens_to_a_batch(mix):
    clips, recipe = device_clips(tones()), replace(RECIPE, mix=mix, max_gain_db=6, compression_ratio=np.inf)
    generator = torch.Generator().manual_seed(0)
    rows = next(iter(batches.epoch_rows(clips, recipe, generator)))
    waveforms, _ = batches.draw_batch(clips, rows, recipe, TinyNet.input_format, generator)
    levels = 20 * waveforms.square().mean(dim=2).sqrt().log10()
    torch.testing.assert_close(levels, torch.full_like(levels, -20), rtol=0, atol=1e-3)


def test_polarity_changes_the_sign_of_some_of_a_batch_and_nothing_else():
    clips, rows = device_clips(tones()), (torch.arange(8),)
    plain, turned = (
        batches.draw_batch(
            clips,
            rows,
            replace(RECIPE, random_polarity=polarity),
            TinyNet.input_format,
            torch.Generator().manual_seed(0),
        )[0]
        for polarity in (False, True)
    )
    same, opposite = (plain == turned).all(dim=2), (plain == -turned).all(dim=2)
    assert bool((same | opposite).all()) and bool(same.any()) and bool(opposite.any())


def test_smoothed_labels_give_torchs_smoothed_cross_entropy_up_to_their_own_entropy():
    clips, recipe = device_clips(tones()), replace(RECIPE, label_smoothing=0.1)
    rows, generator = torch.arange(8), torch.Generator().manual_seed(0)
    targets = batches.draw_batch(clips, (rows,), recipe, TinyNet.input_format, generator)[1]
    scores = torch.randn(8, 3, generator=generator)
    entropy = torch.special.entr(targets).sum(dim=1).mean()
    truth = torch.nn.functional.cross_entropy(scores, clips.labels[rows], label_smoothing=0.1)
    torch.testing.assert_close(training.kl_loss(scores, targets) + entropy, truth)
