"""A result is read as it was written, whole or not at all."""

import json

import numpy as np
import pandas as pd
import pytest

from envnet_tutorial.errors import InputError
from envnet_tutorial.results import SHIPPED, Result, load_result


@pytest.fixture
def result():
    numbers = np.random.default_rng(0).standard_normal(1000) * 10.0 ** np.arange(-500, 500).clip(-300, 300)
    tables = {"numbers": pd.DataFrame({"name": "a, b", "value": numbers}), "empty": pd.DataFrame({"fold": []})}
    arrays = {"front_end/0/1/x.weight": np.float32([[1 / 3]]), "count": np.array(7), "half": np.float16([0.1])}
    return Result({"kind": "run", "note": "ü", "seeds": [0]}, tables, arrays)


def test_a_saved_result_is_the_same_to_the_last_digit(result, tmp_path):
    result.save(tmp_path / "new" / "result")
    again = Result.load(tmp_path / "new" / "result")
    assert again.settings == result.settings
    pd.testing.assert_frame_equal(again.tables["numbers"], result.tables["numbers"], check_exact=True)
    assert again.tables["empty"].columns.tolist() == ["fold"] and set(again.tables) == {"numbers", "empty"}
    assert list(again.arrays) == list(result.arrays)
    for name, array in result.arrays.items():
        assert again.arrays[name].dtype == array.dtype and np.array_equal(again.arrays[name], array)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["result"]
    assert (tmp_path / "new" / "result").stat().st_mode & 0o777 == 0o755


def test_a_result_is_never_overwritten(result, tmp_path):
    result.save(tmp_path / "result")
    with pytest.raises(InputError, match="exists: remove it or choose another name"):
        Result({}).save(tmp_path / "result")
    assert Result.load(tmp_path / "result").settings == result.settings


def test_a_result_that_cannot_be_written_leaves_nothing(result, tmp_path, monkeypatch):
    def refuse(stream, **arrays):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez_compressed", refuse)
        with pytest.raises(InputError, match="No space left"):
            result.save(tmp_path / "result")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="could not be written"):
        result.save(tmp_path / "file" / "result")


def test_what_a_killed_process_left_is_removed(result, tmp_path):
    (tmp_path / ".result.x1.part").mkdir()
    others = [".result.v2.x1.part", ".other.x1.part"]
    for name in others:
        (tmp_path / name).mkdir()
    result.save(tmp_path / "result")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["result", *others])


def test_a_folder_that_holds_none_or_half_of_one_is_refused(result, tmp_path):
    with pytest.raises(InputError, match="does not hold a result"):
        Result.load(tmp_path)
    result.save(tmp_path / "result")
    for damaged in (b"", b"PK\3\4 half of a file", b"something else"):
        (tmp_path / "result" / "arrays.npz").write_bytes(damaged)
        with pytest.raises(InputError, match="damaged"):
            Result.load(tmp_path / "result")


def test_an_unknown_name_is_answered_with_the_known_ones():
    for name in ("esc50", "../shipped/esc10-short", ""):
        with pytest.raises(InputError, match="esc10-short, "):
            load_result(name)


def test_every_shipped_result_says_what_it_is_and_names_no_place():
    for folder in SHIPPED.iterdir():
        result = load_result(folder.name)
        assert result.settings["kind"] in (
            "run",
            "ablation",
            "controls",
            "listening",
            "throughput",
            "leak",
            "weights",
            "activations",
            "choice",
        )
        assert result.settings["commands"] and result.settings["provenance"]
        assert "/" not in result.settings.get("data", "")
        for record in result.settings["provenance"]:
            assert {"commit", "versions", "hardware", "started"} <= set(record)
        text = json.dumps(result.settings)
        assert not any(place in text for place in ('"/', " /", "=/", "~/", "\\\\"))
