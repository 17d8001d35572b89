"""The batched augmentations agree with slow ones, one clip at a time in NumPy, and with published values."""

import numpy as np
import pytest
import torch
from test_audio_levels import slow_level

from envnet_tutorial import augment
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate
WINDOW = 600


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def random_clips(count=6, time=2_000, seed=0):
    return torch.randint(-32_768, 32_768, (count, time), generator=generator(seed)).to(torch.int16)


def slow_window(clip, start, scale=1.0):
    """Stretch, pad, crop: the order and the interpolation of the reference recipe, one clip at a time."""
    clip = clip.numpy().astype(np.float64)
    if scale != 1.0:
        position = np.arange(int(len(clip) * scale)) / scale
        left = np.minimum(position.astype(int), len(clip) - 1)
        right = np.minimum(left + 1, len(clip) - 1)
        clip = clip[left] * (1 - (position - left)) + clip[right] * (position - left)
    return np.pad(clip, WINDOW // 2)[start : start + WINDOW] / 32_768


@pytest.mark.parametrize("scale", [None, 0.8, 0.913, 1.0001, 1.25])
def test_cut_agrees_with_a_slow_reference_up_to_both_ends(scale):
    clips = random_clips()
    last = int(2_000 * (scale or 1)) + 2 * (WINDOW // 2) - WINDOW
    starts = torch.tensor([0, 1, WINDOW // 2, 700, last - 1, last])
    scales = None if scale is None else torch.full((6,), scale, dtype=torch.float64)
    windows = augment.cut(clips, starts, WINDOW, scale=scales)
    expected = [slow_window(clip, start, scale or 1.0) for clip, start in zip(clips, starts.tolist(), strict=True)]
    assert windows.dtype == torch.float32
    np.testing.assert_allclose(windows.numpy(), np.stack(expected), atol=1e-6)


def test_each_clip_has_its_own_scale_and_span():
    clips = random_clips(3)
    span = augment.Span(torch.tensor([0, 300, 1_900]), torch.tensor([2_000, 900, 100]))
    scales = torch.tensor([0.8, 1.25, 1.1], dtype=torch.float64)
    windows = augment.cut(clips, torch.tensor([1_500, 1_000, 50]), WINDOW, span=span, scale=scales)
    for row, (start, first, length) in enumerate([(1_500, 0, 2_000), (1_000, 300, 900), (50, 1_900, 100)]):
        expected = slow_window(clips[row, first : first + length], start, scales[row].item())
        np.testing.assert_allclose(windows[row].numpy(), expected, atol=1e-6)


def test_sound_span_drops_digital_silence_at_the_ends_only():
    clips = torch.zeros(3, 50, dtype=torch.int16)
    clips[0, 10], clips[0, 30] = 5, -7  # silence between them stays
    clips[1, :] = 1
    span = augment.sound_span(clips)
    assert span.first.tolist() == [10, 0, 0]
    assert span.length.tolist() == [21, 50, 50]  # a silent clip is kept whole


def test_random_crops_reach_every_position_of_the_padded_clip():
    ramp = torch.arange(1, 9, dtype=torch.int16).repeat(4_000, 1)
    crops = augment.random_crop(ramp, 4, generator=generator())
    padded = np.pad(np.arange(1, 9), 2)
    possible = {tuple(padded[start : start + 4]) for start in range(9)}
    seen, counts = np.unique((crops * 32_768).numpy().astype(int), axis=0, return_counts=True)
    assert {tuple(row) for row in seen} == possible
    assert counts.min() > 0.8 * 4_000 / 9 and counts.max() < 1.2 * 4_000 / 9


def test_random_scale_is_log_uniform_in_its_range():
    ramp = torch.arange(0, 20_000, 10, dtype=torch.int16).repeat(3_000, 1)
    crops = augment.random_crop(ramp, 8, generator=generator(), max_scale=1.25) * 32_768
    inner = (crops > 0).all(dim=1) & (crops[:, -1] > crops[:, 0])
    octaves = torch.log(70 / (crops[inner, -1] - crops[inner, 0])) / np.log(1.25)
    assert octaves.min() >= -1.001 and octaves.max() <= 1.001
    np.testing.assert_allclose(np.quantile(octaves, [0.1, 0.25, 0.5, 0.75, 0.9]), [-0.8, -0.5, 0, 0.5, 0.8], atol=0.06)


def test_random_polarity_turns_half_of_the_waveforms_upside_down():
    waveforms = torch.rand(4_000, 3, generator=generator(1))
    signs = augment.random_polarity(waveforms, generator=generator()) / waveforms
    assert set(signs.unique().tolist()) == {-1.0, 1.0}
    assert torch.equal(signs, signs[:, :1].expand(-1, 3))  # one sign for a whole waveform
    assert abs(signs[:, 0].mean()) < 4 / 4_000**0.5  # four standard errors


def test_random_gain_is_uniform_in_decibels():
    factors = augment.random_gain(torch.ones(4_000, 3), 6.0, generator=generator())
    decibels = 20 * factors.log10()
    assert torch.equal(decibels[:, 0], decibels[:, 2])
    assert decibels.min() >= -6.001 and decibels.max() <= 6.001
    np.testing.assert_allclose(np.quantile(decibels[:, 0], [0.25, 0.5, 0.75]), [-3, 0, 3], atol=0.3)


def test_ten_test_windows_are_evenly_spaced_over_the_padded_clip():
    clip = random_clips(1)
    windows = augment.cut_test_windows(clip, WINDOW)[0]
    stride = 2_000 // 9
    assert windows.shape == (10, WINDOW)
    for number, window in enumerate(windows):
        np.testing.assert_allclose(window.numpy(), slow_window(clip[0], number * stride), atol=1e-6)


def test_mixing_agrees_with_the_formula_and_keeps_both_ends():
    first, second = torch.randn(2, 5, 4_096, generator=generator())
    second *= 0.02
    ratio = torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0])
    mixed = augment.mix(first, second, ratio, RATE)
    for row, r in enumerate(ratio.tolist()):
        gains = slow_level(first[row].double().numpy(), RATE) - slow_level(second[row].double().numpy(), RATE)
        share = 0.0 if r == 0 else 1 / (1 + 10 ** (gains / 20) * (1 - r) / r)
        expected = (share * first[row] + (1 - share) * second[row]) / np.hypot(share, 1 - share)
        torch.testing.assert_close(mixed[row], expected, atol=2e-5, rtol=2e-5)
    torch.testing.assert_close(mixed[0], second[0])
    torch.testing.assert_close(mixed[4], first[4])


def test_mixing_keeps_the_energy_of_equally_loud_sounds_and_halves_what_is_heard():
    first, second = torch.randn(2, 8, 16_000, generator=generator())
    mixed = augment.mix(first, second, torch.full((8,), 0.3), RATE)
    torch.testing.assert_close(mixed.square().mean(1), torch.ones(8), atol=0.06, rtol=0)
    loud = 50 * first  # at r = 0.5 a sound 34 dB louder takes no more of the mixture than the other
    even = augment.mix(loud, second, torch.full((8,), 0.5), RATE)
    part = (even * first).sum(1) / (even * second).sum(1)
    torch.testing.assert_close(part, torch.ones(8), atol=0.15, rtol=0)


def test_mixing_before_cropping_gives_another_share():
    """A clip that is loud only outside the crop counts as quiet; mixing before cropping would call it loud."""
    first, second = torch.randn(2, 1, 16_000, generator=generator()) * 0.1
    first[:, 8_000:] *= 100
    ratio = torch.tensor([0.5])
    crop_then_mix = augment.mix(first[:, :6_000], second[:, :6_000], ratio, RATE)
    buggy = augment.mix(first, second, ratio, RATE)[:, :6_000]
    share = lambda mixed: ((mixed * first[:, :6_000]).sum() / (mixed * second[:, :6_000]).sum()).item()  # noqa: E731
    assert share(crop_then_mix) == pytest.approx(1, abs=0.2)
    assert share(buggy) < 0.1


def test_pairs_are_of_different_classes_and_equally_likely():
    labels = torch.tensor([2, 0, 1, 0, 2, 2])
    first, second = augment.draw_pairs(labels, 44_000, generator=generator())
    assert (labels[first] != labels[second]).all()
    counts = torch.zeros(6, 6).index_put_((first, second), torch.ones(()), accumulate=True)
    allowed = labels[:, None] != labels
    expected = 44_000 / allowed.sum()
    assert (counts[allowed] - expected).abs().max() < 5 * expected.sqrt()
    with pytest.raises(ValueError, match="two classes"):
        augment.draw_pairs(torch.zeros(4, dtype=torch.long), 3, generator=generator())


def test_the_same_seed_draws_the_same_crops():
    clips = random_clips()
    draws = [augment.random_crop(clips, WINDOW, generator=generator(seed), max_scale=1.25) for seed in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
