"""Reading, writing, resampling and playing sound, held against `wave`, torchaudio and what was put in."""

import base64
import io
import math
import re
import struct
import time
import wave
from pathlib import Path

import fuzz_audio
import numpy as np
import pytest
import soundfile
import torch
import torchaudio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tiny_sets import wav_bytes

from envnet_tutorial.audio import level, load_audio, player, resample, to_int16, write_audio
from envnet_tutorial.audio import reading as reading_module
from envnet_tutorial.audio import resampling as resampling_module
from envnet_tutorial.errors import InputError

RATES = (8_000, 11_024, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000)


def encoded(samples, rate=16_000, kind="WAV", subtype=None):
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def wave_bytes(integers, depth, rate, channels):
    """Write a WAV by the standard library; `integers` lie in the range of `depth` bytes."""
    if depth == 1:
        raw = (integers + 128).astype(np.uint8).tobytes()
    else:
        raw = integers.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :depth].tobytes()
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((channels, depth, rate, 0, "NONE", ""))
        file.writeframes(raw)
    return stream.getvalue()


def by_wave(content):
    """Read a WAV by the standard library: float32 (channel, sample) in [-1, 1)."""
    with wave.open(io.BytesIO(content)) as file:
        depth, channels = file.getsampwidth(), file.getnchannels()
        raw = np.frombuffer(file.readframes(file.getnframes()), np.uint8).reshape(-1, depth)
    if depth == 1:
        integers = raw[:, 0].astype(np.int64) - 128
    else:
        integers = sum(raw[:, place].astype(np.int64) << 8 * place for place in range(depth))
        integers -= (integers >> 8 * depth - 1) << 8 * depth
    return (integers / 2 ** (8 * depth - 1)).astype(np.float32).reshape(-1, channels).T


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.data(),
    st.sampled_from([1, 2, 3, 4]),
    st.integers(1, 4),
    st.integers(1, 60),
    st.sampled_from(RATES),
)
def test_pcm_is_bit_by_bit_what_wave_reads(data, depth, channels, length, rate):
    top = 2 ** (8 * depth - 1)
    integers = data.draw(npst.arrays(np.int64, length * channels, elements=st.integers(-top, top - 1)))
    content = wave_bytes(integers, depth, rate, channels)
    waveform, found = load_audio(content)
    assert found == rate and waveform.dtype == torch.float32
    np.testing.assert_array_equal(waveform.numpy(), by_wave(content))
    mono, _ = load_audio(content, mono=True)
    assert mono.shape == (1, length)
    torch.testing.assert_close(mono[0], waveform.mean(dim=0), rtol=0, atol=0)


@settings(max_examples=60, deadline=None)
@given(npst.arrays(np.int16, st.integers(1, 3000)), st.sampled_from(["WAV", "FLAC", "AIFF"]))
def test_lossless_formats_give_back_what_was_put_in(samples, kind):
    waveform, _ = load_audio(encoded(samples, kind=kind))
    np.testing.assert_array_equal((waveform[0] * 32_768).numpy(), samples)


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


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floating_point_samples_are_kept_and_clipped_at_full_scale(subtype):
    samples = np.array([0.0, 0.1, -0.7, 1.0, -1.0, 1.5, -1.9])
    waveform, _ = load_audio(encoded(samples, subtype=subtype))
    np.testing.assert_array_equal(waveform[0].numpy(), samples.clip(-1, 1).astype(np.float32))


@pytest.mark.parametrize(("kind", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)])
def test_lossy_formats_sound_like_what_was_put_in(kind, subtype):
    time_axis = np.arange(48_000) / 48_000
    tone = 0.5 * np.sin(2 * np.pi * 1_000 * time_axis)
    waveform, rate = load_audio(encoded(tone, 48_000, kind, subtype))
    assert rate == 48_000
    assert waveform.shape[1] == pytest.approx(48_000, abs=2_400)
    spectrum = torch.fft.rfft(waveform[0, 4_000:44_000] * torch.hann_window(40_000)).abs()
    assert int(spectrum.argmax()) * 48_000 / 40_000 == pytest.approx(1_000, abs=2)
    assert level(waveform[:, 4_000:44_000]) == pytest.approx(level(tone), abs=0.3)


