"""Checks for the exercises of lesson 4, training EnvNet."""

import math

import numpy as np
import torch
from torch.nn import functional

from envnet_tutorial.exercises.feedback import Feedback, grade


def check_first_loss(answer: float) -> Feedback:
    """Check a prediction of the loss of an untrained network with ten classes (lesson 4): ln 10 nats."""
    return grade(
        answer,
        lambda loss: abs(float(loss) - math.log(10)) < 0.02,
        praise="a network that knows nothing gives every class about 1/10, and -ln(1/10) = 2.303 nats.",
        hint="what probability does a network that knows nothing give the true class, and what is -ln of that?",
        task="replace the dots with the loss, in nats, that you expect before the first step.",
    )


def check_steps_per_epoch(answer: int) -> Feedback:
    """Check the number of optimiser steps in one epoch of 320 clips with batches of 64 (lesson 4): 5."""
    return grade(
        answer,
        lambda steps: float(steps) == 5,
        praise="320 clips in batches of 64 are 5 steps; the 600 epochs of the paper are 3,000 steps.",
        hint="an epoch shows every training clip once, one random crop of each.",
        task="replace the dots with the number of optimiser steps in one epoch of the paper's recipe on ESC-10.",
    )


def check_standard_error(answer: float) -> Feedback:
    """Check the standard error of an accuracy of 75 % on 80 clips (lesson 4): 4.8 percentage points."""
    exact = 100 * math.sqrt(0.75 * 0.25 / 80)
    return grade(
        answer,
        lambda points: abs(float(points) - exact) < 0.1,
        praise=f"100 sqrt(0.75 x 0.25 / 80) = {exact:.1f} points, so 75 and 79 % on one fold do not differ.",
        hint="the number of right answers is binomial: its share p has the standard error sqrt(p (1 - p) / n).",
        task="replace the dots with the standard error, in percentage points.",
    )


def check_compressed_level(answer: float) -> Feedback:
    """Check the level of a window of -45 dB after compression with a ratio of 2.5 around -20 dB (lesson 4): -30 dB."""
    return grade(
        answer,
        lambda level: abs(float(level) + 30) < 0.05,
        praise="it was 25 dB below -20 dB, and 25 / 2.5 = 10 dB of them are left.",
        hint="how far below -20 dB is it, and what is left of that distance?",
        task="replace the dots with the level in dB that a window of -45 dB has after compression.",
    )


def check_average_windows(answer) -> Feedback:
    """Check a function that turns the scores of ten windows into one prediction per clip (lesson 4).

    Parameters
    ----------
    answer : callable
        Takes scores before the softmax, shape (clip, window, class), and returns probabilities (clip, class):
        the mean of the windows' softmax.
    """
    scores = torch.randn(6, 10, 5, generator=torch.Generator().manual_seed(4)) * 6
    expected = functional.softmax(scores, dim=-1).mean(dim=1)
    return grade(
        answer,
        lambda average: torch.allclose(torch.as_tensor(average(scores)), expected, atol=1e-6),
        praise="softmax first, mean second: one very sure window cannot outvote nine others.",
        hint="each window votes with a probability, so take the softmax over the classes before the mean over windows.",
        task="write a function that takes scores of shape (clip, window, class).",
    )


def check_confusion(answer) -> Feedback:
    """Check a function that counts a confusion matrix, rows the truth and columns the prediction (lesson 4)."""
    labels, predictions = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 1, 1, 1, 0, 2])
    expected = np.array([[1, 2, 0], [0, 1, 0], [1, 0, 1]])
    return grade(
        answer,
        lambda count: np.array_equal(np.asarray(count(labels, predictions, 3)), expected),
        praise="rows are the truth: each row adds up to the number of clips of that class.",
        hint="a clip of class 0 taken for class 1 belongs into row 0, column 1.",
        task="write a function of labels, predictions and the number of classes.",
    )
