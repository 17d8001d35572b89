"""The shipped results are whole, and every number that is printed of them follows from their tables."""

import itertools
import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from envnet_tutorial import probing, training
from envnet_tutorial.comparison import published
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.models.mel_cnn import MelStart
from envnet_tutorial.results import SHIPPED, load_result, statistics, views
from envnet_tutorial.training import PRESETS, Recipe

ROOT = Path(__file__).resolve().parent.parent
RUNS = [folder.name for folder in sorted(SHIPPED.iterdir()) if load_result(folder.name).settings["kind"] == "run"]
README = (ROOT / "README.md").read_text("utf-8")
#: The README's table of results: of each network the words, the weights, and what it has on ESC-50 and ESC-10.
README_ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in README.partition("## Results")[2].partition("\n## ")[0].splitlines()
    if line.startswith("| ") and "five folds" not in line
]
#: Each number there that leads to a recorded run: the run's name, and the cell.
README_RESULTS = {
    name: cell for row in README_ROWS for cell in row for name in re.findall(r"results\.md#([\w-]+)", cell)
}


@pytest.fixture(scope="module", params=RUNS)
def run(request):
    return load_result(request.param)


@pytest.fixture(scope="module")
def short():
    return load_result("esc10-short")


def networks(run, table):
    """Return the rows of each network of a run, by seed and fold; no network is missing and none is there twice."""
    found = dict(list(run.tables[table].groupby(["seed", "fold"])))
    assert set(found) == set(itertools.product(run.settings["seeds"], run.settings["folds"]))
    return found


def commands_of(verb, run):
    """Return the commands of a run that have a word in them."""
    return [line for line in run.settings["commands"] if verb in line.split()]


def test_every_test_clip_of_every_fold_counts(run):
    classes = len(run.settings["classes"])
    assert classes == {"ESC-10": 10, "ESC-50": 50}[run.settings["data"]]
    for (_, fold), table in networks(run, "predictions").items():
        assert len(set(table["name"])) == len(table) == 8 * classes
        assert table["label"].value_counts().tolist() == [8] * classes
        assert all(name.startswith(f"{fold}-") for name in table["name"])


def test_predictions_are_the_likeliest_classes(run):
    probabilities = run.arrays["probabilities"]
    assert abs(probabilities.sum(axis=1) - 1).max() < 1e-4
    assert (probabilities.argmax(axis=1) == run.tables["predictions"]["prediction"]).all()


def test_the_history_is_whole(run):
    epochs = list(range(1, run.settings["recipe"]["epochs"] + 1))
    for history in networks(run, "history").values():
        assert history["epoch"].tolist() == epochs


def test_a_preset_makes_the_run_again(run):
    fields = run.settings["recipe"]
    formats = fields["precision"].split(" and ")  # of several machines
    assert {line.split("--precision ")[1].split()[0] for line in commands_of("train", run)} == set(formats)
    recorded = Recipe(**fields | {"milestones": tuple(fields["milestones"]), "precision": formats[0]})
    preset = replace(PRESETS[recorded.name], precision=formats[0])
    preset = preset.between_class() if recorded.mix == "bc" else preset
    epochs = {re.search(r"--epochs (\d+)|$", line)[1] or preset.epochs for line in commands_of("train", run)}
    assert asdict(recorded) == asdict(replace(preset, epochs=int(epochs.pop()))) and not epochs


@pytest.mark.parametrize("name", README_RESULTS)
def test_the_readme_prints_the_accuracies(name):
    run = load_result(name)
    found, seeds = statistics.accuracy(run), len(run.settings["seeds"])
    said = f"[{found.mean:.1%} ± {found.standard_error:.1%}](book/results.md#{name})"
    usual = {"ESC-50": 1, "ESC-10": 3}[run.settings["data"]]  # what the heads of the columns say
    assert README_RESULTS[name] == (said if seeds == usual else f"{said} ({seeds} seed)")
    epochs = 120 if run.settings["recipe"]["mix"] == "bc" else 60
    assert run.settings["recipe"]["name"] == "fast" and run.settings["recipe"]["epochs"] == epochs
    assert run.settings["folds"] == [1, 2, 3, 4, 5]


def test_the_readme_has_envnet_and_its_opponents_on_both_sets():
    words = {
        "fast": "**EnvNet**",
        "mel-cnn": "mel CNN:",
        "compact": "compact network:",
        "compact-mel": "compact mel CNN:",
        "fast-between-class": "EnvNet from mixtures",
    }
    assert len(README_ROWS) == len(words) + 2 and set(README_RESULTS) == {
        f"esc{n}-{x}" for n in (50, 10) for x in words
    }
    for (name, word), (title, weights, *cells) in zip(words.items(), README_ROWS, strict=False):
        assert title.startswith(word)
        assert [f"#esc{number}-{name})" in cell for number, cell in zip((50, 10), cells, strict=True)] == [True, True]
        network = load_result(f"esc50-{name}").settings["network"]
        assert network in README.partition("Ours after 60 epochs")[2].partition("\n")[0]
        count = sum(parameter.numel() for parameter in NETWORKS[network](50).parameters())
        assert weights == (f"{count / 1e6:.1f} M" if count > 1e6 else f"{count:,}")


