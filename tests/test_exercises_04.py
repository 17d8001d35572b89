"""Lesson 4's checks accept the right answer and refuse wrong ones."""

import numpy as np
import pytest
import torch

from envnet_tutorial.exercises import lesson_04


def average_softmax(scores):
    return torch.softmax(scores, dim=-1).mean(dim=1)


def softmax_of_mean_score(scores):
    return torch.softmax(scores.mean(dim=1), dim=-1)


def softmax_over_windows(scores):
    return torch.softmax(scores, dim=1).mean(dim=1)


def count_confusion(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes), dtype=int)
    np.add.at(matrix, (labels, predictions), 1)
    return matrix


def transposed_confusion(labels, predictions, num_classes):
    return count_confusion(predictions, labels, num_classes)


RIGHT = [
    (lesson_04.check_first_loss, 2.303),
    (lesson_04.check_steps_per_epoch, 5),
    (lesson_04.check_standard_error, 4.84),
    (lesson_04.check_compressed_level, -30),
    (lesson_04.check_average_windows, average_softmax),
    (lesson_04.check_confusion, count_confusion),
]
WRONG = [
    (lesson_04.check_first_loss, 0.1),
    (lesson_04.check_first_loss, 1.0),
    (lesson_04.check_first_loss, "ln 10"),
    (lesson_04.check_steps_per_epoch, 320),
    (lesson_04.check_steps_per_epoch, 50),
    (lesson_04.check_standard_error, 2.4),
    (lesson_04.check_standard_error, 0.048),
    (lesson_04.check_compressed_level, -18),  # the level itself divided
    (lesson_04.check_compressed_level, -10),  # the distance alone
    (lesson_04.check_compressed_level, 30),
    (lesson_04.check_average_windows, softmax_of_mean_score),
    (lesson_04.check_average_windows, softmax_over_windows),
    (lesson_04.check_average_windows, 3),
    (lesson_04.check_confusion, transposed_confusion),
    (lesson_04.check_confusion, lambda labels, predictions, n: np.eye(n)),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right_answers_pass(check, answer):
    assert check(answer).correct is True


@pytest.mark.parametrize(("check", "answer"), WRONG)
def test_wrong_answers_are_refused(check, answer):
    assert check(answer).correct is False


@pytest.mark.parametrize("check", [check for check, _ in RIGHT])
def test_open_answers_are_neither_right_nor_wrong(check):
    feedback = check(...)
    assert feedback.correct is None
    assert repr(feedback).startswith("Your turn")
