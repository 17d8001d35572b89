"""Questions declared as data give the verdict and the sentence that their cases say."""

import json

import pytest

from envnet_tutorial.exercises.questions import (
    Case,
    ChoiceQuestion,
    Condition,
    ConditionQuestion,
    HelperQuestion,
    NumberQuestion,
    TupleQuestion,
)
from envnet_tutorial.shapes import conv_output_length, overlapping_samples_post_conv

TEXTS = {"name": "check_it", "task": "do it", "praise": "well done", "hint": "look again"}
NUMBER = NumberQuestion(
    **TEXTS, answer=10, tolerance=0.5, hints=(Case(10.4, "narrow"), Case(5, "half")), also=(Case(20, "double", 1),)
)
PAIR = TupleQuestion(**TEXTS, answer=(40, 150), hints=(Case((150, 40), "turned"),), also=(Case((40, 148), "too"),))
CHOICE = ChoiceQuestion(**TEXTS, choices=("a", "b", "c"), answer="b", hints=(Case("a", "not a"),))
SUMS = ConditionQuestion(**TEXTS, conditions=(Condition((1, 1), 1, "sum"), Condition((1, -1), 0, "difference", 0.5)))
HELPER = HelperQuestion(**TEXTS, not_whole="whole", not_fitting="fit", given=(Case((100, 30), "page"),))

VERDICTS = [
    (NUMBER, 10, True, "well done"),
    (NUMBER, 10.5, True, "well done"),
    (NUMBER, 9.5, True, "well done"),
    (NUMBER, 10.500001, False, "look again"),
    (NUMBER, 10.4, False, "narrow"),  # a hint comes before the tolerance
    (NUMBER, 5, False, "half"),
    (NUMBER, 5.1, False, "look again"),
    (NUMBER, 19, True, "double"),
    (NUMBER, "10", False, "that is text"),
    (PAIR, (40, 150), True, "well done"),
    (PAIR, (40, 148), True, "too"),
    (PAIR, (150, 40), False, "turned"),
    (PAIR, (40, 149), False, "look again"),
    (PAIR, 40, False, "numbers wanted: 2; numbers given: 1"),
    (CHOICE, "B", True, "well done"),
    (CHOICE, "a", False, "not a"),
    (CHOICE, "c", False, "look again"),
    (CHOICE, "d", False, "one of these words: a, b, c"),
    (SUMS, (0.5, 0.5), True, "well done"),
    (SUMS, (0.75, 0.25), True, "well done"),
    (SUMS, (0.5, 0.6), False, "sum"),
    (SUMS, (0.8, 0.2), False, "difference"),
    (SUMS, (0.2, 0.8), False, "difference"),
    (SUMS, (1,), False, "numbers wanted: 2"),
    (HELPER, (10, 6), True, "well done"),
    (HELPER, (100, 30), False, "page"),
    (HELPER, (100, 10), False, "look again"),
    (HELPER, (100.5, 30), False, "whole"),
    (HELPER, (10, 30), False, "fit"),
    (HELPER, (10, 0), False, "fit"),
]


@pytest.mark.parametrize(("question", "answer", "correct", "text"), VERDICTS)
def test_the_verdict_and_its_sentence(question, answer, correct, text):
    feedback = question.judge(answer)
    assert feedback.correct is correct
    assert text in feedback.message


@pytest.mark.parametrize("question", [NUMBER, PAIR, CHOICE, SUMS, HELPER])
def test_an_open_answer_is_told_the_task(question):
    for answer in (None, ..., "..."):
        assert question.judge(answer).correct is None
        assert question.judge(answer).message == "do it"


def test_the_helper_question_agrees_with_helper_and_convolution():
    for samples in range(1, 60):
        for taps in range(1, samples + 1):
            wrong = overlapping_samples_post_conv(samples, taps) != samples - conv_output_length(samples, taps)
            assert HELPER.judge((samples, taps)).correct is wrong


def test_the_json_names_its_kind_and_holds_every_case():
    content = json.loads(json.dumps(NUMBER.to_json()))
    assert content["kind"] == "NumberQuestion"
    assert content["hints"][0] == {"answer": 10.4, "text": "narrow", "tolerance": 1e-6}
    assert json.loads(json.dumps(PAIR.to_json()))["answer"] == [40, 150]
    assert json.loads(json.dumps(SUMS.to_json()))["conditions"][1]["weights"] == [1, -1]
