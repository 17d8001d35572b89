"""Answers that are functions are called, compared, and told what they did."""

import functools

import numpy as np
import pandas as pd
import pytest
import torch

from envnet_tutorial.exercises.functions import FailedAnswer, FunctionQuestion, as_array, called, described

DOUBLE = FunctionQuestion(
    calls=[(1.0,), (3.0,)],
    reference=lambda x: 2 * x,
    mistakes=((lambda x: x * x, "squared"), (lambda x: x, "unchanged")),
    task="write it",
    praise="well done",
    hint="twice as much",
)
SUM = FunctionQuestion(
    calls=[(torch.tensor([[1.0, 2.0], [3.0, 4.0]]),)],
    reference=lambda x: x.sum(dim=1),
    task="write it",
    praise="well done",
    hint="add along rows",
)


def broken(x):
    y = x + 1
    return torch.log10(y)


def indirect(x):
    return broken(x)


LINE = f"(line {broken.__code__.co_firstlineno + 2}: return torch.log10(y))"


def silent():
    raise ValueError


VERDICTS = [
    (DOUBLE, lambda x: 2 * x, True, "well done"),
    (DOUBLE, lambda x: np.float32(2 * x), True, "well done"),
    (DOUBLE, lambda x: torch.tensor([2 * x], dtype=torch.float64, requires_grad=True), True, "well done"),
    (DOUBLE, functools.partial(lambda factor, x: factor * x, 2), True, "well done"),
    (DOUBLE, lambda x: x * x, False, "squared"),
    (DOUBLE, lambda x: x, False, "unchanged"),
    (DOUBLE, lambda x: x + 1, False, "given 3.0, your function gave 4: twice as much"),  # right for 1, so 3 is named
    (DOUBLE, lambda x: float("nan"), False, "gave nan: twice as much"),
    (DOUBLE, lambda x: [x, x], False, "gave the shape (2,) where () is wanted"),
    (DOUBLE, lambda x: None, False, "gave nothing back: does it end with `return`?"),
    (DOUBLE, lambda x: "2", False, "gave a str that cannot be read as numbers"),
    (DOUBLE, lambda x: [[1], [1, 2]], False, "gave a list that cannot be read as numbers"),
    (DOUBLE, lambda x: {"two": 2}, False, "gave a dict that cannot be read as numbers"),
    (DOUBLE, lambda: 2, False, "stopped with TypeError: "),
    (DOUBLE, torch.log10, False, "stopped with TypeError: log10(): argument 'input'"),
    (DOUBLE, broken, False, f"must be Tensor, not float {LINE}"),
    (DOUBLE, indirect, False, LINE),
    (DOUBLE, lambda x: silent(), False, "stopped with ValueError (line "),
    (DOUBLE, 2.0, False, "a function is wanted here"),
    (DOUBLE, "f", False, "a function is wanted here"),
    (SUM, lambda x: x.sum(dim=1).double(), True, "well done"),
    (SUM, lambda x: x.sum(dim=1).numpy(), True, "well done"),
    (SUM, lambda x: list(x.sum(dim=1)), True, "well done"),
    (SUM, lambda x: pd.Series(x.sum(dim=1).numpy()), True, "well done"),
    (SUM, lambda x: x.sum(dim=0), False, "gave the right shape with other numbers: add along rows"),
    (SUM, lambda x: x.sum(), False, "given a tensor of shape (2, 2), your function gave the shape ()"),
]


@pytest.mark.parametrize(("question", "answer", "correct", "text"), VERDICTS)
def test_the_verdict_and_its_sentence(question, answer, correct, text):
    feedback = question.judge(answer)
    assert feedback.correct is correct
    assert text in feedback.message


@pytest.mark.parametrize("answer", [None, ..., "..."])
def test_an_open_answer_is_told_the_task(answer):
    assert DOUBLE.judge(answer).correct is None
    assert DOUBLE.judge(answer).message == "write it"


def test_only_the_first_line_of_a_message_is_shown():
    lines = "first\nsecond"

    def long_winded(x):
        raise RuntimeError(lines)

    message = DOUBLE.judge(long_winded).message
    assert "RuntimeError: first (line" in message
    assert "second" not in message


def test_an_answer_may_change_its_arguments():
    """It gets copies, so the reference sees what was drawn."""
    assert SUM.judge(lambda x: x.add_(1).sum(dim=1) - 2).correct is True
    assert SUM.judge(lambda x: x.sum(dim=1)).correct is True


def test_an_interruption_is_no_answer():
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DOUBLE.judge(interrupted)


def test_what_is_called_is_chained_to_its_cause():
    with pytest.raises(FailedAnswer) as caught:
        called(broken, 1.0)
    assert isinstance(caught.value.__cause__, TypeError)


@pytest.mark.parametrize(
    ("value", "shape"),
    [(1, ()), ([1], ()), ([1, 2], (2,)), ([torch.ones(2), torch.ones(2)], (2, 2)), (pd.DataFrame([[1]]), (1, 1))],
)
def test_arrays_are_of_double_precision_and_a_lone_number_has_no_axis(value, shape):
    array = as_array(value)
    assert array.shape == shape
    assert array.dtype == np.float64


def test_arguments_are_described_in_a_few_words():
    arguments = (0.5, (8, 8), torch.zeros(2, 3), np.zeros(4), torch.nn.ReLU())
    assert described(arguments) == "0.5, (8, 8), a tensor of shape (2, 3), an array of shape (4,), a ReLU"
