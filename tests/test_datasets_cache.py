"""The decoded cache: exact, atomic, reused only for the same sources made the same way."""

import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_sets import wav_bytes

from envnet_tutorial.audio import load_audio, player
from envnet_tutorial.datasets import cache as cache_module
from envnet_tutorial.datasets import load_clips, synthetic_folder
from envnet_tutorial.datasets.cache import decode
from envnet_tutorial.errors import InputError


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("ENVNET_CACHE", str(folder))
    return folder


@pytest.fixture
def paths(tmp_path):
    """Five files of several rates, depths, channels and lengths."""
    kinds = [
        {"seconds": 0.5},
        {"seconds": 0.3, "rate": 22_050, "channels": 2},
        {"seconds": 0.5, "rate": 96_000, "subtype": "PCM_24"},
        {"seconds": 0.7, "rate": 11_024, "subtype": "PCM_U8"},
        {"seconds": 0.5, "rate": 16_000, "subtype": "FLOAT"},
    ]
    found = []
    for number, kind in enumerate(kinds):
        found.append(tmp_path / f"{number}.wav")
        found[-1].write_bytes(wav_bytes(number, **kind))
        os.utime(found[-1], (1_600_000_000, 1_600_000_000))
    return found


def decoded(paths, rate=16_000, seconds=0.5, **settings):
    return decode(paths, sample_rate=rate, num_samples=round(rate * seconds), progress=False, **settings)


