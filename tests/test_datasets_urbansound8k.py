"""UrbanSound8K: shipped checksums, official folds, odd files, and words that help when it is not there."""

import re
from collections import Counter
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pytest
from tiny_sets import lay_out, tiny_urbansound8k, wav_bytes

from envnet_tutorial.__main__ import main
from envnet_tutorial.datasets import UrbanSound8K, load_clips, urbansound8k
from envnet_tutorial.errors import InputError

#: What real files look like: many rates, one and two channels, 8 to 32 bits, some of them a few milliseconds long.
KINDS = [
    {"rate": 44_100, "channels": 2},
    {"rate": 96_000, "channels": 2, "subtype": "PCM_24"},
    {"rate": 11_025, "subtype": "PCM_U8"},
    {"rate": 48_000, "channels": 2, "subtype": "FLOAT"},
    {"rate": 11_024},
    {"rate": 192_000, "channels": 2, "subtype": "PCM_24"},
    {"rate": 8_000, "subtype": "PCM_U8"},
    {"rate": 44_100, "subtype": "IMA_ADPCM"},
    {"rate": 22_050, "seconds": 0.01},
    {"rate": 32_000, "subtype": "PCM_32"},
]
FILES = {
    f"audio/fold{fold}/{100 + fold}-{fold - 1}-0-{part}.wav": wav_bytes(fold, **({"seconds": 0.5} | KINDS[fold - 1]))
    for fold in range(1, 11)
    for part in range(2)
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("ENVNET_DATA", raising=False)


def test_shipped_checksums_name_the_published_set():
    files = urbansound8k.publication().files
    assert len(files) == 8_732 == len(set(files.values()))
    assert all(re.fullmatch(r"audio/fold(\d|10)/\d+-\d-\d+-\d+\.wav", name) for name in files)
    classes = Counter(int(PurePosixPath(name).stem.split("-")[1]) for name in files)
    # Slices per class as the authors publish them (Salamon et al. 2014).
    assert [classes[label] for label in range(10)] == [1000, 429, 1000, 1000, 1000, 1000, 374, 1000, 929, 1000]
    folds = Counter(int(PurePosixPath(name).parent.name[4:]) for name in files)
    assert [folds[fold] for fold in range(1, 11)] == [873, 888, 925, 990, 936, 823, 838, 806, 816, 837]


def test_five_recordings_are_in_two_official_folds_but_never_with_one_class():
    recordings, sounds = {}, {}
    for name in urbansound8k.publication().files:
        path = PurePosixPath(name)
        recording, label, _, _ = path.stem.split("-")
        recordings.setdefault(recording, set()).add(path.parent.name)
        sounds.setdefault((recording, label), set()).add(path.parent.name)
    split = {int(recording) for recording, folds in recordings.items() if len(folds) > 1}
    assert len(recordings) == 1_297 and split == {106905, 132016, 176638, 180937, 77751}
    assert all(len(folds) == 1 for folds in sounds.values())


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_every_kind_of_file_is_decoded_to_the_same_shape(tmp_path, rate):
    found = tiny_urbansound8k(FILES)(lay_out(tmp_path, FILES))
    clips = found.clips(rate, progress=False)
    assert clips.samples.shape == (20, 4 * rate) and clips.samples.dtype == np.int16
    assert clips.classes == urbansound8k.CLASSES and (clips.labels == clips.folds - 1).all()
    assert clips.samples[:, : rate // 200].any(axis=1).all()
    assert not clips.samples[:, rate // 2 + 100 :].any()
    for fold in range(1, 11):
        train, test = clips.split(fold)
        assert (len(train), len(test)) == (18, 2)


def test_some_folds_alone(tmp_path):
    few = {name: content for name, content in FILES.items() if "fold10" in name or "fold1/" in name}
    clips = tiny_urbansound8k(FILES)(lay_out(tmp_path, few), folds=(1, 10))
    assert len(clips) == 4 and set(clips.table["fold"]) == {1, 10}
    assert clips.validate().is_whole
    with pytest.raises(InputError, match="there is no fold"):
        UrbanSound8K(tmp_path, folds=(11,))


def test_what_is_missing_or_damaged_is_said_with_where_to_get_it(tmp_path, monkeypatch):
    lay_out(tmp_path, FILES)
    names = list(FILES)
    (tmp_path / names[0]).unlink()
    (tmp_path / names[1]).write_bytes(b"half")
    (tmp_path / "audio" / "fold1" / ".DS_Store").write_bytes(b"")
    kind = tiny_urbansound8k(FILES)
    found = kind.inspect(tmp_path)
    assert (found.missing, found.corrupt, found.extra) == ((names[0],), (names[1],), ("audio/fold1/.DS_Store",))
    with pytest.raises(InputError, match=r"18 of 20 files are whole; 1 missing.*by hand from https://.*audio/fold1"):
        kind(tmp_path)
    monkeypatch.setenv("ENVNET_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"^UrbanSound8K is not whole .*0 of 8732"):
        load_clips("urbansound8k")


def test_train_goes_through_all_ten_folds_of_its_folder(tmp_path, monkeypatch, capsys):
    """Fold after fold is held out, files of every kind and length are heard, and the classes have their names."""
    import tiny  # noqa: F401  (enters a network that trains in a second)

    folder = lay_out(tmp_path / "UrbanSound8K", FILES)
    monkeypatch.setattr("envnet_tutorial.datasets.UrbanSound8K", tiny_urbansound8k(FILES))
    out = tmp_path / "run"
    told = ["--network", "tiny", "--preset", "lesson", "--epochs", "1", "--device", "cpu", "--quiet"]
    assert main(["train", "--data", str(folder), "--out", str(out), "--folds", "all", *told]) == 0
    results = pd.read_csv(out / "results.csv")
    assert results["fold"].tolist() == list(range(1, 11)) and results["clips"].tolist() == [2] * 10
    confusion = pd.read_csv(out / "confusion.csv", index_col="truth")
    assert tuple(confusion.index) == tuple(confusion.columns) == urbansound8k.CLASSES
    assert confusion.to_numpy().sum(axis=1).tolist() == [2] * 10
    (out / "fold-1" / "weights.pt").rename(tmp_path / "lone.pt")
    sound = folder / next(iter(FILES))
    alone = ["--weights", str(tmp_path / "lone.pt"), "--network", "tiny", "--data", str(folder), "--top", "1"]
    capsys.readouterr()
    assert main(["predict", str(sound), *alone]) == 0
    named = capsys.readouterr().out.removeprefix(f"{sound}: ").split()[0]
    assert named in urbansound8k.CLASSES
    lengths = [load_clips(folder, progress=False, seconds=seconds).samples.shape[1] for seconds in (None, 2)]
    assert lengths == [4 * 16_000, 2 * 16_000]  # its own 4 s, not the 5 s of ESC-50


def test_a_folder_of_it_that_is_not_whole_is_refused_in_one_sentence(tmp_path, capsys):
    folder = lay_out(tmp_path / "UrbanSound8K", dict(list(FILES.items())[:3]))
    assert main(["train", "--data", str(folder), "--out", str(tmp_path / "run"), "--quiet"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("UrbanSound8K is not whole in ") and message.count("\n") == 1
