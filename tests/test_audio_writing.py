"""Writing, measuring and playing sound, held against what was put in."""

import errno
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra import numpy as npst

from envnet_tutorial.audio import level, load_audio, player, write_audio
from envnet_tutorial.errors import InputError


@settings(max_examples=60, deadline=None)
@given(npst.arrays(np.int16, npst.array_shapes(min_dims=2, max_dims=2, max_side=50)))
def test_sixteen_bits_survive_a_round_trip_through_a_file(tmp_path_factory, samples):
    folder = tmp_path_factory.mktemp("round")
    waveform = torch.from_numpy(samples.astype(np.float32) / 32_768)
    for ending in ("wav", "flac"):
        if ending == "flac" and len(samples) > 8:  # FLAC has at most eight channels
            continue
        path = write_audio(folder / f"a.{ending}", waveform, 16_000)
        torch.testing.assert_close(load_audio(path)[0], waveform, rtol=0, atol=0)
    assert {path.suffix for path in folder.iterdir()} <= {".wav", ".flac"}


@pytest.mark.parametrize(
    ("name", "waveform", "rate", "reason"),
    [
        ("a.txt", torch.zeros(1, 10), 16_000, "should end in"),
        ("a.wav", torch.zeros(1, 0), 16_000, "at least one sample"),
        ("a.wav", torch.zeros(1, 2, 3), 16_000, r"\(channel, sample\)"),
        ("a.wav", torch.full((1, 3), math.nan), 16_000, "not numbers"),
        ("a.mp3", torch.zeros(1, 10), 5_000, "MP3 cannot hold"),
        ("a.wav", torch.zeros(1, 10), -1, r"WAV cannot hold 1 channels at -1 Hz \([^<]*\)$"),
        (f"{'a' * 300}.wav", torch.zeros(1, 10), 16_000, "could not be written"),
        ("none/a.wav", torch.zeros(1, 10), 16_000, "there is no folder"),
    ],
)
def test_writing_refuses_what_no_file_can_hold(tmp_path, name, waveform, rate, reason):
    with pytest.raises(InputError, match=reason):
        write_audio(tmp_path / name, waveform, rate)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_keeps_the_earlier_file(tmp_path, monkeypatch):
    path = write_audio(tmp_path / "a.wav", torch.zeros(1, 100), 16_000)
    before = path.read_bytes()

    def fail(self, target):
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(InputError, match=r"a.wav could not be written \(no\)"):
        write_audio(path, torch.ones(1, 100), 16_000)
    assert path.read_bytes() == before and [entry.name for entry in tmp_path.iterdir()] == ["a.wav"]


def test_sixteen_bit_samples_are_taken_at_their_scale(tmp_path):
    samples = np.random.default_rng(0).integers(-8_000, 8_000, (1, 16_000), np.int16)
    floats = samples / np.float32(32_768)
    assert level(samples) == pytest.approx(level(floats))
    assert player(samples, 16_000) == player(floats, 16_000)
    written = load_audio(write_audio(tmp_path / "a.wav", samples, 16_000))[0]
    assert np.array_equal(written.numpy(), floats)
    for other in (samples.astype(np.int32), samples > 0):
        with pytest.raises(InputError, match="16-bit integers, not torch"):
            level(other)
