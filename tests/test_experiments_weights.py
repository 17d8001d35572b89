"""Trained networks are rounded, tested again on the fold that they have not heard, and kept."""

import numpy as np
import pytest
import torch

from envnet_tutorial import training
from envnet_tutorial.audio.levels import compress_levels
from envnet_tutorial.errors import InputError
from envnet_tutorial.models.compact import CompactPooledNorm
from envnet_tutorial.pretrained import Pretrained
from envnet_tutorial.results import Result
from envnet_tutorial.run_folder import RunFolder, RunSettings
from experiments import weights
from experiments.listening import loudest_window
from experiments.program import call


@pytest.fixture
def clips(monkeypatch):
    from test_experiments_controls import tiny_clips

    clips = tiny_clips()
    monkeypatch.setattr(weights, "load_clips", lambda *_, **__: clips)
    return clips


@pytest.fixture
def runs(tmp_path, clips):
    """Make a run folder for each of two folds, with untrained networks."""
    folders = []
    for fold in (2, 1):
        settings = RunSettings(
            data="x",
            network="compact-pooled-norm",
            recipe=training.FAST,
            seed=5,
            folds=(fold,),
            classes=clips.classes,
        )
        command = {"data": "tones", "command": f"python -m x --folds {fold}"}
        folder = RunFolder.create(tmp_path / f"run-{fold}", settings, command)
        folder.fold_path(fold).mkdir()
        network = training.build_model(CompactPooledNorm, len(clips.classes), seed=fold)
        torch.save(network.state_dict(), folder.fold_path(fold) / "weights.pt")
        folders.append(folder.path)
    return folders


def test_weights_lose_digits_and_norms_do_not():
    state = {"weight": torch.full((2, 3), 1 / 3), "bias": torch.full((2,), 1 / 3), "count": torch.tensor(7)}
    kept = weights.rounded(state)
    assert {name: array.dtype.name for name, array in kept.items()} == {
        "weight": "float16",
        "bias": "float32",
        "count": "int64",
    }
    assert kept["weight"][0, 0] != kept["bias"][0] and abs(kept["weight"][0, 0] - 1 / 3) < 1e-3


def test_runs_become_pretrained_networks(runs, clips, tmp_path, capsys):
    told = ["/home/me/tones", *map(str, runs), "--out", str(tmp_path / "result")]
    assert call(lambda: weights.main(told)) == 0
    result = Result.load(tmp_path / "result")
    pretrained = Pretrained(result)
    assert pretrained.folds == (1, 2) and result.settings["seeds"] == [5]
    table = result.tables["clips"]
    for fold in pretrained.folds:
        network, (_, test) = pretrained.network(fold), clips.split(fold)
        own = table[table["fold"] == fold]
        probabilities = training.predict(network, test.samples, training.FAST.preparation)
        assert own["prediction"].tolist() == probabilities.argmax(axis=1).tolist()
        window = loudest_window(test.samples[0], network.input_format.num_samples, 160)
        with torch.inference_mode():
            heard = network(compress_levels(window, 2.5)[None]).softmax(dim=1)[0]
        assert own["window_probability"].iloc[0] == pytest.approx(float(heard.max()), abs=1e-5)
        assert own["window_prediction"].iloc[0] == int(heard.argmax())
    assert result.settings["licence"] == "The licence of the clips that they have learned from, tones."
    assert "CC BY-NC" in weights.licence_of("ESC-50")
    assert result.settings["commands"][:2] == ["python -m x --folds 1", "python -m x --folds 2"]
    assert result.settings["commands"][2].startswith("python -m experiments.weights tones run-2 run-1 --out ")
    assert f"of {len(table)} clips right" in capsys.readouterr().out


def test_a_name_that_leads_elsewhere_is_refused_and_an_interruption_has_no_traceback(runs, clips, capsys):
    assert call(lambda: weights.main(["tones", str(runs[0]), "--name", "../../x"])) == 2
    assert "--name is one word" in capsys.readouterr().err

    def interrupt(*given):
        raise KeyboardInterrupt

    assert call(interrupt) == 130 and capsys.readouterr().err == "interrupted\n"


def test_unlike_and_unfinished_runs_are_refused(runs, clips, tmp_path):
    settings = RunSettings(data="x", network="compact", recipe=training.FAST, seed=5, folds=(3,), classes=clips.classes)
    other = RunFolder.create(tmp_path / "other", settings, {"data": "tones", "command": "x"}).path
    with pytest.raises(InputError, match="different networks, recipes, seeds or classes"):
        weights.record("tones", [*runs, other])
    with pytest.raises(InputError, match=r"no fold of .* is finished"):
        weights.record("tones", [other])


def test_the_loudest_window_is_searched_in_hops_of_the_page():
    clip = np.zeros(50_000, dtype=np.int16)
    clip[30_000:30_320] = 5000
    start = (30_320 - 24_014 + 159) // 160 * 160  # the first place in whole hops that holds all of it
    torch.testing.assert_close(
        loudest_window(clip, 24_014, 160), torch.from_numpy(clip[start : start + 24_014].copy())[None] / 32768
    )
