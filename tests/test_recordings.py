"""A recording says what it says of itself, and every number that is printed of it follows from its tables."""

import json
import re
from pathlib import Path

import pytest
import torch

from envnet_tutorial import probing
from envnet_tutorial.errors import InputError
from envnet_tutorial.recordings import FOLDER, load_recording
from envnet_tutorial.settings import ENVNET_INPUT

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def recording():
    return load_recording("esc10-fold1")


def test_every_test_clip_counts(recording):
    assert len(recording.predictions) == 80
    assert recording.predictions["label"].value_counts().tolist() == [8] * 10
    assert all(name.startswith(f"{recording.settings['folds'][0]}-") for name in recording.predictions["name"])
    probabilities = recording.predictions[recording.settings["classes"]].to_numpy()
    assert abs(probabilities.sum(axis=1) - 1).max() < 1e-4
    assert (probabilities.argmax(axis=1) == recording.predictions["prediction"]).all()


def test_the_history_is_whole(recording):
    assert recording.history["epoch"].tolist() == list(range(1, recording.settings["recipe"]["epochs"] + 1))


def test_the_readme_prints_the_recorded_accuracy(recording):
    right = int((recording.predictions["label"] == recording.predictions["prediction"]).sum())
    text = re.sub(r"\s+", " ", (ROOT / "README.md").read_text("utf-8"))
    assert f"{right} of {len(recording.predictions)} clips ({recording.accuracy:.1%})" in text


def test_the_front_end_hears_in_bands(recording):
    frequencies = probing.probe_frequencies(96, 50, 0.495 * ENVNET_INPUT.sample_rate)
    network = recording.load_front_end()
    assert all(
        torch.equal(value, recording.feature_conv[key]) for key, value in network.feature_conv.state_dict().items()
    )
    assert probing.diagonality(probing.response_matrix(network, frequencies), frequencies) > 0.5


def test_a_recording_names_no_place():
    for path in FOLDER.glob("*/settings.json"):
        assert "/" not in json.loads(path.read_text("utf-8"))["data"]


def test_an_unknown_recording_is_refused():
    with pytest.raises(InputError, match="esc10-fold1"):
        load_recording("esc50")


def test_recording_needs_a_run(tmp_path):
    from scripts.recording import record

    with pytest.raises(InputError, match="not a run folder"):
        record(tmp_path, 1, tmp_path / "recording", "ESC-10")
    assert not (tmp_path / "recording").exists()
