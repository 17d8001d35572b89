"""Reading sound, held against `wave` and what was put in; damaged input gets one clear error."""

import io
import os
import struct
import time
import wave

import fuzz_audio
import numpy as np
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tiny_sets import encoded, wav_bytes

from envnet_tutorial.audio import level, load_audio
from envnet_tutorial.audio import reading as reading_module
from envnet_tutorial.errors import InputError

RATES = (8_000, 11_024, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000)


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


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
def test_a_missing_tenth_is_noticed_at_every_depth(kind, subtype):
    content = encoded(np.random.default_rng(0).uniform(-0.5, 0.5, (4_000, 2)), 16_000, kind, subtype)
    assert load_audio(content)[0].shape == (2, 4_000)
    with pytest.raises(InputError, match=r"truncated: 0\.2[23]\d s of the 0\.250 s"):
        load_audio(content[: len(content) * 9 // 10])


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
    if os.geteuid():  # root may read everything
        (tmp_path / "locked.wav").write_bytes(WAV)
        (tmp_path / "locked.wav").chmod(0)
        with pytest.raises(InputError, match="cannot be opened"):
            load_audio(tmp_path / "locked.wav")
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
