"""Standard errors against the textbook where nothing is shared, and against repetition where something is."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from envnet_tutorial.errors import InputError
from envnet_tutorial.results import Result, statistics

SEEDS = (0, 1)
FOLDS = 2


def run(right, sources=None, seeds=SEEDS, first=0):
    """Make a run of which clips are right: an array (clip, seed), and what each clip is a fragment of."""
    right = np.asarray(right, dtype=bool)
    sources = np.arange(len(right)) if sources is None else sources
    rows = [
        {
            "name": f"1-{source}-A{first + clip}-0.wav",
            "seed": seed,
            "fold": 1 + clip % FOLDS,
            "label": 0,
            "prediction": int(not right[clip, column]),
        }
        for clip, source in enumerate(sources)
        for column, seed in enumerate(seeds)
    ]
    return Result({"kind": "run"}, {"predictions": pd.DataFrame(rows)})


def test_a_table_prints_the_percent_that_a_sentence_prints():
    for right in range(2001):
        assert f"{statistics.in_percent(right / 2000)}%" == f"{right / 2000:.1%}"
    assert statistics.in_percent(1331 / 2000) == 66.5 != pd.Series([100 * 1331 / 2000]).round(1).item()
    assert np.isnan(statistics.in_percent(np.nan)) and statistics.in_percent(-0.0123) == -1.2


def test_one_seed_and_lone_recordings_have_the_textbooks_error():
    right = np.arange(50)[:, None] % 5 > 0  # 40 of 50
    found = statistics.accuracy(run(right, seeds=(0,)))
    assert found[:3] == (50, 1, 0.8)
    assert found.standard_error == pytest.approx(stats.sem(right[:, 0].astype(float)))


def test_fragments_that_stand_or_fall_together_count_once():
    lone = np.arange(20)[:, None] % 4 > 0
    together = statistics.accuracy(run(np.repeat(lone, 3, axis=0), np.repeat(np.arange(20), 3), seeds=(0,)))
    assert together.clips == 60
    assert together.standard_error == pytest.approx(statistics.accuracy(run(lone, seeds=(0,))).standard_error)


def test_seeds_that_answer_alike_add_nothing_and_lucky_ones_do():
    once = np.arange(20)[:, None] % 4 > 0
    alike = statistics.accuracy(run(np.repeat(once, 2, axis=1)))
    assert alike.standard_error == pytest.approx(statistics.accuracy(run(once, seeds=(0,))).standard_error)
    lucky = statistics.accuracy(run(np.c_[np.ones(20), np.arange(20) % 2]))
    clips = stats.sem(np.where(np.arange(20) % 2, 1.0, 0.5))
    assert lucky.mean == 0.75
    assert lucky.standard_error == pytest.approx(np.hypot(clips, np.std([1, 0.5], ddof=1) / np.sqrt(2)))


def test_the_error_is_the_spread_of_repetitions_with_new_recordings_and_new_seeds():
    generator, found = np.random.default_rng(0), []
    sources = np.repeat(np.arange(100), 2)
    for _ in range(300):
        ease = np.repeat(generator.normal(0.8, 0.7, (100, 1)), 2, axis=0)
        luck = generator.normal(0, 0.15, (1, 3))
        found.append(statistics.accuracy(run(ease + luck + generator.normal(0, 0.5, (200, 3)) > 0, sources, (0, 1, 2))))
    spread, errors = np.std([one.mean for one in found], ddof=1), [one.standard_error for one in found]
    naive = np.sqrt(np.mean([one.mean * (1 - one.mean) for one in found]) / 600)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(spread, rel=0.15)
    assert naive < 0.6 * spread


def test_so_it_is_of_a_comparison_where_recordings_alone_would_say_too_little():
    generator, found, alone = np.random.default_rng(1), [], []
    sources = np.repeat(np.arange(100), 2)
    for _ in range(300):
        ease = np.repeat(generator.normal(0.8, 0.7, (100, 1)), 2, axis=0)
        luck = generator.normal(0, 0.25, (2, 1, 3))  # of each network and seed
        hits = ease + luck + generator.normal(0, 0.3, (2, 200, 3)) > 0
        found.append(statistics.compare(*(run(one, sources, (0, 1, 2)) for one in hits)))
        alone.append(statistics.cluster_variance((hits[1] * 1.0 - hits[0]).mean(axis=1), sources))
    spread, errors = np.std([one.difference for one in found], ddof=1), [one.standard_error for one in found]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(spread, rel=0.15)
    assert np.sqrt(np.mean(alone)) < 0.6 * spread


def test_a_comparison_counts_what_each_alone_has_right():
    first = [[1, 1], [1, 0], [0, 0], [1, 1], [0, 0], [0, 0]]
    second = [[1, 1], [0, 1], [1, 1], [1, 1], [1, 0], [0, 0]]
    found = statistics.compare(run(first), run(second))
    assert found[:3] == (12, 1, 4)
    assert found.difference == pytest.approx(3 / 12)
    of_seeds = stats.sem([1 / 6, 2 / 6])
    assert found.standard_error == pytest.approx(np.hypot(stats.sem([0, 0, 1, 0, 0.5, 0]), of_seeds))
    assert found.sign_test == pytest.approx(2 * (1 + 5) / 2**5)
    assert statistics.compare(run(first), run(second), seed=0)[:3] == (6, 1, 2)
    assert statistics.compare(run(first), run(first))[1:4] == (0, 0, 0.0)
    assert statistics.compare(run(first), run(first)).sign_test == 1.0


def test_folds_that_disagree_have_an_error_of_their_own_and_one_fold_has_none():
    """Clips of even places are of fold 1: there the second gains four of ten, in the other fold one of ten."""
    worse, better = np.zeros((20, 1)), np.zeros((20, 1))
    better[[0, 2, 4, 6, 1]] = 1
    found = statistics.compare(run(worse, seeds=(0,)), run(better, seeds=(0,)))
    assert found.difference == 0.25
    assert found.fold_error == pytest.approx(np.std([0.4, 0.1], ddof=1) / np.sqrt(2))
    assert found.fold_error > found.standard_error
    single = run(better, seeds=(0,))
    single.tables["predictions"]["fold"] = 1
    assert np.isnan(statistics.compare(single, single).fold_error)


def test_what_cannot_be_compared_is_refused():
    one = run([[1, 1], [0, 1]])
    for other in (run([[1, 1], [0, 1]], first=7), run([[1, 1], [0, 1]], seeds=(5, 6))):
        with pytest.raises(InputError, match="no clip or no seed in common"):
            statistics.compare(one, other)
    with pytest.raises(InputError, match="no clip or no seed"):
        statistics.compare(one, one, seed=3)
    one.tables["predictions"] = one.tables["predictions"].iloc[1:]
    with pytest.raises(InputError, match="different folds"):
        statistics.accuracy(one)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("1-100032-A-0.wav", "100032 7"),
        ("5-9032-B-14.ogg", "9032 7"),
        ("3-1000012-A-2", "1000012 7"),
        ("100032-3-0-0.wav", "100032 7"),
        ("24347-8-0-88.wav", "24347 7"),
        ("bark.wav", "bark.wav 7"),
        ("my-dog.wav", "my-dog.wav 7"),
        ("2024-05-01.wav", "2024-05-01.wav 7"),
    ],
)
def test_names_tell_of_which_recording_a_clip_is_or_else_it_is_one_of_its_own(name, source):
    tables = {"predictions": pd.DataFrame({"name": [name], "label": [7]})}
    assert statistics.sources_of(Result({"kind": "run"}, tables), [name]) == [source]


def test_one_recording_says_nothing_of_others():
    assert np.isnan(statistics.cluster_variance(np.array([0.0, 1.0]), np.array(["a", "a"])))
