"""Checks for the exercises of lesson 4, training EnvNet."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from envnet_tutorial.exercises.feedback import Feedback
from envnet_tutorial.exercises.functions import FunctionQuestion
from envnet_tutorial.exercises.questions import Case, ChoiceQuestion, NumberQuestion
from envnet_tutorial.exercises.quizzes.lesson_04 import QUIZ as QUIZ

STANDARD_ERROR_POINTS = 100 * math.sqrt(0.75 * 0.25 / 80)

FIRST_LOSS = NumberQuestion(
    name="check_first_loss",
    task="replace the dots with the loss in nats that you expect at first.",
    answer=math.log(10),
    tolerance=0.02,
    unit="nats",
    praise="a network that knows nothing gives every class about 1/10, and -ln(1/10) = 2.303 nats.",
    hints=(
        Case(-math.log(10), "the loss is minus the logarithm, and the logarithm of 1/10 is negative.", 0.02),
        Case(math.log2(10), "those are bits: nats come from the natural logarithm.", 0.02),
        Case(1, "nats come from the natural logarithm, not from the one to base 10."),
        Case(0.1, "that is the probability of the true class: what is -ln of it?", 0.005),
        Case(0.9, "that is how often it will be wrong: what is -ln of the probability of the true class?", 0.005),
        Case(10, "that is the number of classes: what is the logarithm of it?"),
        Case(0, "a loss of zero is that of a network which is sure, and right."),
    ),
    hint="what probability does a network that knows nothing give the true class, and what is -ln of that?",
)

STEPS_PER_EPOCH = NumberQuestion(
    name="check_steps_per_epoch",
    task="replace the dots with the number of optimiser steps in one epoch.",
    answer=5,
    unit="steps",
    praise="320 clips in batches of 64 are 5 steps; the 600 epochs of the paper are 3,000 steps.",
    hints=(
        Case(320, "those are the clips: a step takes 64 of them."),
        Case(6.25, "one fold of 80 clips is held out, so 320 are left."),
        Case(6, "one fold of 80 clips is held out, so 320 are left."),
        Case(7, "one fold of 80 clips is held out, so 320 are left."),
        Case(3_000, "that is the whole training: here one epoch is asked for."),
        Case(50, "the ten windows belong to the test: in training, a clip gives one random crop an epoch."),
        Case(10, "the paper's batch has 64 clips, not 32."),
        Case(20, "the paper's batch has 64 clips, not 16."),
        Case(25, "that is ESC-50: ESC-10 has 400 clips, of which one fold is held out."),
    ),
    hint="an epoch shows every training clip once, one random crop of each.",
)

STANDARD_ERROR = NumberQuestion(
    name="check_standard_error",
    task="replace the dots with the standard error, in percentage points.",
    answer=STANDARD_ERROR_POINTS,
    tolerance=0.1,
    unit="percentage points",
    praise=f"100 sqrt(0.75 x 0.25 / 80) = {STANDARD_ERROR_POINTS:.1f} points, so 75 and 79 % on one fold cannot "
    "be told apart.",
    hints=(
        Case(0.0484, "that is the share: in percentage points it is a hundred times as much.", 0.001),
        Case(43.3, "that is the spread of one clip: the mean of 80 has less.", 0.1),
        Case(0.433, "that is the spread of one clip, as a share: the mean of 80 has less.", 0.001),
        Case(3.873, "those are clips: how many percent of 80 are they?", 0.03),
        Case(0.234, "that is the variance, in percent: take its root first.", 0.001),
        Case(9.49, "that is twice or 1.96 times as much, the half of a 95 % interval.", 0.22),
        Case(5.59, "that is for an accuracy of 50 %.", 0.02),
        Case(2.17, "that is for all 400 clips: one fold has 80.", 0.02),
        Case(5, "near: give one decimal.", 0.05),
    ),
    hint="the number of right answers is binomial: its share p has the standard error sqrt(p (1 - p) / n).",
)

COMPRESSED_LEVEL = NumberQuestion(
    name="check_compressed_level",
    task="replace the dots with the level in dB after compression.",
    answer=-30,
    tolerance=0.05,
    unit="dB",
    praise="it was 25 dB below -20 dB, and 25 / 2.5 = 10 dB of them are left.",
    hints=(
        Case(-18, "not the level is divided, but its distance from -20 dB.", 0.05),
        Case(-10, "that is the distance from -20 dB that is left: from there, where is the level?", 0.05),
        Case(10, "that is the distance from -20 dB that is left: on which side, and where is the level?", 0.05),
        Case(30, "the sign is missing: the level stays below 0 dB.", 0.05),
        Case(-82.5, "the distance is divided, not multiplied.", 0.05),
        Case(-46, "L + 20 is -25 dB here, not -65.", 0.05),
        Case(-38, "that would be so without the 20 in the fraction.", 0.05),
        Case(-35, "10 dB are what is left of the distance, not what is taken away.", 0.05),
    ),
    hint="how far below -20 dB is it, and what is left of that distance?",
)

LEAK = ChoiceQuestion(
    name="check_leak",
    task='replace the dots with "esc-50", "esc-10" or "equal".',
    choices=("esc-50", "esc-10", "equal"),
    answer="esc-50",
    praise="where fifty classes are hard to tell apart, a fragment of the same recording helps most.",
    hints=(
        Case("esc-10", "its ten classes are told apart without help: what is left for a sibling to give away?"),
        Case("equal", "as many clips have siblings in both; but in which of the two is help needed?"),
    ),
    hint="a sibling among the training clips helps where the class is hard to tell without it.",
)


def check_first_loss(answer: float) -> Feedback:
    """Check a prediction of the loss of an untrained network with ten classes (lesson 4): ln 10 nats."""
    return FIRST_LOSS.judge(answer)


def check_steps_per_epoch(answer: int) -> Feedback:
    """Check the number of optimiser steps in one epoch of 320 clips with batches of 64 (lesson 4): 5."""
    return STEPS_PER_EPOCH.judge(answer)


def check_standard_error(answer: float) -> Feedback:
    """Check the standard error of an accuracy of 75 % on 80 clips (lesson 4): 4.8 percentage points."""
    return STANDARD_ERROR.judge(answer)


def check_compressed_level(answer: float) -> Feedback:
    """Check the level of a window of -45 dB after compression with a ratio of 2.5 around -20 dB (lesson 4): -30 dB."""
    return COMPRESSED_LEVEL.judge(answer)


def check_leak(answer: str) -> Feedback:
    """Check a prediction of where a random split raises the accuracy more (lesson 4): on ESC-50."""
    return LEAK.judge(answer)


def check_average_windows(answer) -> Feedback:
    """Check a function that turns the scores of ten windows into one prediction per clip (lesson 4).

    Parameters
    ----------
    answer : callable
        Takes scores before the softmax, shape (clip, window, class), and returns probabilities (clip, class):
        the mean of the windows' softmax.
    """
    generator = torch.Generator().manual_seed(4)
    return FunctionQuestion(
        calls=[(torch.randn(shape, generator=generator) * 6,) for shape in ((6, 10, 5), (3, 4, 7))],
        reference=lambda scores: functional.softmax(scores, dim=-1).mean(dim=1),
        mistakes=(
            (lambda scores: scores.mean(dim=1).softmax(dim=-1), "softmax comes first, then the mean over the windows."),
            (
                lambda scores: scores.softmax(dim=1).mean(dim=1),
                "the softmax belongs to the classes, not to the windows.",
            ),
            (lambda scores: scores.softmax(dim=0).mean(dim=1), "the softmax belongs to the classes, not to the clips."),
            (lambda scores: scores.mean(dim=1), "those are mean scores: take the softmax of each window first."),
            (lambda scores: scores.softmax(dim=-1).sum(dim=1), "that is the sum over the windows, not their mean."),
            (
                lambda scores: scores.softmax(dim=-1),
                "each window has its probabilities: now the mean over the windows.",
            ),
        ),
        atol=1e-6,
        praise="softmax first, mean second: one very sure window cannot outvote nine others.",
        hint="each window votes with a probability, so take the softmax over the classes before the mean over windows.",
        task="write a function that takes scores of shape (clip, window, class).",
    ).judge(answer)


def check_confusion(answer) -> Feedback:
    """Check a function that counts a confusion matrix, rows the truth and columns the prediction (lesson 4).

    Class 3 is never predicted in the first case, nor true in the second, where class 4 is neither: they keep their
    rows and columns.
    """
    return FunctionQuestion(
        calls=[
            (np.array([0, 0, 0, 1, 2, 2, 3]), np.array([0, 1, 1, 1, 0, 2, 0]), 4),
            (np.array([2, 1, 0, 0]), np.array([2, 0, 1, 3]), 5),
        ],
        reference=_counted,
        mistakes=(
            (
                lambda labels, predictions, n: _counted(labels, predictions, n).T,
                "rows and columns are exchanged: rows are the truth.",
            ),
            (_shares, "those are shares of each row: count the clips."),
            (
                _occurrences,
                "a cell is counted once only, however many clips belong there: `matrix[labels, predictions] "
                "+= 1` does that.",
            ),
        ),
        praise="rows are the truth: each row adds up to the number of clips of that class.",
        hint="a clip of class 0 taken for class 1 belongs into row 0, column 1, and a class that is never predicted "
        "keeps its column.",
        task="write a function of labels, predictions and the number of classes.",
    ).judge(answer)


def _counted(labels: NDArray, predictions: NDArray, num_classes: int) -> NDArray:
    matrix = np.zeros((num_classes, num_classes), dtype=int)
    np.add.at(matrix, (labels, predictions), 1)
    return matrix


def _shares(labels: NDArray, predictions: NDArray, num_classes: int) -> NDArray:
    matrix = _counted(labels, predictions, num_classes)
    return matrix / matrix.sum(axis=1, keepdims=True).clip(min=1)


def _occurrences(labels: NDArray, predictions: NDArray, num_classes: int) -> NDArray:
    return _counted(labels, predictions, num_classes).clip(max=1)