@pytest.mark.parametrize("source", ["path", "text", "bytes", "stream", "file"])
def test_all_kinds_of_source_give_the_same(tmp_path, source):
    content = wav_bytes(3, channels=2)
    path = tmp_path / "clip.raw"  # the ending lies: what counts is the content
    path.write_bytes(content)
    expected, _ = load_audio(content)
    with path.open("rb") as stream:
        given_source = {
            "path": path,
            "text": str(path),
            "bytes": bytearray(content),
            "stream": io.BytesIO(content),
            "file": stream,
        }[source]
        waveform, _ = load_audio(given_source)
    assert torch.equal(waveform, expected)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("source_rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_rate_conversion_is_bit_by_bit_torchaudios(source_rate, rate):
    content = wav_bytes(5, 0.2, source_rate, channels=2)
    waveform, found = load_audio(content, sample_rate=rate)
    assert found == rate
    expected = torchaudio.functional.resample(load_audio(content)[0], source_rate, rate)
    assert torch.equal(waveform, expected.clamp(-1, 1))


@pytest.mark.parametrize("rates", [(441, 160), (160, 441), (7, 5), (1000, 689), (3, 1)])
def test_pointwise_filter_agrees_with_the_table(rates):
    signal = torch.randn(2, 4_000, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    table = torchaudio.functional.resample(signal, *rates)
    pointwise = resampling_module._resample_pointwise(signal, *rates)
    assert pointwise.shape == table.shape
    torch.testing.assert_close(pointwise, table, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("source_rate", "rate"), [(11_024, 16_000), (11_024, 44_100), (192_000, 44_100)])
def test_odd_rates_keep_a_tone_where_it_is(source_rate, rate):
    tone = torch.sin(2 * math.pi * 1_000 * torch.arange(source_rate) / source_rate)[None]
    expected = torch.sin(2 * math.pi * 1_000 * torch.arange(rate) / rate)
    torch.testing.assert_close(resample(tone, source_rate, rate)[0, 500:-500], expected[500:-500], rtol=0, atol=4e-3)


def test_rates_without_a_common_factor_cost_little_memory():
    tone = torch.sin(2 * math.pi * 440 * torch.arange(44_099) / 44_099)[None]
    converted = resample(tone, 44_099, 16_000)
    assert converted.shape == (1, 16_000)
    expected = torch.sin(2 * math.pi * 440 * torch.arange(16_000) / 16_000)
    torch.testing.assert_close(converted[0, 100:-100], expected[100:-100], rtol=0, atol=2e-3)
    with pytest.raises(InputError, match="too many to convert"):
        resample(tone, 1, 2_000_000_000)
    with pytest.raises(InputError, match="at least 1 Hz"):
        resample(tone, 44_100, 0)


def test_five_seconds_at_any_usual_rate_become_exactly_five_seconds():
    for rate in RATES:
        assert resample(torch.zeros(1, 5 * rate), rate, 16_000).shape == (1, 80_000)


def test_what_is_beyond_the_new_nyquist_frequency_is_gone():
    high = torch.sin(2 * math.pi * 12_000 * torch.arange(44_100) / 44_100)[None]
    low = torch.sin(2 * math.pi * 1_000 * torch.arange(44_100) / 44_100)[None]
    assert level(resample(high, 44_100, 16_000)[:, 100:-100]) < -40
    assert level(resample(low, 44_100, 16_000)[:, 100:-100]) == pytest.approx(level(low), abs=0.05)


def claim(content, place, value, form="<I"):
    damaged = bytearray(content)
    struct.pack_into(form, damaged, place, value)
    return bytes(damaged)


WAV = wav_bytes(1)
FLAC = encoded(np.random.default_rng(1).uniform(-0.5, 0.5, 20_000), kind="FLAC")
HEADER_ONLY = encoded(np.zeros((0, 1)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"RIFF", "not a sound file"),
        (b"<html>404</html>" * 10, "not a sound file"),
        (b"\x00" * 1000, "not a sound file"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "is damaged"),
        (WAV[:-1000], r"truncated: 0\.239 s of the 0\.250 s"),
        (WAV[:44], r"truncated: 0\.000 s"),
        (FLAC[: len(FLAC) // 2], "truncated|damaged"),
        (HEADER_ONLY, "holds no samples"),
        (claim(WAV, 22, 0, "<H"), "is damaged|0 channels"),
        (claim(WAV, 24, 0), "is damaged|0 Hz"),
        (claim(WAV, 24, 1), "at 1 Hz, which is no sound"),
        (claim(WAV, 24, 2_000_000_000), "which is no sound"),
        (encoded(np.array([0.1, np.nan]), subtype="FLOAT"), "not numbers"),
        (encoded(np.full(100, np.nan), subtype="DOUBLE"), "not numbers"),
        (encoded(np.array([0.1, np.inf]), subtype="FLOAT"), "not numbers"),
        (encoded(np.array([0.1, 20_000.0]), subtype="FLOAT"), "full scale at 1"),
    ],
    # libsndfile writes the time into some headers, and pytest-xdist wants the same names in each of its processes.
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_damaged_input_gets_one_clear_error(content, reason):
    with pytest.raises(InputError, match=reason) as caught:
        load_audio(content)
    assert "\n" not in str(caught.value) and "0x" not in str(caught.value)


def test_truncated_input_is_read_on_demand():
    waveform, rate = load_audio(WAV[:-1000], allow_truncated=True)
    assert torch.equal(waveform, load_audio(WAV)[0][:, :-500]) and rate == 44_100


def test_an_ogg_stream_that_stops_early_is_shorter():
    content = encoded(np.random.default_rng(1).uniform(-0.5, 0.5, 50_000), kind="OGG")
    waveform, _ = load_audio(content[: 3 * len(content) // 4])
    assert 0 < waveform.shape[1] < 50_000


@pytest.mark.parametrize("value", [0xFFFFFFFF, 0x7FFFFFFF])
def test_a_header_written_into_a_pipe_promises_nothing(value):
    waveform, _ = load_audio(claim(WAV, 40, value))
    assert torch.equal(waveform, load_audio(WAV)[0])


def test_paths_that_are_no_files(tmp_path):
    with pytest.raises(InputError, match="is not there"):
        load_audio(tmp_path / "none.wav")
    with pytest.raises(InputError, match="is a folder"):
        load_audio(tmp_path)
    with pytest.raises(InputError, match="is an address"):
        load_audio("https://example.org/clip.wav")
    with pytest.raises(InputError, match="binary mode"):
        load_audio(io.StringIO("text"))
    with pytest.raises(InputError, match="at least 1 Hz"):
        load_audio(WAV, sample_rate=0)


def test_an_hour_is_read_whole_and_what_is_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "hour.flac"
    minute = np.zeros((60 * 8_000, 1), dtype=np.int16)
    with soundfile.SoundFile(path, "w", 8_000, 1, format="FLAC", subtype="PCM_16") as file:
        for _ in range(60):
            file.write(minute)
    waveform, rate = load_audio(path)
    assert waveform.shape == (1, 3600 * 8_000) and rate == 8_000
    assert not waveform.any()
    monkeypatch.setattr(reading_module, "MAX_VALUES", 3600 * 8_000 - 1)
    with pytest.raises(InputError, match="60 minutes long or more"):
        load_audio(path)


def test_a_lying_header_takes_no_memory():
    claimed = claim(claim(WAV, 40, 0x7FFFFF00), 4, 0x7FFFFF00)
    start = time.monotonic()
    assert load_audio(claimed)[0].shape == load_audio(WAV)[0].shape
    assert time.monotonic() - start < 1


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([b"RIFF\x00\x00\x00\x00WAVE", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b""])
)
def test_any_bytes_give_a_sound_or_an_input_error(tail, head):
    try:
        waveform, rate = load_audio(head + tail)
    except InputError:
        return
    assert waveform.ndim == 2 and waveform.numel() and rate > 0
    assert waveform.abs().max() <= 1


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_mutated_headers_give_a_sound_or_an_input_error(one_thread):
    outcomes = [fuzz_audio.check(number) for number in range(500)]
    assert {"sound", "refused"} == set(outcomes)


def test_fuzz_inputs_are_made_from_their_number_and_reach_every_format():
    made = [fuzz_audio.mutated(number) for number in range(200)]
    assert made == [fuzz_audio.mutated(number) for number in range(200)]
    assert {kind for kind, _ in made} == set(fuzz_audio.KINDS)
    assert all(content != fuzz_audio.original(kind, 1) for kind, content in made[:50])


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