def reference(path, rate, num_samples):
    """Decode by another way: soundfile, torchaudio, and integers that clamp."""
    frames, source_rate = soundfile.read(path, dtype="float32", always_2d=True)
    signal_ = torch.from_numpy(frames.mean(axis=1))[None]
    if source_rate != rate:
        signal_ = pytest.importorskip("torchaudio").functional.resample(signal_, source_rate, rate)
    values = (signal_[0] * 32_768).round().clamp(-32_768, 32_767).numpy()[:num_samples]
    return np.pad(values, (0, num_samples - len(values))).astype(np.int16)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_samples_are_those_of_an_independent_decoder(paths, rate):
    found = decoded(paths, rate)
    expected = np.stack([reference(path, rate, rate // 2) for path in paths])
    assert found.shape == (5, rate // 2) and found.dtype == np.int16
    difference = np.abs(found.astype(int) - expected).max(axis=1)
    # 11,024 to 44,100 Hz is evaluated point by point, more exactly than by torchaudio's table in single precision.
    assert difference.tolist() == [0, 0, 0, difference[3] if rate == 44_100 else 0, 0]
    assert difference[3] < 20
    assert not found[1, round(0.3 * rate) + 20 :].any() and found[3].any()


def test_sixteen_bits_at_the_same_rate_are_kept_bit_by_bit(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(1, 5.0))
    found = decoded([path], 44_100, 5)
    assert np.array_equal(found[0], soundfile.read(path, dtype="int16")[0])
    assert decoded([path], 16_000, 5).shape == (1, 80_000)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 3_000), st.integers(1, 3_000), st.sampled_from([8_000, 16_000, 22_050]), st.integers(1, 2))
def test_every_clip_gets_exactly_the_length_asked_for(tmp_path, length, num_samples, source_rate, channels):
    path = tmp_path / "a.wav"
    samples = np.random.default_rng(length).integers(-32_768, 32_767, (length, channels), np.int16, endpoint=True)
    soundfile.write(path, samples, source_rate)
    row = cache_module.decode_clip(path, 16_000, num_samples)
    assert row.dtype == np.int16 and row.shape == (num_samples,)
    assert np.array_equal(row, reference(path, 16_000, num_samples))
    assert not row[-(-length * 16_000 // source_rate) :].any()


def test_two_threads_that_want_the_same_array_make_it_once(paths, monkeypatch):
    calls = []
    real = cache_module.decode_clip
    monkeypatch.setattr(cache_module, "decode_clip", lambda *given_: (calls.append(given_), real(*given_))[1])
    with ThreadPoolExecutor(4) as pool:
        arrays = list(pool.map(lambda _: decoded(paths), range(4)))
    assert len(calls) == len(paths)
    assert all(np.array_equal(array, arrays[0]) for array in arrays)


def test_peaks_do_not_wrap_and_silence_is_kept(tmp_path):
    square = np.where(np.arange(22_050) // 50 % 2, 32_767, -32_768).astype(np.int16)
    for name, samples in (("square", square), ("silence", np.zeros(22_050, np.int16))):
        soundfile.write(tmp_path / f"{name}.wav", samples, 44_100)
    found = decoded([tmp_path / "square.wav", tmp_path / "silence.wav"])
    ideal = reference(tmp_path / "square.wav", 16_000, 8_000)
    assert np.array_equal(found[0], ideal)  # a wrapped peak would be 65,535 away
    assert found[0].max() == 32_767 and found[0].min() == -32_768  # the filter rings beyond full scale
    assert not found[1].any()


def entries(folder):
    return sorted(path.name for path in (folder / "decoded").iterdir() if path.suffix in (".npy", ".json"))


def test_it_is_made_once_and_its_manifest_tells_how(paths, own_cache, monkeypatch):
    first = decoded(paths)
    made = entries(own_cache)
    manifest = json.loads((own_cache / "decoded" / made[0]).read_text())
    assert len(made) == 2 and manifest["sample_rate"] == 16_000 and manifest["num_samples"] == 8_000
    assert "windowed sinc, Hann" in manifest["resampler"] and manifest["version"] == cache_module.CACHE_VERSION
    assert [name for name, _ in manifest["sources"]] == [path.name for path in paths]
    monkeypatch.setattr(cache_module, "decode_clip", None)  # decoding again would fail
    assert np.array_equal(decoded(paths), first)
    assert entries(own_cache) == made


@pytest.mark.parametrize("change", ["rate", "length", "content", "order", "fewer", "version", "resampler"])
def test_anything_else_makes_another_array(paths, own_cache, monkeypatch, change):
    before = decoded(paths).copy()
    rate, seconds = (8_000 if change == "rate" else 16_000), (0.4 if change == "length" else 0.5)
    if change == "content":
        paths[0].write_bytes(wav_bytes(99))
    if change == "order":
        paths = paths[::-1]
    if change == "fewer":
        paths = paths[1:]
    if change in ("version", "resampler"):
        monkeypatch.setattr(cache_module, {"version": "CACHE_VERSION", "resampler": "RESAMPLER"}[change], 99)
    after = decoded(paths, rate, seconds)
    assert len(entries(own_cache)) == 4
    expected = np.stack([reference(path, rate, round(rate * seconds)) for path in paths])
    assert np.array_equal(after, expected)
    if change not in ("version", "resampler"):
        assert after.shape != before.shape or not np.array_equal(after, before)


@pytest.mark.parametrize("damage", ["short", "no manifest", "manifest of another", "manifest no json"])
def test_what_does_not_fit_its_manifest_is_made_anew(paths, own_cache, damage):
    expected = decoded(paths).copy()
    manifest, array = [own_cache / "decoded" / name for name in entries(own_cache)]
    if damage == "short":
        array.write_bytes(array.read_bytes()[:-2])
    elif damage == "no manifest":
        manifest.unlink()
    elif damage == "manifest of another":
        manifest.write_text(manifest.read_text().replace('"version": 1', '"version": 2'))
    else:
        manifest.write_text("[1, 2")
    assert np.array_equal(decoded(paths), expected)
    assert json.loads(manifest.read_text())["version"] == 1


def test_the_map_may_be_written_to_and_the_file_stays(paths):
    first = decoded(paths)
    kept = first.copy()
    first[:] = 7
    torch.from_numpy(first)  # would warn, and so fail, if it were read-only
    assert np.array_equal(decoded(paths), kept)


def test_a_file_that_cannot_be_decoded_is_named_and_nothing_is_left(paths, own_cache):
    paths[2].write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    with pytest.raises(InputError, match=r"2\.wav is damaged"):
        decoded(paths)
    assert [path.name for path in (own_cache / "decoded").iterdir() if path.name != ".lock"] == []


def test_a_disk_without_room_is_told_first(paths, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(InputError, match="the decoded set needs 1 MB"):
        decoded(paths)


def test_a_limit_reached_on_the_way_leaves_the_earlier_arrays(paths, own_cache):
    expected = decoded(paths[:1]).copy()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    try:
        with pytest.raises(InputError, match=r"could not be written \(.*\); what was there before is untouched"):
            decoded(paths)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert len(entries(own_cache)) == 2 and not list(own_cache.rglob("*.part"))
    assert np.array_equal(decoded(paths[:1]), expected)


def test_decoding_shows_its_progress(paths, capsys):
    decode(paths, sample_rate=8_000, num_samples=4_000, progress=True)
    assert "decode to 8000 Hz: 100%" in capsys.readouterr().err


def test_remembered_checksums_are_not_trusted_for_young_or_changed_files(paths, own_cache):
    decoded(paths)
    index = next((own_cache / "checksums").glob("*.json"))
    assert len(json.loads(index.read_text())) == 5
    paths[0].write_bytes(wav_bytes(50))  # just now: too young to be remembered
    decoded(paths)
    assert str(paths[0]) not in json.loads(index.read_text())
    index.write_text('{"a": [1]}')
    decoded(paths)


def make_folder(folder, seed=0):
    (folder / "audio").mkdir()
    (folder / "meta").mkdir()
    (folder / "audio" / "1-1-A-0.wav").write_bytes(wav_bytes(seed))
    (folder / "meta" / "esc50.csv").write_text(
        "filename,fold,target,category,esc10,src_file,take\n1-1-A-0.wav,1,0,dog,True,1,A\n"
    )


def test_the_synthetic_set_is_made_once_and_whole(own_cache, monkeypatch):
    from envnet_tutorial.datasets import synthetic

    calls = []

    def interrupted(folder, *_):
        make_folder(folder)
        raise KeyboardInterrupt

    def counted(folder, fragments, seed, *_):
        calls.append(seed)
        make_folder(folder, seed)

    monkeypatch.setattr(synthetic, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        synthetic_folder(progress=False)
    assert [path for path in own_cache.iterdir() if path.is_dir()] == []
    monkeypatch.setattr(synthetic, "_write", counted)
    clips = load_clips("synthetic", progress=False)
    assert clips.samples.shape == (1, 80_000) and clips.classes == ("dog",)
    load_clips(progress=False)
    assert calls == [0] and synthetic_folder(3, progress=False) != synthetic_folder(progress=False)
    assert calls == [0, 3]
    folder = synthetic_folder(progress=False)
    assert folder.stat().st_mode & 0o777 == 0o755  # others may read it
    killed = folder.rename(folder.with_name(f".{folder.name}-x.unfinished"))
    assert synthetic_folder(progress=False) == folder and not killed.exists()


def test_a_decoded_clip_can_be_played_at_its_rate(paths):
    clips = decoded(paths)
    shown = player(clips[0] / 32_768, 16_000)
    waveform, rate = load_audio(io.BytesIO(shown.content))
    assert rate == 16_000 and waveform.shape[1] == 8_000


def test_forty_clips_take_no_more_than_two_seconds(tmp_path):
    """ESC-10 is ten times as much: under twenty seconds on two cores."""
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 220_500)
    soundfile.write(tmp_path / "a.ogg", noise, 44_100)
    copies = []
    for number in range(40):
        copies.append(tmp_path / f"{number}.ogg")
        shutil.copy(tmp_path / "a.ogg", copies[-1])
    start = time.process_time()  # of all threads: two cores give twice this a second
    decoded(copies, 16_000, 5)
    assert time.process_time() - start < 4


def test_a_cold_cache_leaves_a_fresh_process_its_threads(paths, own_cache):
    """Torch's number of threads is a default until a thread has computed something, and workers may not change it."""
    program = (
        "import sys, torch; from pathlib import Path; from envnet_tutorial.datasets.cache import decode; "
        "decode([Path(path) for path in sys.argv[1:]], sample_rate=16_000, num_samples=16_000, progress=False); "
        "print(torch.get_num_threads())"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "2", "ENVNET_CACHE": str(own_cache)}
    told = subprocess.run(
        [sys.executable, "-c", program, *map(str, paths)], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["2"]
