"""The log-mel spectrogram, held against scipy, a slow formula and known sounds."""

import math

import numpy as np
import pytest
import scipy.signal
import torch

from envnet_tutorial.audio.spectrograms import decibels, log_mel, log_mel_frames, mel_triangles
from envnet_tutorial.probing import probe_frequencies
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate


def triangles(num_bins, num_bands):
    """Write the HTK filter bank down from its definition, one weight at a time."""
    highest = 2595 * math.log10(1 + RATE / 2 / 700)
    corners = [700 * (10 ** (highest * i / (num_bands + 1) / 2595) - 1) for i in range(num_bands + 2)]
    weights = np.zeros((num_bands, num_bins))
    for band, (low, centre, high) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        for k in range(num_bins):
            frequency = k * RATE / 2 / (num_bins - 1)
            weights[band, k] = max(0, min((frequency - low) / (centre - low), (high - frequency) / (high - centre)))
    return weights


def test_it_is_scipys_spectrogram_under_triangles():
    sound = np.random.default_rng(1).uniform(-1, 1, ENVNET_INPUT.num_samples)
    window = np.pad(scipy.signal.get_window("hann", 400), 56)
    padded = np.pad(sound, 176)
    frames = np.stack([padded[i * 160 : i * 160 + 512] * window for i in range(150)], axis=1)
    power = np.abs(scipy.fft.rfft(frames, axis=0)) ** 2
    expected = 10 * np.log10(triangles(257, 40) @ power / (window.sum() / 2) ** 2)
    found = log_mel(torch.tensor(sound[None], dtype=torch.float32), RATE)
    assert found.shape == (1, 40, 150)
    np.testing.assert_allclose(found[0], expected, atol=2e-3)


@pytest.mark.parametrize("length", [160, 24_000, 24_159])
def test_one_frame_for_each_whole_hop(length):
    assert log_mel(torch.zeros(2, 1, length), RATE).shape == (2, 1, 40, length // 160)


def test_silence_lies_on_the_floor_and_a_full_scale_tone_at_zero():
    assert set(log_mel(torch.zeros(1, 1600), RATE, floor=-70).unique().tolist()) == {-70.0}
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(16_000) / RATE)
    assert log_mel(tone, RATE, num_bands=10)[:, 50].max() == pytest.approx(0, abs=2.5)


def test_frames_within_the_signal_are_those_without_zeros_around_it():
    sound = torch.randn(1, 2_000, generator=torch.Generator().manual_seed(0))
    within = log_mel_frames(sound, RATE, hop=160, window=400)
    assert within.shape == (1, 40, 11)  # (2000 - 400) / 160 + 1
    torch.testing.assert_close(log_mel(sound[:, 120:], RATE)[..., 1:11], within[..., 1:])
    with pytest.raises(ValueError, match="no window of 400"):
        log_mel_frames(sound[:, :399], RATE, hop=160, window=400)


def test_whoever_asks_first_may_be_in_inference_mode():
    sound = torch.ones(1, 800).requires_grad_()
    with torch.inference_mode(), torch.device("meta"):
        log_mel(torch.ones(1, 800, device="cpu"), RATE, num_bands=13)
    log_mel(sound, RATE, num_bands=13).sum().backward()
    assert sound.grad.isfinite().all()


def test_half_the_amplitude_is_six_decibels_less():
    assert decibels(torch.tensor([1.0, 0.25, 0.0]), floor=-50).tolist() == pytest.approx([0, -6.0206, -50], abs=1e-4)
    assert decibels(torch.tensor(8.0), reference=2).item() == pytest.approx(6.0206, abs=1e-4)


def test_too_short_a_sound_or_window_is_refused():
    with pytest.raises(ValueError, match="no frame"):
        log_mel(torch.zeros(159), RATE)
    with pytest.raises(ValueError, match="no frame"):
        log_mel(torch.zeros(1600), RATE, window_seconds=0.005)


@pytest.mark.parametrize(("num_bands", "rate"), [(40, 16_000), (128, 44_100), (1, 8_000)])
def test_triangles_are_those_written_down_one_weight_at_a_time_and_torchaudios(num_bands, rate, torchaudio):
    frequencies = torch.linspace(0, rate / 2, 2_001, dtype=torch.float64)
    found = mel_triangles(num_bands, frequencies, rate)
    if rate == RATE:
        np.testing.assert_allclose(found.T, triangles(2_001, num_bands).T, atol=1e-12)
    library = torchaudio.functional.melscale_fbanks(2_001, 0.0, rate / 2, num_bands, rate)  # in single precision
    torch.testing.assert_close(found.T.float(), library, atol=3e-4, rtol=0)


def test_log_mel_is_torchaudios_to_a_thousandth_of_a_decibel(torchaudio):
    sound = torch.rand(2, 3, 4_000, generator=torch.Generator().manual_seed(3)) - 0.5
    library = torchaudio.transforms.MelSpectrogram(
        RATE, n_fft=512, win_length=400, hop_length=160, n_mels=40, center=False
    )
    expected = decibels(library(torch.nn.functional.pad(sound, (56, 56))), reference=100**2)
    torch.testing.assert_close(log_mel_frames(sound, RATE, hop=160, window=400), expected, atol=1e-3, rtol=0)


def test_mel_scale_peaks_are_equal_steps():
    edges = probe_frequencies(8, 0, 8000)
    peaks = mel_triangles(6, torch.arange(8_001), RATE).argmax(dim=1).double()  # triangles of 1 Hz resolution
    torch.testing.assert_close(peaks, edges[1:-1], atol=1.0, rtol=0)
