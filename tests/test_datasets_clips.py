"""Splits: along folds, and the random one that leaks and says so."""

import pytest
from tiny_sets import esc_files, lay_out

from envnet_tutorial.datasets import SourceLeakError, random_split, read_folder
from envnet_tutorial.datasets.esc50 import METADATA

FILES = esc_files()


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("ENVNET_DATA", raising=False)


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
