"""Lesson 5's checks accept each right form and tell each wrong answer what was wrong."""

import numpy as np
import pytest
import scipy.signal
import torch
from answer_forms import number_forms
from judged import judged

from envnet_tutorial import probing
from envnet_tutorial.exercises import lesson_05
from envnet_tutorial.results import load_result, views

CHECKS = [
    lesson_05.check_bandwidth,
    lesson_05.check_untrained_diagonal,
    lesson_05.check_high_tone,
    lesson_05.check_sort_order,
    lesson_05.check_alias,
]


def by_peak(matrix):
    return matrix.argmax(dim=1).argsort(stable=True)


RIGHT = [
    *((lesson_05.check_bandwidth, form, "1 / 0.5 ms = 2,000 Hz") for form in number_forms(2000)),
    *((lesson_05.check_bandwidth, form, "half the power") for form in number_forms(1772)),
    (lesson_05.check_bandwidth, 1784, "half the power"),
    (lesson_05.check_bandwidth, 2414, "half the amplitude"),
    (lesson_05.check_bandwidth, 2428, "half the amplitude"),
    (lesson_05.check_bandwidth, 1900, "of that order"),
    (lesson_05.check_bandwidth, 2200, "of that order"),
    (lesson_05.check_untrained_diagonal, "some", "this control"),
    (lesson_05.check_untrained_diagonal, " Some. ", "this control"),
    (lesson_05.check_untrained_diagonal, ["some"], "this control"),
    (lesson_05.check_untrained_diagonal, np.str_("some"), "this control"),
    (lesson_05.check_high_tone, "fewer", "one band"),
    (lesson_05.check_high_tone, " Fewer.", "one band"),
    (lesson_05.check_sort_order, by_peak, "equal places"),
    (lesson_05.check_sort_order, lambda matrix: by_peak(matrix).tolist(), "equal places"),
    (lesson_05.check_sort_order, lambda matrix: tuple(by_peak(matrix)), "equal places"),
    (lesson_05.check_sort_order, lambda m: np.argsort(m.numpy().argmax(axis=1), kind="stable"), "equal places"),
    (lesson_05.check_sort_order, lambda m: sorted(range(len(m)), key=lambda row: int(m[row].argmax())), "equal places"),
    *((lesson_05.check_alias, form, "folds back") for form in number_forms(3000)),
]
WRONG = [
    (lesson_05.check_bandwidth, 1361, "how long are 8 samples"),
    (lesson_05.check_bandwidth, 2, "not in kHz"),
    (lesson_05.check_bandwidth, 1000, "half too little"),
    (lesson_05.check_bandwidth, 4000, "zeros on both sides"),
    (lesson_05.check_bandwidth, 8000, "all the network can hear"),
    (lesson_05.check_bandwidth, 16_000, "that is the rate"),
    (lesson_05.check_bandwidth, 0.0005, "in seconds"),
    (lesson_05.check_bandwidth, 0.5, "in ms"),
    (lesson_05.check_bandwidth, 3000, "how long are 8 samples"),
    (lesson_05.check_bandwidth, -2000, "how long are 8 samples"),
    (lesson_05.check_bandwidth, "wide", "without quotes"),
    (lesson_05.check_untrained_diagonal, "none", "answer all tones alike"),
    (lesson_05.check_untrained_diagonal, "full", "like every frequency"),
    (lesson_05.check_untrained_diagonal, "a bit", "one of these words: none, some, full"),
    (lesson_05.check_untrained_diagonal, 3, "one of these words"),
    (lesson_05.check_untrained_diagonal, ["none", "some"], "one of these words"),
    (lesson_05.check_high_tone, "more", "more tones than before"),
    (lesson_05.check_high_tone, "as many", "keep their width"),
    (lesson_05.check_high_tone, 3, "one of these words"),
    (lesson_05.check_sort_order, lambda matrix: matrix.argmax(dim=1), "the places themselves"),
    (lesson_05.check_sort_order, lambda matrix: by_peak(matrix).argsort(), "rank of each row"),
    (lesson_05.check_sort_order, lambda matrix: matrix.amax(dim=1).argsort(stable=True), "not its size"),
    (lesson_05.check_sort_order, lambda matrix: by_peak(matrix).flip(0), "lowest frequency comes first"),
    (
        lesson_05.check_sort_order,
        lambda matrix: matrix.argmax(dim=1).argsort(stable=True, descending=True),
        "lowest frequency comes first",
    ),
    (lesson_05.check_sort_order, lambda matrix: matrix[by_peak(matrix)], "the sorted matrix"),
    (lesson_05.check_sort_order, lambda m: (m @ torch.arange(float(m.shape[1])) / m.sum(1)).argsort(), "look for the"),
    # Equal places in the other order: the rows are turned, sorted stably, and turned back.
    (lesson_05.check_sort_order, lambda m: len(m) - 1 - m.flip(0).argmax(dim=1).argsort(stable=True), "stably"),
    (lesson_05.check_sort_order, 5, "a function is wanted"),
    (lesson_05.check_alias, 13_000, "the highest frequency"),
    (lesson_05.check_alias, 8000, "the mirror"),
    (lesson_05.check_alias, 5000, "as far below"),
    (lesson_05.check_alias, -3000, "above 0"),
    (lesson_05.check_alias, 3, "not in kHz"),
    (lesson_05.check_alias, 7000, "half the rate is a mirror"),
    (lesson_05.check_alias, 29_000, "that is the sum"),
    (lesson_05.check_alias, 6000, "half the rate is a mirror"),
]


test_right_answers, test_wrong_answers, test_open_answers = judged(RIGHT, WRONG, CHECKS)


@pytest.mark.parametrize(("share", "words"), [(0.5**0.5, "half the power"), (0.5, "half the amplitude")])
def test_the_other_bandwidths_are_those_of_eight_equal_taps(share, words):
    frequencies, response = scipy.signal.freqz(np.ones(8) / 8, worN=80_000, fs=16_000)
    width = 2 * frequencies[np.abs(response) < share][0]  # the band lies on both sides of its centre
    assert words in lesson_05.check_bandwidth(width).message


def test_the_recorded_filters_answer_the_high_tone_as_the_check_says():
    film = views.film(load_result("esc50-fast"))
    near = int((film.frequencies - 4000).abs().argmin())
    before, after = ((probing.unit_range(film.responses[i])[:, near] >= 0.5).sum() for i in (0, -1))
    assert 15 <= before <= 25  # "about half" of 40
    assert after < before / 3
    assert lesson_05.check_high_tone("fewer").correct