def test_the_readme_prints_the_published_means():
    for (title, _, *cells), mix, epochs in zip(README_ROWS[-2:], ("none", "bc"), ("600", "1,200"), strict=True):
        papers = [published("envnet", data, mix=mix) for data in ("ESC-50", "ESC-10")]
        assert "published" in title and f"{epochs} epochs" in title and ("mixtures" in title) == (mix == "bc")
        assert cells == [f"{paper.accuracy:.1%}" for paper in papers]


def test_mixtures_are_ahead_on_esc50_with_twice_the_epochs_as_lesson_6_says():
    single, mixed = load_result("esc50-fast"), load_result("esc50-fast-between-class")
    found = statistics.compare(single, mixed)
    assert mixed.settings["recipe"]["epochs"] == 2 * single.settings["recipe"]["epochs"]
    said = f"mixtures are ahead, by {found.answers * found.difference:.0f} clips of 2,000"
    assert said in (ROOT / "notebooks" / "06_between_class_learning.ipynb").read_text("utf-8")
    assert (views.by_fold(mixed)["correct"] > views.by_fold(single)["correct"]).all()  # "in each of the five"
    assert found.difference > 2 * max(found.standard_error, found.fold_error)


def test_lesson_7_says_what_learning_on_from_the_mel_scale_costs():
    found = statistics.compare(load_result("esc10-mel-fixed-filters"), load_result("esc10-mel-start"))
    said = f"{-found.answers * found.difference:.0f} answers, {-100 * found.difference:.1f} points, three and a half"
    assert said in (ROOT / "notebooks" / "07_architectures.ipynb").read_text("utf-8")
    assert -3.75 < found.difference / found.standard_error < -3.25
    assert found.answers == 1_200  # each clip with three seeds


def test_before_the_compact_classifier_mel_is_ahead_as_readme_and_lesson_7_say():
    learned, mel = load_result("esc50-compact"), load_result("esc50-compact-mel")
    found = statistics.compare(learned, mel)
    clips, error = (round(2_000 * share) for share in (found.difference, found.standard_error))
    assert f"before the compact one mel is ahead by {clips} clips of 2,000 on ESC-50 (standard error {error})" in README
    points, error = map(statistics.in_percent, (found.difference, found.standard_error))
    said = f"mel is ahead of a learned picture by {points} points on ESC-50 (SE {error})"
    assert said in (ROOT / "notebooks" / "07_architectures.ipynb").read_text("utf-8")
    assert (views.by_fold(mel)["correct"] > views.by_fold(learned)["correct"]).all()  # "in each fold"


@pytest.mark.parametrize(
    ("name", "least", "most"), [("fast", 70, 80), ("compact", 70, 80), ("mel-cnn", 80, 95), ("compact-mel", 80, 95)]
)
def test_what_learns_its_picture_has_fewer_of_its_own_crops_right_on_esc50(name, least, most):
    history = load_result(f"esc50-{name}").tables["history"]
    assert history[history["epoch"] == 60]["accuracy"].between(least / 100, most / 100).all()


@pytest.mark.parametrize("data", ["esc50", "esc10"])
def test_envnet_is_behind_the_mel_cnn_by_less_than_two_standard_errors_as_the_readme_says(data):
    found = statistics.compare(load_result(f"{data}-mel-cnn"), load_result(f"{data}-fast"))
    assert -2 * found.standard_error < found.difference < 0


@pytest.mark.parametrize("name", ["esc10-ablation", "esc10-short-ablation"])
def test_an_ablation_changes_one_ingredient_on_the_same_clips(name):
    ablation = load_result(name)
    recipes, base, table = ablation.settings["recipes"], ablation.settings["base"], ablation.tables["trainings"]
    assert set(table["variant"]) == set(recipes)
    folds = table.groupby("variant")["fold"].agg(list)
    assert all(tested == folds[base] for tested in folds) and set(table["clips"]) == {80}
    for variant in folds.index.drop(base):
        changed = {key for key, value in recipes[variant].items() if value != recipes[base][key]}
        assert len(changed) == 1 or changed in ({"schedule", "learning_rate", "warmup"}, {"max_scale", "max_gain_db"})


def test_each_fold_chooses_by_all_others_and_never_by_itself():
    found = load_result("esc10-choice")
    rows, table = found.tables["trainings"], views.by_reported_fold(found)
    assert (rows["reported"] != rows["validation"]).all() and set(rows["clips"]) == {80}
    for _, own in rows.groupby(["variant", "reported"]):
        assert sorted(own["validation"]) == [fold for fold in range(1, 6) if fold != own["reported"].iloc[0]]
    assert set(table["chosen"]) <= set(found.settings["recipes"]) and table.index.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", [name for name in RUNS if name != "esc10-mel-start"])
