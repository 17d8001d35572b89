"""The loudest window of a clip is found and listened to, and kept without the sound."""

import numpy as np
import pytest
import torch

from envnet_tutorial import training
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import EnvNet
from envnet_tutorial.results import Result, views
from envnet_tutorial.run_folder import RunFolder, RunSettings
from envnet_tutorial.settings import ENVNET_INPUT
from experiments import listening
from experiments.program import call


def test_the_loudest_window_is_found_and_listened_to():
    network = EnvNet(3)
    clip = np.zeros(80_000, dtype=np.int16)
    clip[41_000:43_000] = 1000
    window = listening.loudest_window(clip, ENVNET_INPUT.num_samples)
    assert window.shape == (1, ENVNET_INPUT.num_samples)
    assert window.square().sum() == pytest.approx(2000 * (1000 / 32768) ** 2)
    heard = listening.listen(network, window, 1)
    assert heard["log_mel"].shape == heard["learned"].shape == (40, 150)
    with torch.no_grad():
        torch.testing.assert_close(heard["learned"], network.frontend(window[None])[0])


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Make a run folder whose network is untrained, and data with one loud moment in each clip."""
    from test_experiments_controls import tiny_clips

    clips = tiny_clips()
    settings = RunSettings(data="x", network="envnet", recipe=training.FAST, seed=5, folds=(2,), classes=clips.classes)
    folder = RunFolder.create(tmp_path / "run", settings, {"data": "tones", "command": "python -m x"})
    network = training.build_model(EnvNet, 10, seed=0)
    monkeypatch.setattr(RunFolder, "load_network", lambda self, fold: network)
    monkeypatch.setattr(listening, "load_clips", lambda *_, **__: clips)
    return folder.path


def test_what_is_heard_becomes_a_result(run, tmp_path):
    told = [str(run), "/home/me/tones", "--classes", "c,a", "--out", str(tmp_path / "result")]
    assert call(lambda: listening.main(told)) == 0
    result = Result.load(tmp_path / "result")
    heard, settings = views.heard(result), result.settings
    assert heard.log_mel.shape == heard.learned.shape == (2, 40, 150)
    assert heard.occlusion.shape == heard.gradient.shape == (2, 150)
    assert (settings["heard"], settings["clips"], settings["seeds"]) == (["c", "a"], ["2-5-A-2", "2-1-A-0"], [5])
    assert settings["provenance"] == [{"data": "tones", "command": "python -m x"}]
    last = "python -m experiments.listening run tones --classes c,a --out result"
    assert settings["commands"] == ["python -m x", last]


def test_a_class_that_is_not_there_is_refused(run):
    with pytest.raises(InputError, match="no clip of a class 'owl'; the classes are a, b"):
        listening.record(run, "data", ["a", "owl"])
