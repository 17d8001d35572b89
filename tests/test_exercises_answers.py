"""Answers are read in every form, and each malformed one has its sentence."""

import decimal

import numpy as np
import pytest
import torch
from answer_forms import number_forms, tuple_forms

from envnet_tutorial.exercises.answers import MALFORMED, MalformedAnswer, is_open, numbers_of, word_of


@pytest.mark.parametrize("form", number_forms(12.5) + number_forms(-7))
def test_a_number_is_read_in_every_form(form):
    assert numbers_of(form, 1) in ((12.5,), (-7.0,))


@pytest.mark.parametrize("form", tuple_forms((4, 32, 3, 3)))
def test_numbers_are_read_in_every_form(form):
    assert numbers_of(form, 4) == (4.0, 32.0, 3.0, 3.0)


def test_a_range_and_a_table_column_are_lists():
    assert numbers_of(range(3), 3) == numbers_of(np.arange(3, dtype=np.int16), 3) == (0.0, 1.0, 2.0)


@pytest.mark.parametrize("answer", [None, ..., "", "...", " … ", (40, ...), [None, 150], "\n"])
def test_what_is_not_there_yet_is_open(answer):
    assert is_open(answer)


@pytest.mark.parametrize("answer", [0, "0", [], (0,), False, np.zeros(2), torch.zeros(()), "some", float("nan"), len])
def test_whatever_was_written_is_not_open(answer):
    assert not is_open(answer)


KINDS = [
    ("15,993", 1, "text"),
    (["40", 150], 2, "text"),
    (np.array(["a"]), 1, "text"),
    (True, 1, "truth"),
    (np.bool_(False), 1, "truth"),
    (torch.tensor(True), 1, "truth"),
    (1j, 1, "unreadable"),
    (np.complex64(1), 1, "unreadable"),
    (len, 1, "unreadable"),
    ({"rows": 40}, 1, "unreadable"),
    ({40, 150}, 2, "unreadable"),  # a set has no order
    (b"7", 1, "text"),
    (object(), 1, "unreadable"),
    (float("nan"), 1, "nan"),
    (torch.tensor([1.0, torch.nan]), 2, "nan"),
    (decimal.Decimal("NaN"), 1, "nan"),
    (float("inf"), 1, "infinite"),
    (-np.inf, 1, "infinite"),
    (10**400, 1, "infinite"),
    ([[40, 150]], 2, "nested"),
    (np.ones((1, 1)), 1, "nested"),
    ([torch.tensor([1.0])], 1, "nested"),
    ((1, 2), 1, "length"),
    ([], 1, "length"),
    (5, 2, "length"),
    ((4, 32, 3), 4, "length"),
]


@pytest.mark.parametrize(("answer", "wanted", "kind"), KINDS)
def test_a_malformed_answer_has_its_kind(answer, wanted, kind):
    with pytest.raises(MalformedAnswer) as caught:
        numbers_of(answer, wanted)
    assert caught.value.kind == kind


def test_the_length_sentence_names_both_lengths():
    with pytest.raises(MalformedAnswer, match=r"numbers wanted: 4; numbers given: 3\."):
        numbers_of((1, 2, 3), 4)


def test_the_first_odd_entry_decides_and_comes_before_the_length():
    with pytest.raises(MalformedAnswer) as caught:
        numbers_of([float("nan"), "text", 3], 2)
    assert caught.value.kind == "nan"


@pytest.mark.parametrize("answer", ["some", " Some. ", "'SOME'", np.str_("some"), ["some"], np.array("some")])
def test_a_word_is_read_whatever_its_dress(answer):
    assert word_of(answer, ("none", "some")) == "some"


@pytest.mark.parametrize("answer", ["any", "", 1, ["some", "none"], float("nan"), b"some", len])
def test_other_words_and_what_is_no_word_are_refused(answer):
    with pytest.raises(MalformedAnswer, match=r"answer with one of these words: none, some\."):
        word_of(answer, ("none", "some"))


def test_every_kind_is_met_above():
    assert {kind for _, _, kind in KINDS} | {"word"} == set(MALFORMED)