def test_front_ends_hear_in_bands_more_than_untrained_ones(name):
    run = load_result(name)
    network = NETWORKS[run.settings["network"]]
    frequencies = probing.probe_frequencies(96, 50, 0.49 * network.input_format.sample_rate)
    # The untrained ones are EnvNet's, also for a fixed mel picture; a network of another rate hears other tones.
    beginner = network if network.input_format.sample_rate != 16_000 else NETWORKS["envnet-pooled-norm"]
    beginners = [training.build_model(beginner, 10, seed=seed) for seed in range(5)]
    trained = [views.front_end(run, fold) for fold in run.settings["folds"]]
    untrained, measures = (
        [probing.diagonality(probing.response_matrix(each, frequencies), frequencies) for each in networks]
        for networks in (beginners, trained)
    )
    assert np.mean(measures) > np.mean(untrained) + np.std(untrained, ddof=1)


def test_fixed_filters_are_ahead_of_learned_ones_with_each_seed_and_in_each_fold_as_lesson_7_says():
    fixed, learned = (views.by_seed(load_result(f"esc10-{name}")) for name in ("mel-fixed-filters", "mel-start"))
    assert fixed.shape == learned.shape == (3, 6)  # three seeds; five folds and their total
    ahead = fixed - learned
    assert ahead.pop("total").tolist() == [27, 32, 23] and (ahead.sum() > 0).all()
    assert ((ahead > 0).sum(axis=None), (ahead < 0).sum(axis=None)) == (13, 1)


def test_learned_filters_have_no_more_training_crops_right_than_fixed_ones():
    fixed, learned = (load_result(f"esc10-{name}").tables["history"] for name in ("mel-fixed-filters", "mel-start"))
    last = [table[table["epoch"] == 60].groupby("seed")["accuracy"].mean() for table in (fixed, learned)]
    assert (last[0] > last[1]).all()


def test_four_of_five_filters_of_the_mel_start_stay_and_the_others_go_down():
    """Their map is in decibels, where a little of everything looks broad; the peaks tell what lesson 7 tells."""
    run, hertz = load_result("esc10-mel-start"), torch.arange(0, 8001, 10.0)
    start = MelStart(10).feature_conv.filters.weight.detach()
    trained = [
        views.front_end(run, fold, seed)
        for seed, fold in itertools.product(run.settings["seeds"], run.settings["folds"])
    ]
    peaks = []
    for weights in (start, *(network.feature_conv.filters.weight.detach() for network in trained)):
        spectra = torch.fft.rfft(weights[:, 0, 0].double(), 1600).abs().square()  # (pair, bin of 10 Hz)
        peaks.append(hertz[spectra.unflatten(0, (40, 2)).sum(dim=1).argmax(dim=1)])
    moved = (torch.stack(peaks[1:]) - peaks[0]).abs() > 100
    assert len(trained) == 15 and 115 <= moved.sum() <= 123
    assert (torch.stack(peaks[1:])[moved] > 500).sum() == 4


def test_the_film_ends_with_the_recorded_front_end(short):
    network, film = views.front_end(short, 1), views.film(short)
    assert film.steps[0] == 0 and film.steps[-1] == 10 * short.settings["recipe"]["epochs"]
    torch.testing.assert_close(
        film.responses[-1], probing.response_matrix(network, film.frequencies), rtol=2e-3, atol=2e-3
    )
    torch.testing.assert_close(film.kernels[-1], probing.composite_kernels(network).float(), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(("name", "kinds", "chance"), [("esc10-controls", 5, 0.1), ("esc50-controls", 3, 0.02)])
def test_controls_have_five_seeds_each_and_differ(name, kinds, chance):
    controls = load_result(name)
    table, frequencies = controls.tables["networks"], controls.arrays["frequencies"]
    assert table.groupby("control").size().tolist() == kinds * [5]
    assert len(controls.arrays["responses"]) == len(table)
    for name in table["control"].unique():
        for amplitude in controls.arrays["amplitudes"].tolist():
            matrices = views.responses_of(controls, name, amplitude)
            assert matrices.shape == (5, 40, len(frequencies))
            assert not torch.equal(matrices[0], matrices[1])
    accuracy = table.set_index("control")["accuracy"]
    assert accuracy["trained"].min() > 3 * chance > 2.5 * chance > accuracy["shuffled labels"].mean()


def test_what_was_heard_is_of_unseen_clips_and_has_the_pictures_shape():
    listening = load_result("esc10-listening")
    settings, heard = listening.settings, views.heard(listening)
    count = len(settings["heard"])
    assert heard.log_mel.shape == heard.learned.shape == (count, 40, 150)
    assert heard.occlusion.shape == heard.gradient.shape == (count, 150)
    names = load_result("esc10-short").tables["predictions"].set_index("name")
    for category, clip in zip(settings["heard"], settings["clips"], strict=True):
        assert names.loc[clip, "fold"] == settings["folds"][0]
        assert settings["classes"][names.loc[clip, "label"]] == category
