"""A recording says what it says of itself, and every number that is printed of it follows from its tables."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from envnet_tutorial import probing
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import EnvNet
from envnet_tutorial.recordings import FOLDER, load_ablation, load_controls, load_listening, load_recording
from envnet_tutorial.runs import RunSettings
from envnet_tutorial.settings import ENVNET_INPUT
from envnet_tutorial.training import PRESETS

ROOT = Path(__file__).resolve().parent.parent
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/predictions.csv"))


@pytest.fixture(scope="module", params=NAMES)
def recording(request):
    return load_recording(request.param)


@pytest.fixture(scope="module")
def short():
    return load_recording("esc10-short")


def test_every_test_clip_of_every_fold_counts(recording):
    for fold in recording.settings["folds"]:
        table = recording.predictions[recording.predictions["fold"] == fold]
        assert len(set(table["name"])) == len(table) == 80
        assert table["label"].value_counts().tolist() == [8] * 10
        assert all(name.startswith(f"{fold}-") for name in table["name"])
    assert len(recording.predictions) == 80 * len(recording.settings["folds"])


def test_predictions_are_the_likeliest_classes(recording):
    probabilities = recording.predictions[recording.settings["classes"]].to_numpy()
    assert abs(probabilities.sum(axis=1) - 1).max() < 1e-4
    assert (probabilities.argmax(axis=1) == recording.predictions["prediction"]).all()


def test_the_history_is_whole(recording):
    epochs = list(range(1, recording.settings["recipe"]["epochs"] + 1))
    for fold in recording.settings["folds"]:
        assert recording.history.loc[recording.history["fold"] == fold, "epoch"].tolist() == epochs


def test_a_preset_makes_the_recording_again(recording):
    recorded = RunSettings.from_json(recording.settings).recipe
    preset = PRESETS[recorded.name]
    assert recorded == (preset.between_class() if recorded.mix == "bc" else preset)


def test_results_count_by_hand(short):
    for fold, row in short.results.iterrows():
        table = short.predictions[short.predictions["fold"] == fold]
        right = sum(label == given for label, given in zip(table["label"], table["prediction"], strict=True))
        assert (row["clips"], row["correct"], row["accuracy"]) == (80, right, right / 80)
        of_truth = [table[short.settings["classes"][label]].iloc[i] for i, label in enumerate(table["label"])]
        assert row["nll"] == pytest.approx(-np.mean(np.log(of_truth)))


def test_the_readme_prints_the_recorded_accuracies(recording):
    text = re.sub(r"\s+", " ", (ROOT / "README.md").read_text("utf-8"))
    results = recording.results
    counts = f"{results['correct'].sum()} of {results['clips'].sum()} clips"
    spread = f"{results['accuracy'].std():.1%}" if len(results) > 1 else "–"
    assert f"{counts} | {results['accuracy'].mean():.1%} | {spread} |" in text


def test_the_readme_compares_the_recipes_on_the_same_clips(short):
    paper, fast = (load_recording(name).results["correct"] for name in ("esc10-paper-recipe", "esc10-fast"))
    same = [results.loc[paper.index].sum() for results in (fast, paper, short.results["correct"])]
    text = re.sub(r"\s+", " ", (ROOT / "README.md").read_text("utf-8"))
    assert "`fast` gets {} of the 160 clips that `paper` gets {} of, and `short` {};".format(*same) in text
    assert f"gets {fast.drop(paper.index).sum()} of the other 240." in text


@pytest.mark.parametrize(("name", "base"), [("esc10-ablation", "fast"), ("esc10-short-ablation", "short")])
def test_an_ablation_changes_one_ingredient_on_the_same_clips(name, base):
    ablation = load_ablation(name)
    recipes = ablation.settings["recipes"]
    assert set(ablation.table["variant"]) == set(recipes)
    folds = ablation.table.groupby("variant")["fold"].agg(list)
    assert all(tested == folds[base] for tested in folds) and set(ablation.table["clips"]) == {80}
    for variant in folds.index.drop(base):
        changed = {key for key, value in recipes[variant].items() if value != recipes[base][key]}
        assert len(changed) == 1 or changed in ({"schedule", "learning_rate", "warmup"}, {"max_scale", "max_gain_db"})


def test_front_ends_hear_in_bands_more_than_untrained_ones(recording):
    controls = load_controls()
    measures = []
    for fold in recording.settings["folds"]:
        network = recording.load_front_end(fold)
        for key, value in network.feature_conv.state_dict().items():
            assert torch.equal(value, recording.feature_conv[fold][key])
        matrix = probing.response_matrix(network, controls.frequencies)
        measures.append(probing.diagonality(matrix, controls.frequencies))
    untrained = [probing.diagonality(matrix, controls.frequencies) for matrix in controls.of("untrained")]
    assert np.mean(measures) > np.mean(untrained) + np.std(untrained, ddof=1)


def test_the_film_ends_with_the_recorded_front_end(short):
    network = short.load_front_end(1)
    film = short.film
    assert film.steps[0] == 0 and film.steps[-1] == 10 * short.settings["recipe"]["epochs"]
    torch.testing.assert_close(
        film.responses[-1], probing.response_matrix(network, film.frequencies), rtol=2e-3, atol=2e-3
    )
    torch.testing.assert_close(film.kernels[-1], probing.composite_kernels(network).float(), rtol=2e-3, atol=2e-3)


def test_controls_have_five_seeds_each_and_differ():
    controls = load_controls()
    assert set(controls.table.groupby("control").size()) == {5}
    assert len(controls.responses) == len(controls.table)
    for name in controls.table["control"].unique():
        for amplitude in controls.amplitudes:
            matrices = controls.of(name, amplitude)
            assert matrices.shape == (5, 40, len(controls.frequencies))
            assert not torch.equal(matrices[0], matrices[1])
    trained = controls.table[controls.table["control"] == "trained"]["accuracy"]
    assert (
        trained.min() > 0.3 > 0.25 > controls.table[controls.table["control"] == "shuffled labels"]["accuracy"].mean()
    )


def test_the_untrained_control_can_be_made_again():
    from scripts.controls import probe, train_control

    controls = load_controls()
    clips = tiny_clips()
    row = int(np.flatnonzero((controls.table["control"] == "untrained") & (controls.table["seed"] == 3))[0])
    again = probe(train_control("untrained", 3, clips, progress=False))
    torch.testing.assert_close(controls.responses[row], again, rtol=2e-3, atol=2e-3)


def tiny_clips():
    """Two clips of each of ten classes, one of them in fold 1."""
    from envnet_tutorial.datasets.clips import ClipArray

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
    from scripts.controls import CONTROLS

    clips = tiny_clips()
    tones = np.sin(2 * np.pi * 0.05 * np.arange(1, 21)[:, None] * np.arange(80_000) / 20) * 5000
    clips = replace(clips, samples=tones.astype(np.int16))
    control = CONTROLS[name](clips, np.random.default_rng(1))
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


def test_what_was_heard_is_of_unseen_clips_and_has_the_pictures_shape():
    listening = load_listening()
    count = len(listening.settings["heard"])
    assert listening.log_mel.shape == listening.learned.shape == (count, 40, 150)
    assert listening.occlusion.shape == listening.gradient.shape == (count, 150)
    names = load_recording("esc10-short").predictions.set_index("name")
    for heard, clip in zip(listening.settings["heard"], listening.settings["clips"], strict=True):
        assert names.loc[clip, "fold"] == listening.settings["folds"][0]
        assert listening.settings["classes"][names.loc[clip, "label"]] == heard


def test_the_loudest_window_is_found_and_listened_to():
    from scripts.listening import listen, loudest_window

    network = EnvNet(3)
    clip = np.zeros(80_000, dtype=np.int16)
    clip[41_000:43_000] = 1000
    window = loudest_window(clip, ENVNET_INPUT.num_samples)
    assert window.shape == (1, ENVNET_INPUT.num_samples)
    assert window.square().sum() == pytest.approx(2000 * (1000 / 32768) ** 2)
    heard = listen(network, window, 1)
    assert heard["log_mel"].shape == heard["learned"].shape == (40, 150)
    with torch.no_grad():
        torch.testing.assert_close(heard["learned"], network.frontend(window[None])[0])


def test_a_recording_names_no_place():
    for path in FOLDER.glob("*/settings.json"):
        assert "/" not in json.loads(path.read_text("utf-8"))["data"]


@pytest.mark.parametrize(
    ("load", "known"),
    [
        (load_recording, "esc10-short"),
        (load_controls, "esc10-controls"),
        (load_listening, "esc10-listening"),
        (load_ablation, "esc10-ablation"),
    ],
)
def test_an_unknown_recording_is_refused(load, known):
    with pytest.raises(InputError, match=known):
        load("esc50")


def test_recording_needs_a_finished_run(tmp_path):
    from scripts.recording import record

    with pytest.raises(InputError, match="not a run folder"):
        record(tmp_path, tmp_path / "recording", "ESC-10")
    assert not (tmp_path / "recording").exists()
