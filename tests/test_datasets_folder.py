"""Folders in ESC-50's layout: metadata that holds together, and splits that do not leak."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_sets import encoded, esc50_metadata, esc_files, lay_out, tiny_esc50, whole_esc50

from envnet_tutorial.datasets import load_clips, open_folder, read_folder, set_name
from envnet_tutorial.datasets.esc50 import METADATA, METADATA_MD5
from envnet_tutorial.datasets.locations import cache_root
from envnet_tutorial.datasets.published import set_folder
from envnet_tutorial.errors import InputError

FILES = esc_files()


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("ENVNET_DATA", raising=False)


def test_table_and_clips_follow_the_metadata(tmp_path):
    lay_out(tmp_path, FILES)
    found = tiny_esc50(FILES)(tmp_path, subset="esc10", folds=(1, 3))
    assert found.table["fold"].unique().tolist() == [1, 3]
    clips = found.clips(8_000, seconds=0.3, progress=False)
    assert clips.samples.shape == (6, 2_400) and clips.samples.dtype == np.int16
    assert clips.classes == ("dog", "rooster", "rain") and set(clips.labels.tolist()) == {0, 1, 2}
    assert [clips.classes[label] for label in clips.labels] == found.table["category"].tolist()
    train, test = clips.split(3)
    assert len(train) == len(test) == 3 and not set(train.sources) & set(test.sources)
    assert (clips.samples[:, :2_000].std(axis=1) > 1_000).all() and not clips.samples[:, 2_010:].any()


def test_all_of_esc50_splits_along_its_own_folds(tmp_path):
    assert hashlib.md5(esc50_metadata()).hexdigest() == METADATA_MD5
    clips = read_folder(whole_esc50(tmp_path / "esc50")).decode(8_000, seconds=0.1, progress=False)
    assert len(clips) == 2_000 and clips.num_classes == 50
    for fold in range(1, 6):
        train, test = clips.split(fold)
        assert (len(train), len(test)) == (1_600, 400)
        assert np.bincount(test.labels).tolist() == [8] * 50


def test_four_recordings_of_esc50_are_in_two_folds_with_another_class_in_each(tmp_path):
    clips = read_folder(whole_esc50(tmp_path / "esc50")).decode(8_000, seconds=0.1, progress=False)
    heard = {}
    for source, fold, label in zip(clips.sources, clips.folds.tolist(), clips.labels, strict=True):
        heard.setdefault(source.split("-")[0], set()).add((fold, clips.classes[label]))
    shared = {recording: places for recording, places in heard.items() if len({fold for fold, _ in places}) > 1}
    assert shared == {
        "131943": {(2, "clock_tick"), (3, "clock_alarm")},
        "134049": {(2, "hen"), (3, "rooster")},
        "209698": {(4, "clock_alarm"), (5, "clock_tick")},
        "234879": {(4, "hen"), (5, "rooster")},
    }
    assert len(heard) == 1_524 and len(set(clips.sources.tolist())) == 1_528


def test_a_folder_may_mix_kinds_and_rates(tmp_path):
    kinds = {"wav": ("WAV", 44_100), "flac": ("FLAC", 16_000), "ogg": ("OGG", 48_000), "mp3": ("MP3", 22_050)}
    files, lines = {}, ["filename,fold,target,category,src_file"]
    for row, (ending, (kind, rate)) in enumerate(kinds.items()):
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
        files[f"audio/{row}.{ending}"] = encoded(tone, rate, kind)
        lines.append(f"{row}.{ending},{row % 2 + 1},{row % 2},{'ab'[row % 2]},{row}")
    folder = lay_out(tmp_path, files | {METADATA: "\n".join(lines).encode()})
    clips = read_folder(folder).decode(8_000, seconds=1, progress=False)
    middle = clips.samples[:, 2_000:6_000] / 32_768
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(4_000)))
    assert (spectrum.argmax(axis=1) == 220).all()  # 440 Hz: bins are 2 Hz apart
    assert np.sqrt(2 * (middle**2).mean(axis=1)) == pytest.approx([0.5] * 4, rel=0.03)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("src_file", "source"), "lacks src_file"),
        (lambda text: text.replace("1-1000-A-0.wav", "../1-1000-A-0.wav"), "not a plain file name"),
        (lambda text: text.replace("1-1001-A-1.wav", "1-1000-A-0.wav"), "twice"),
        (lambda text: text.replace("1-1000-A-0.wav", "1-1000-B-0.wav"), "1 of 20 clips are missing"),
        (lambda text: text.replace(",dog,", ",,"), "lacks values"),
        (lambda text: text.splitlines()[0], "lists no clip"),
        (lambda text: "", "cannot be read as a table"),
        (lambda text: text.replace("wav,1,", "wav,one,"), "not a whole number"),
        (lambda text: text.replace("rooster", "dog"), "not one to one"),
        (lambda text: text.replace("rooster", "label"), "a category 'label', as a column of every result is called"),
    ],
)
def test_metadata_that_does_not_hold_together_is_named(tmp_path, change, reason):
    lay_out(tmp_path, FILES)
    path = tmp_path / METADATA
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=reason):
        read_folder(tmp_path).decode(8_000, seconds=0.25, progress=False)


def test_a_class_may_be_called_na(tmp_path):
    lay_out(tmp_path, FILES)
    path = tmp_path / METADATA
    path.write_text(path.read_text().replace(",dog,", ",NA,"))
    assert read_folder(tmp_path).classes == ("NA", "rooster", "pig", "rain")


@pytest.mark.parametrize("data", ["ESC-10", "esc10", "Esc10"])
def test_a_set_goes_by_its_name_however_it_is_written(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert set_name(data) == "esc10" and set_name("dogs") is None
    with pytest.raises(InputError, match="ESC-50 is not whole"):
        load_clips(data, download=False)
    (tmp_path / "ESC-10").mkdir()
    assert set_name(data) == (None if data == "ESC-10" else "esc10")  # a folder of that name is meant, then


def test_a_set_that_is_asked_for_by_name_is_not_fetched_into_another(tmp_path, monkeypatch):
    (tmp_path / "other" / "audio" / "fold1").mkdir(parents=True)
    monkeypatch.setenv("ENVNET_DATA", str(tmp_path / "other"))
    with pytest.raises(InputError, match=r"other is laid out as UrbanSound8K: .* take it out of ENVNET_DATA"):
        load_clips("esc50")
    monkeypatch.setenv("ENVNET_DATA", "esc10")  # a name is no folder
    assert set_folder(None, "ESC-50") == cache_root() / "ESC-50"


def test_a_place_at_home_may_be_written_short(tmp_path, monkeypatch):
    lay_out(tmp_path / "set", FILES)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_folder(Path("~/set")).classes == open_folder(tmp_path / "set").classes
    (tmp_path / "urban" / "audio" / "fold1").mkdir(parents=True)
    with pytest.raises(InputError, match="UrbanSound8K is not whole"):
        open_folder(Path("~/urban"))


def test_a_clip_that_ends_too_early_is_damaged_unless_it_was_published_so(tmp_path):
    lay_out(tmp_path, FILES)
    path = tmp_path / "audio" / "1-1000-A-0.wav"
    path.write_bytes(path.read_bytes()[:2_000])
    with pytest.raises(InputError, match=r"1-1000-A-0.wav is truncated: 0.\d+ s of the 0.250 s"):
        read_folder(tmp_path).decode(8_000, seconds=0.25, progress=False)
    published = replace(read_folder(tmp_path), verified=True).decode(8_000, seconds=0.25, progress=False)
    assert published.samples[0].any() and not published.samples[0, -1000:].any()


def test_a_folder_that_is_no_set_is_named(tmp_path):
    with pytest.raises(InputError, match="is not a data set in ESC-50's layout"):
        load_clips(tmp_path)
    lay_out(tmp_path, FILES)
    with pytest.raises(InputError, match=r"there is no fold \[9\]"):
        load_clips(tmp_path, folds=(9,))
