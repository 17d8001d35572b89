"""Players carry their sound: format, rate, level, and what they refuse."""

import base64
import math
import re

import numpy as np
import pytest
import torch

from envnet_tutorial.audio import level, load_audio, player
from envnet_tutorial.errors import InputError


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
