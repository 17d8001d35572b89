"""The embedded data: ESC-50's layout, the same bytes every time, and sounds whose physics is measured back."""

import csv
import errno
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from envnet_tutorial.datasets import synthetic
from envnet_tutorial.datasets.sounds.filters import apply_response, band, vocal_tract
from envnet_tutorial.datasets.sounds.signals import add_at, drift, poisson_impulses, pulse_train
from envnet_tutorial.datasets.synthetic import CLASSES, SOUNDS, Fragment, example, plan, synthesize
from envnet_tutorial.errors import InputError
from envnet_tutorial.settings import CLIP_RATE, CLIP_SECONDS

#: Sum of absolute samples of example(category, seed=0), in full-scale units, for recipe version 2.
FINGERPRINTS = {
    "dog": 4174.45,
    "rooster": 16715.29,
    "rain": 8527.03,
    "sea_waves": 16330.65,
    "crackling_fire": 10396.34,
    "crying_baby": 18170.36,
    "sneezing": 2064.94,
    "clock_tick": 1820.77,
    "helicopter": 16255.37,
    "chainsaw": 13090.25,
}


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    return synthesize(tmp_path_factory.mktemp("synthetic") / "set", clips_per_class=5, workers=2, progress=False)


def table(folder):
    with (folder / "meta" / "esc50.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def source_and_take(category, seed=0):
    """Draw a source with known parameters and its sound."""
    source = SOUNDS[category].draw(np.random.default_rng([seed, 7]))
    return source, source.take(np.random.default_rng([seed, 8]))


def power(wave):
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
    return np.fft.rfftfreq(len(wave), 1 / CLIP_RATE), spectrum


def envelope(wave, frame=100):
    """Root mean square of short frames, shape (frame,), at 441 values a second."""
    return np.sqrt((wave[: len(wave) // frame * frame].reshape(-1, frame) ** 2).mean(axis=1))


def repetition(curve, rate, low, high):
    """Period in seconds between `low` and `high` at which a curve resembles itself most (autocorrelation by FFT)."""
    centred = curve - curve.mean()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2)[: len(centred)]
    correlation /= np.arange(len(centred), 0, -1)
    lags = np.arange(len(centred)) / rate
    inside = (lags >= low) & (lags <= high)
    return lags[inside][correlation[inside].argmax()]


# --- layout -----------------------------------------------------------------------------------------------------


def test_layout_is_that_of_esc50(small_set):
    rows = table(small_set)
    header = (small_set / "meta" / "esc50.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "filename,fold,target,category,esc10,src_file,take"
    assert {row["filename"] for row in rows} == {path.name for path in (small_set / "audio").iterdir()}
    for row in rows:
        assert re.fullmatch(r"[1-5]-\d+-[A-Z]-\d+\.wav", row["filename"])
        assert row["filename"] == f"{row['fold']}-{row['src_file']}-{row['take']}-{row['target']}.wav"
        assert row["category"] == CLASSES[int(row["target"])]
        assert row["esc10"] == "True"


def test_full_plan_has_five_equal_folds_grouped_by_source():
    clips = plan(seed=0, clips_per_class=40)
    cells = [(clip.fold, clip.target) for clip in clips]
    assert len(clips) == len({clip.filename for clip in clips}) == 400
    assert {cells.count(cell) for cell in set(cells)} == {8}
    assert len(set(cells)) == 50
    folds_of_source = {}
    for clip in clips:
        folds_of_source.setdefault(clip.source_id, set()).add((clip.fold, clip.target))
    assert all(len(places) == 1 for places in folds_of_source.values())
    assert 100 < len(folds_of_source) < 300  # several takes a source, several sources a fold


def test_takes_of_a_source_are_lettered_without_a_gap():
    takes = {}
    for clip in plan(seed=3, clips_per_class=40):
        takes.setdefault(clip.source_id, []).append(clip.take_letter)
    assert all("".join(sorted(letters)) in "ABCD" for letters in takes.values())
    assert max(len(letters) for letters in takes.values()) > 2


def test_files_are_sixteen_bit_mono_at_44100_hz(small_set):
    for path in (small_set / "audio").iterdir():
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype, info.format) == (44_100, 1, "PCM_16", "WAV")
        assert info.frames == 220_500
        assert path.stat().st_size == synthetic.FILE_BYTES


# --- the same bytes ---------------------------------------------------------------------------------------------


def test_bytes_do_not_depend_on_the_number_of_workers(small_set, tmp_path):
    again = synthesize(tmp_path / "again", clips_per_class=5, workers=1, progress=False)
    assert digests(again) == digests(small_set)


def test_another_seed_is_another_set():
    for target in CLASSES:
        clip = Fragment(1, target, 0, 0)
        assert not np.array_equal(clip.render(0), clip.render(1))


def test_example_is_the_first_clip_of_the_set(small_set):
    waveform, rate = example("dog")
    stored, _ = soundfile.read(small_set / "audio" / Fragment(1, 0, 0, 0).filename, dtype="float32")
    assert rate == CLIP_RATE
    assert waveform.shape == (1, CLIP_RATE * CLIP_SECONDS)
    assert waveform.dtype == torch.float32
    np.testing.assert_array_equal(waveform[0].numpy(), stored)


@pytest.mark.parametrize("category", CLASSES.values())
def test_sound_is_that_of_this_recipe_version(category):
    """If this fails because a sound was changed on purpose, raise RECIPE_VERSION and renew the fingerprint."""
    waveform, _ = example(category)
    assert float(waveform.double().abs().sum()) == pytest.approx(FINGERPRINTS[category], rel=1e-4)


# --- the folder -------------------------------------------------------------------------------------------------


def fail_on_the_third(monkeypatch):
    render, calls = Fragment.render, []

    def failing(self, seed):
        calls.append(self)
        if len(calls) == 3:
            raise RuntimeError("the disk is full")
        return render(self, seed)

    monkeypatch.setattr(Fragment, "render", failing)


def test_nothing_half_written_stays_after_an_exception(tmp_path, monkeypatch):
    fail_on_the_third(monkeypatch)
    with pytest.raises(RuntimeError, match="disk is full"):
        synthesize(tmp_path / "set", clips_per_class=5, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"set could not be written \(No space left on device\)"):
        synthesize(tmp_path / "set", clips_per_class=5, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_replacement_leaves_the_old_set(small_set, tmp_path, monkeypatch):
    folder = tmp_path / "set"
    folder.mkdir()
    for part in ("audio", "meta"):
        (folder / part).symlink_to(small_set / part)
    before = digests(small_set)
    fail_on_the_third(monkeypatch)
    with pytest.raises(RuntimeError, match="disk is full"):
        synthesize(folder, seed=1, clips_per_class=5, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert digests(small_set) == before


def test_a_complete_set_is_not_made_again(small_set, monkeypatch):
    monkeypatch.setattr(Fragment, "render", lambda *_: pytest.fail("rendered again"))
    assert synthesize(small_set, clips_per_class=5, progress=False) == small_set


def test_a_truncated_file_or_an_old_recipe_is_made_again(small_set, monkeypatch):
    recipe = {"name": "envnet-tutorial", "version": synthetic.RECIPE_VERSION, "seed": 0, "clips_per_class": 5}
    assert synthetic._is_complete(small_set, recipe)
    assert not synthetic._is_complete(small_set, recipe | {"version": synthetic.RECIPE_VERSION + 1})
    monkeypatch.setattr(synthetic, "FILE_BYTES", synthetic.FILE_BYTES + 2)
    assert not synthetic._is_complete(small_set, recipe)


def test_a_file_that_somebody_put_into_the_set_is_not_lost(tmp_path):
    folder = synthesize(tmp_path / "set", clips_per_class=5, progress=False)
    (folder / "audio" / "mine.wav").write_text("my voice")
    with pytest.raises(InputError, match=r"mine.wav was not made by synthesize\(\) and would be lost"):
        synthesize(folder, seed=1, clips_per_class=5, progress=False)
    assert (folder / "audio" / "mine.wav").read_text() == "my voice"


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="is not empty and was not made by"):
        synthesize(tmp_path, clips_per_class=5, progress=False)
    with pytest.raises(ValueError, match="is a file"):
        synthesize(tmp_path / "thesis.txt", clips_per_class=5, progress=False)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"clips_per_class": 7}, "multiple of 5"),
        ({"clips_per_class": 0}, "multiple of 5"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"workers": 0}, "workers must be 1 or more"),
    ],
)
def test_senseless_numbers_are_refused_before_anything_is_written(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        synthesize(tmp_path / "set", progress=False, **wrong)
    assert list(tmp_path.iterdir()) == []


def test_unknown_category_is_refused_with_the_list():
    with pytest.raises(ValueError, match="no category 'cat'; there are dog, rooster"):
        example("cat")


# --- the sounds -------------------------------------------------------------------------------------------------


def test_levels_no_clipping_no_silence_no_offset(small_set):
    for path in (small_set / "audio").iterdir():
        samples, _ = soundfile.read(path)
        peak = np.abs(samples).max()
        assert 0.02 < peak < 0.995, path.name
        assert np.sqrt(np.mean(samples**2)) > 0.001, path.name
        assert abs(samples.mean()) < 0.01 * peak, path.name
        assert np.count_nonzero(samples) > 0.04 * len(samples), path.name


@pytest.mark.parametrize("seed", range(4))
def test_helicopter_beats_at_its_blade_pass_frequency(seed):
    source, wave = source_and_take("helicopter", seed)
    low_passed = apply_response(wave, band(0.0, 1_500.0))
    period = repetition(envelope(low_passed), CLIP_RATE / 100, 0.7 / source.blade_pass, 1.4 / source.blade_pass)
    assert 1 / period == pytest.approx(source.blade_pass, rel=0.06)


@pytest.mark.parametrize("seed", range(4))
def test_clock_repeats_after_its_period(seed):
    source, wave = source_and_take("clock_tick", seed)
    tick_and_tock = 2 * source.period
    bright = apply_response(wave, band(400.0, 20_000.0))
    found = repetition(envelope(bright), CLIP_RATE / 100, 0.8 * tick_and_tock, 1.2 * tick_and_tock)
    assert found == pytest.approx(tick_and_tock, rel=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_rooster_harmonics_are_spaced_by_a_crowing_fundamental(seed):
    source, wave = source_and_take("rooster", seed)
    loudest = envelope(wave, 2_205).argmax() * 2_205
    period = repetition(wave[loudest : loudest + 4_410], CLIP_RATE, 1 / 950, 1 / 280)
    assert 300 < 1 / period < 900
    assert 0.5 < 1 / period / source.pitch < 1.3


@pytest.mark.parametrize("seed", range(4))
def test_baby_cries_between_250_and_750_hz(seed):
    source, wave = source_and_take("crying_baby", seed)
    loudest = envelope(wave, 2_205).argmax() * 2_205
    period = repetition(wave[loudest : loudest + 3_000], CLIP_RATE, 1 / 800, 1 / 200)
    assert 0.6 < 1 / period / source.pitch < 1.5


@pytest.mark.parametrize("seed", range(4))
def test_chainsaw_turns_between_idle_and_full_speed(seed):
    source, wave = source_and_take("chainsaw", seed)
    loudest = envelope(wave, 4_410).argmax() * 4_410
    period = repetition(wave[loudest : loudest + 8_820], CLIP_RATE, 0.85 / source.full, 1.15 / source.idle)
    assert source.idle * 0.9 < 1 / period < source.full * 1.1


def flatness(wave):
    """Geometric over arithmetic mean of the averaged spectrum from 300 Hz to 5 kHz: 1 for white noise."""
    frames = wave[: len(wave) // 2_048 * 2_048].reshape(-1, 2_048) * np.hanning(2_048)
    spectrum = (np.abs(np.fft.rfft(frames, axis=1)) ** 2).mean(axis=0)[14:232] + 1e-20
    return np.exp(np.log(spectrum).mean()) / spectrum.mean()


def test_rain_is_flatter_than_crowing_and_fire_spikier_than_rain():
    sounds = {
        name: [source_and_take(name, seed)[1] for seed in range(5)] for name in ("rain", "rooster", "crackling_fire")
    }
    flat = {name: np.median([flatness(wave) for wave in waves]) for name, waves in sounds.items()}
    crest = {name: np.median([np.abs(w).max() / w.std() for w in waves]) for name, waves in sounds.items()}
    assert flat["rain"] > 2 * flat["rooster"]
    assert crest["crackling_fire"] > 2 * crest["rain"]


def test_surf_swells_slowly_and_falls_with_frequency():
    for seed in range(3):
        _, wave = source_and_take("sea_waves", seed)
        frequencies, spectrum = power(wave)
        low = spectrum[(frequencies > 100) & (frequencies < 800)].mean()
        high = spectrum[(frequencies > 4_000) & (frequencies < 8_000)].mean()
        assert low > 5 * high
        loud = envelope(wave, 22_050)
        assert 1.1 < loud.max() / loud.min() < 30


def test_sneeze_and_bark_are_short_events_with_quiet_around_them():
    for name in ("sneezing", "dog"):
        for seed in range(3):
            loud = envelope(source_and_take(name, seed)[1], 2_205)
            assert np.mean(loud > 0.3 * loud.max()) < 0.6


def test_takes_of_one_source_are_more_alike_than_sources():
    def profile(target, source, take):
        frequencies, spectrum = power(Fragment(1, target, source, take).render(0).astype(float))
        edges = np.geomspace(60, 16_000, 25)
        return 10 * np.log10(np.histogram(frequencies, edges, weights=spectrum)[0] + 1.0)

    for target in (10, 38, 40, 41):
        profiles = np.array([[profile(target, source, take) for take in range(2)] for source in range(4)])
        within = np.abs(profiles[:, 0] - profiles[:, 1]).mean()
        across = np.abs(profiles[:, None, 0] - profiles[None, :, 1])[~np.eye(4, dtype=bool)].mean()
        assert across > 2 * within, CLASSES[target]


# --- building blocks --------------------------------------------------------------------------------------------


def test_pulse_train_equals_the_sum_of_its_harmonics():
    frequency = np.linspace(400, 900, 4_410)
    phase = 2 * np.pi * np.cumsum(frequency) / CLIP_RATE
    count = int(0.45 * CLIP_RATE / 900)
    for ratio in (0.5, 0.9, 0.99):
        direct = sum(ratio**k * np.sin(k * phase) for k in range(1, count + 1)) * np.sqrt(1 - ratio**2)
        np.testing.assert_allclose(pulse_train(frequency, ratio), direct, atol=1e-4)


def test_filtering_is_causal_and_formants_ring_at_their_frequency():
    impulse = np.zeros(8_192)
    impulse[4_000] = 1.0
    ringing = apply_response(impulse, vocal_tract([1_000, 2_500], [60, 100]))
    assert np.abs(ringing[:3_900]).max() < 1e-3 * np.abs(ringing).max()
    frequencies, spectrum = power(ringing[3_900:])
    assert frequencies[spectrum.argmax()] == pytest.approx(1_000, abs=30)


def test_events_are_cut_at_both_ends_of_the_time_line():
    line = np.zeros(10)
    event = np.arange(1.0, 5.0)
    add_at(line, event, -2 / CLIP_RATE)
    add_at(line, event, 8 / CLIP_RATE)
    add_at(line, event, 99 / CLIP_RATE)
    np.testing.assert_array_equal(line, [3, 4, 0, 0, 0, 0, 0, 0, 1, 2])


def test_drift_is_standard_and_smooth_and_impulses_come_at_their_rate():
    curve = drift(np.random.default_rng(0), 100 * CLIP_RATE, 5.0)
    assert abs(curve.mean()) < 0.15
    assert 0.6 < curve.std() < 1.0  # between knots the curve is a mean of two
    assert np.abs(np.diff(curve)).max() < 30 / CLIP_RATE * 5
    hits = poisson_impulses(np.random.default_rng(0), 100 * CLIP_RATE, 40.0, tail=2.0)
    assert np.count_nonzero(hits) == pytest.approx(4_000, rel=0.05)
