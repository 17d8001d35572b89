"""Writing, measuring and playing sound, held against what was put in."""

import base64
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from envnet_tutorial.audio import level, load_audio, player, to_int16, write_audio
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


@settings(max_examples=100, deadline=None)
@given(npst.arrays(np.float32, st.integers(1, 200), elements=st.floats(-4, 4, width=32)))
def test_int16_rounds_to_the_nearest_and_never_wraps(samples):
    found = to_int16(samples)
    assert found.dtype == np.int16 and found.shape == samples.shape
    exact = samples.astype(np.float64) * 32_768
    inside = np.abs(samples) < 1
    assert np.abs(found[inside] - exact[inside].clip(-32_768, 32_767)).max(initial=0) <= 0.5
    assert (np.sign(found[~inside]) == np.sign(samples[~inside])).all()
    assert set(found[~inside].tolist()) <= {-32_768, 32_767}


@pytest.mark.parametrize(
    ("waveform", "expected"),
    [
        (np.ones(100), 0.0),
        (np.sin(2 * np.pi * np.arange(1000) / 100), -10 * math.log10(2)),
        (np.full((2, 50), 0.1), -20.0),
        (np.zeros(10), -math.inf),
    ],
)
def test_level_of_known_waveforms(waveform, expected):
    assert level(waveform) == pytest.approx(expected, abs=1e-6)


def test_level_refuses_what_has_none():
    with pytest.raises(InputError, match="at least one sample"):
        level(torch.zeros(0))
    with pytest.raises(InputError, match="finite"):
        level(torch.tensor([0.0, math.nan]))


@pytest.mark.parametrize(
    ("name", "waveform", "rate", "reason"),
    [
        ("a.txt", torch.zeros(1, 10), 16_000, "should end in"),
        ("a.wav", torch.zeros(1, 0), 16_000, "at least one sample"),
        ("a.wav", torch.zeros(1, 2, 3), 16_000, r"\(channel, sample\)"),
        ("a.wav", torch.full((1, 3), math.nan), 16_000, "not numbers"),
        ("a.mp3", torch.zeros(1, 10), 5_000, "MP3 cannot hold"),
        ("a.wav", torch.zeros(1, 10), -1, "WAV cannot hold"),
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
        raise OSError("no")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no"):
        write_audio(path, torch.ones(1, 100), 16_000)
    assert path.read_bytes() == before and [entry.name for entry in tmp_path.iterdir()] == ["a.wav"]


def sound_in(shown):
    """Take the sound out of a player's HTML and read it."""
    found = re.search(r'src="data:audio/mpeg;base64,([^"]+)"', shown._repr_html_())
    return load_audio(base64.b64decode(found[1]))


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_player_embeds_an_mp3_at_the_lessons_rate(rate):
    tone = 0.25 * np.sin(2 * np.pi * 500 * np.arange(rate) / rate)
    shown = player(tone, rate, label="a <tone>")
    waveform, found = sound_in(shown)
    assert found == rate
    assert level(waveform[:, rate // 10 : -rate // 10]) == pytest.approx(level(tone), abs=0.7)
    assert repr(shown) == f"Player(a <tone>, 1.00 s at {rate:,} Hz, −15 dBFS)"
    assert shown._repr_html_() == player(tone, rate, label="a <tone>")._repr_html_()
    assert 'aria-label="a &lt;tone&gt;, 1.00 s' in shown._repr_html_()


def test_player_converts_rates_that_mp3_lacks():
    assert sound_in(player(np.zeros(5_000), 5_000))[1] == 8_000
    assert sound_in(player(np.zeros(96_000), 96_000))[1] == 48_000


def test_player_changes_the_level_only_if_asked_and_says_so():
    quiet = 0.01 * np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000)
    assert sound_in(player(quiet, 16_000))[0].abs().max() < 0.012
    loud = player(quiet, 16_000, normalise=True)
    assert sound_in(loud)[0].abs().max() == pytest.approx(10 ** (-1 / 20), abs=0.05)
    assert "−43 dBFS, played +39 dB" in repr(loud)
    assert repr(player(np.zeros(100), 16_000, normalise=True)) == "Player(0.01 s at 16,000 Hz, silence)"
    assert "0 dBFS" in repr(player(np.full(100, -0.99), 16_000)) and "−0" not in repr(player(np.full(9, 0.99), 16_000))


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


def test_player_refuses_what_has_no_sound():
    tone = np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000)
    with pytest.raises(InputError, match=r"peaks at 5000, where full scale is 1"):
        player(5_000 * tone, 16_000)
    assert sound_in(player(5_000 * tone, 16_000, normalise=True))[0].abs().max() < 1
    with pytest.raises(InputError, match="one or two channels"):
        player(torch.zeros(3, 100), 16_000)
    with pytest.raises(InputError, match="at least 1 Hz"):
        player(torch.zeros(1, 100), 0)
    with pytest.raises(InputError, match="not numbers"):
        player(torch.full((1, 10), math.nan), 16_000)


def test_player_falls_back_to_wav_where_libsndfile_has_no_mp3(monkeypatch):
    from envnet_tutorial.audio import playing

    monkeypatch.setattr(playing, "_mp3_rates", lambda: ())
    shown = player(np.full(10, 0.5), 5_000)
    assert shown.mime == "audio/wav"
    assert torch.equal(load_audio(shown.content)[0], torch.full((1, 10), 0.5))
