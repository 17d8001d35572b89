"""Folders in ESC-50's layout: metadata that holds together, and splits that do not leak."""

import numpy as np
import pytest
from tiny_sets import esc_files, lay_out, tiny_esc50

from envnet_tutorial.datasets import SourceLeakError, load_clips, random_split, read_folder
from envnet_tutorial.datasets.esc50 import METADATA
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


def leaking_folder(folder):
    """Two takes of each source, as ESC-50 has them."""
    lay_out(folder, FILES)
    path = folder / METADATA
    lines = path.read_text().splitlines()
    doubled = [line.replace("-A-", "-B-").replace(",A", ",B") for line in lines[1:]]
    path.write_text("\n".join([*lines, *doubled]))
    for clip in (folder / "audio").glob("*-A-*"):
        clip.with_name(clip.name.replace("-A-", "-B-")).write_bytes(clip.read_bytes())
    return folder


def test_a_random_split_leaks_and_is_refused_unless_asked_for(tmp_path):
    clips = read_folder(leaking_folder(tmp_path)).decode(8_000, seconds=0.25, progress=False)
    with pytest.raises(SourceLeakError, match="source recordings have fragments in both"):
        random_split(clips, 0.25, seed=1)
    train, test = random_split(clips, 0.25, seed=1, allow_leak=True)
    assert (len(train), len(test)) == (30, 10)
    assert set(train.sources) & set(test.sources)
    assert set(train.names) | set(test.names) == set(clips.names) and not set(train.names) & set(test.names)
    again, _ = random_split(clips, 0.25, seed=1, allow_leak=True)
    assert list(again.names) == list(train.names)
    assert len(clips.split(2)[1]) == 8
    with pytest.raises(ValueError, match="leaves one side empty"):
        random_split(clips, 0.0)
    with pytest.raises(ValueError, match="no clip is in fold 6"):
        clips.split(6)


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
    ],
)
def test_metadata_that_does_not_hold_together_is_named(tmp_path, change, reason):
    lay_out(tmp_path, FILES)
    path = tmp_path / METADATA
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=reason):
        read_folder(tmp_path).decode(8_000, seconds=0.25, progress=False)


def test_a_folder_that_is_no_set_is_named(tmp_path):
    with pytest.raises(InputError, match="is not a data set in ESC-50's layout"):
        load_clips(tmp_path)
    lay_out(tmp_path, FILES)
    with pytest.raises(InputError, match=r"there is no fold \[9\]"):
        load_clips(tmp_path, folds=(9,))
