"""The controls of lesson 5 are what they say, are trained once, and say when and on what."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import TinyPooledNorm, write_set

from envnet_tutorial import training
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result, load_result, views
from envnet_tutorial.settings import ENVNET_INPUT
from experiments import controls
from experiments.program import call
from experiments.trainings import all_commands

CPU = torch.device("cpu")


def test_the_untrained_control_can_be_made_again():
    shipped = load_result("esc10-controls")
    clips = tiny_clips()
    made = controls.train_control("untrained", 3, clips, device=CPU, progress=False)
    again = controls.probe(Result(controls.settings_of("untrained", 3, clips), made.tables, made.arrays))
    expected = torch.stack(
        [views.responses_of(shipped, "untrained", amplitude)[3] for amplitude in controls.AMPLITUDES]
    )
    torch.testing.assert_close(expected, again, rtol=2e-3, atol=2e-3)


def tiny_clips():
    """Two clips of each of ten classes, one of them in fold 1."""
    samples = np.random.default_rng(0).integers(-3000, 3000, (20, 80_000)).astype(np.int16)
    labels = np.repeat(np.arange(10), 2)
    folds = np.tile([1, 2], 10)
    names = np.array([f"{fold}-{i}-A-{label}" for i, (fold, label) in enumerate(zip(folds, labels, strict=True))])
    return ClipArray(
        samples=samples,
        labels=labels,
        folds=folds,
        sources=np.arange(20).astype(str),
        names=names,
        classes=tuple("abcdefghij"),
        sample_rate=ENVNET_INPUT.sample_rate,
    )


@pytest.mark.parametrize("name", ["white noise", "noise with the clips' spectra", "shuffled labels"])
def test_noise_controls_keep_what_they_say(name):
    clips = tiny_clips()
    tones = np.sin(2 * np.pi * 0.05 * np.arange(1, 21)[:, None] * np.arange(80_000) / 20) * 5000
    clips = replace(clips, samples=tones.astype(np.int16))
    control = controls.CONTROLS[name](clips, np.random.default_rng(1))
    loudness = [np.sqrt(np.square(part.samples, dtype=np.float64).mean(axis=1)) for part in (clips, control)]
    np.testing.assert_allclose(loudness[1], loudness[0], rtol=0.02)
    spectra = [np.abs(np.fft.rfft(part.samples.astype(np.float64), axis=1)) for part in (clips, control)]
    same_spectrum = np.corrcoef(spectra[0].ravel(), spectra[1].ravel())[0, 1] > 0.99
    same_samples = np.array_equal(clips.samples, control.samples)
    same_labels = np.array_equal(clips.labels, control.labels)
    expected = {
        "white noise": (False, False, True),
        "noise with the clips' spectra": (True, False, True),
        "shuffled labels": (True, True, False),
    }
    assert (same_spectrum, same_samples, same_labels) == expected[name]
    assert sorted(control.labels) == sorted(clips.labels)


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Let the program train tiny networks on tiny clips, and count the trainings."""
    trained, fit = [], training.fit

    def counted(model, train, *arguments, **options):
        trained.append(len(train))
        return fit(model, train, *arguments, **options)

    monkeypatch.setitem(NETWORKS, "tiny", TinyPooledNorm)
    monkeypatch.setattr(controls, "NETWORK", "tiny")
    monkeypatch.setattr(controls, "RECIPE", replace(controls.RECIPE, epochs=1))
    monkeypatch.setattr(controls, "FREQUENCIES", torch.linspace(100, 3_000, 5))
    monkeypatch.setattr(controls, "load_clips", lambda data, progress: tones_of(data))
    monkeypatch.setattr(training, "fit", counted)
    return write_set(tmp_path), trained


def tones_of(data):
    """Read the tiny clips at the tiny network's rate."""
    from envnet_tutorial.datasets import load_clips

    return load_clips(data, sample_rate=TinyPooledNorm.input_format.sample_rate, seconds=1, progress=False)


def test_stopped_and_called_again_it_trains_what_is_missing_and_keeps_the_provenance(tiny, tmp_path, capsys):
    data, trained = tiny
    kept = tmp_path / "trainings"
    told = [str(data), "--data-name", "tones", "--trainings", str(kept), "--quiet", "--device", "cpu"]
    assert call(lambda: controls.main([*told, "--seeds", "1", "--out", str(tmp_path / "one")])) == 0
    assert len(trained) == len(controls.CONTROLS)
    before = Result.load(kept / "trained-seed-0").settings["provenance"]
    assert call(lambda: controls.main([*told, "--seeds", "2", "--out", str(tmp_path / "two")])) == 0
    assert len(trained) == 2 * len(controls.CONTROLS)
    one, two = Result.load(tmp_path / "one"), Result.load(tmp_path / "two")
    assert two.settings["provenance"][0] == before[0] == one.settings["provenance"][0]
    assert [record["hardware"]["device"] for record in two.settings["provenance"]] == ["cpu", "cpu"]
    assert two.settings["commands"][0] == one.settings["commands"][0] and len(two.settings["commands"]) == 2
    assert one.settings["data"] == "tones" and str(tmp_path) not in str(two.settings)
    assert two.tables["networks"]["control"].tolist() == [name for name in controls.NAMES for _ in range(2)]
    assert two.arrays["responses"].shape == (10, 2, 6, 5)
    torch.testing.assert_close(views.responses_of(two, "trained")[:1], views.responses_of(one, "trained"))
    some = ["--seeds", "1", "--only", "trained", "--only", "shuffled labels"]
    assert call(lambda: controls.main([*told, *some, "--out", str(tmp_path / "some")])) == 0
    assert Result.load(tmp_path / "some").tables["networks"]["control"].tolist() == ["trained", "shuffled labels"]
    assert call(lambda: controls.main([*told, "--out", str(tmp_path / "two")])) == 2
    assert "exists" in capsys.readouterr().err and len(trained) == 2 * len(controls.CONTROLS)


def test_the_command_that_joins_trainings_comes_last():
    made = [Result({"provenance": [{"command": command}]}, {}, {}) for command in ("a", "b", "a", "c")]
    assert all_commands(made, "a") == ["b", "c", "a"]
    assert all_commands(made, "d") == ["a", "b", "c", "d"]
