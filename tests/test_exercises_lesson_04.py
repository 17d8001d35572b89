"""Lesson 4's checks accept each right form and tell each wrong answer what was wrong."""

import math

import numpy as np
import pandas as pd
import torch
from answer_forms import number_forms
from judged import judged

from envnet_tutorial.exercises import lesson_04

CHECKS = [
    lesson_04.check_first_loss,
    lesson_04.check_steps_per_epoch,
    lesson_04.check_standard_error,
    lesson_04.check_leak,
    lesson_04.check_compressed_level,
    lesson_04.check_average_windows,
    lesson_04.check_confusion,
]


def average_softmax(scores):
    return torch.softmax(scores, dim=-1).mean(dim=1)


def by_hand(scores):
    powers = np.exp(scores.double().numpy())
    return (powers / powers.sum(axis=-1, keepdims=True)).mean(axis=1)


def count_confusion(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes), dtype=int)
    for truth, given in zip(labels, predictions, strict=True):
        matrix[truth, given] += 1
    return matrix


def count_in_torch(labels, predictions, num_classes):
    places = torch.as_tensor(labels) * num_classes + torch.as_tensor(predictions)
    return torch.bincount(places, minlength=num_classes**2).reshape(num_classes, num_classes)


def crosstab(labels, predictions, num_classes):
    return pd.crosstab(labels, predictions).reindex(columns=range(num_classes), fill_value=0)


def of_those_met(labels, predictions, num_classes):
    met = np.union1d(labels, predictions)
    return count_confusion(labels, predictions, num_classes)[np.ix_(met, met)]


def shares(labels, predictions, num_classes):
    matrix = count_confusion(labels, predictions, num_classes)
    return matrix / matrix.sum(axis=1, keepdims=True).clip(min=1)


def assigned_once(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes))
    matrix[labels, predictions] += 1
    return matrix


RIGHT = [
    *((lesson_04.check_first_loss, form) for form in number_forms(math.log(10))),
    (lesson_04.check_first_loss, 2.3),
    *((lesson_04.check_steps_per_epoch, form) for form in number_forms(5)),
    *((lesson_04.check_standard_error, form) for form in number_forms(4.84)),
    (lesson_04.check_standard_error, 4.8),
    *((lesson_04.check_leak, word) for word in ("ESC-50", "esc-50", " ESC-50.")),
    *((lesson_04.check_compressed_level, form) for form in number_forms(-30)),
    (lesson_04.check_average_windows, average_softmax),
    (lesson_04.check_average_windows, lambda scores: average_softmax(scores.double())),
    (lesson_04.check_average_windows, lambda scores: average_softmax(scores).tolist()),
    (lesson_04.check_average_windows, lambda scores: average_softmax(scores.requires_grad_())),
    (lesson_04.check_average_windows, by_hand),
    (lesson_04.check_confusion, count_confusion),
    (lesson_04.check_confusion, lambda *call: count_confusion(*call).tolist()),
    (lesson_04.check_confusion, lambda *call: pd.DataFrame(count_confusion(*call))),
    (lesson_04.check_confusion, lambda *call: count_confusion(*call).astype(np.float32)),
    (lesson_04.check_confusion, count_in_torch),
    (lesson_04.check_confusion, lambda *call: crosstab(*call).reindex(range(call[2]), fill_value=0)),
]
WRONG = [
    (lesson_04.check_first_loss, -2.303, "minus the logarithm"),
    (lesson_04.check_first_loss, 3.32, "bits"),
    (lesson_04.check_first_loss, 1.0, "base 10"),
    (lesson_04.check_first_loss, 0.1, "probability of the true class"),
    (lesson_04.check_first_loss, 0.9, "how often it will be wrong"),
    (lesson_04.check_first_loss, 10, "number of classes"),
    (lesson_04.check_first_loss, 0, "zero"),
    (lesson_04.check_first_loss, 2.2, "what probability"),
    (lesson_04.check_first_loss, "ln 10", "without quotes"),
    (lesson_04.check_first_loss, math.inf, "infinite"),
    (lesson_04.check_steps_per_epoch, 320, "those are the clips"),
    (lesson_04.check_steps_per_epoch, 6.25, "held out"),
    (lesson_04.check_steps_per_epoch, 6, "held out"),
    (lesson_04.check_steps_per_epoch, 7, "held out"),
    (lesson_04.check_steps_per_epoch, 3_000, "whole training"),
    (lesson_04.check_steps_per_epoch, 50, "ten windows"),
    (lesson_04.check_steps_per_epoch, 10, "not 32"),
    (lesson_04.check_steps_per_epoch, 20, "not 16"),
    (lesson_04.check_steps_per_epoch, 25, "ESC-50"),
    (lesson_04.check_steps_per_epoch, 4, "every training clip once"),
    (lesson_04.check_leak, "ESC-10", "without help"),
    (lesson_04.check_leak, "equal", "help needed"),
    (lesson_04.check_leak, "neither", "one of these words"),
    (lesson_04.check_standard_error, 0.0484, "a hundred times"),
    (lesson_04.check_standard_error, 43.3, "one clip"),
    (lesson_04.check_standard_error, 0.433, "as a share"),
    (lesson_04.check_standard_error, 3.87, "clips"),
    (lesson_04.check_standard_error, 0.234, "variance"),
    (lesson_04.check_standard_error, 9.49, "95 %"),
    (lesson_04.check_standard_error, 9.68, "95 %"),
    (lesson_04.check_standard_error, 5.59, "50 %"),
    (lesson_04.check_standard_error, 2.17, "400"),
    (lesson_04.check_standard_error, 5, "one decimal"),
    (lesson_04.check_standard_error, 2.4, "binomial"),
    (lesson_04.check_compressed_level, -18, "not the level is divided"),
    (lesson_04.check_compressed_level, -10, "from there"),
    (lesson_04.check_compressed_level, 10, "on which side"),
    (lesson_04.check_compressed_level, 30, "sign"),
    (lesson_04.check_compressed_level, -82.5, "not multiplied"),
    (lesson_04.check_compressed_level, -46, "not -65"),
    (lesson_04.check_compressed_level, -38, "without the 20"),
    (lesson_04.check_compressed_level, -35, "taken away"),
    (lesson_04.check_compressed_level, -20, "how far below"),
    (lesson_04.check_average_windows, lambda scores: torch.softmax(scores.mean(dim=1), dim=-1), "softmax comes first"),
    (lesson_04.check_average_windows, lambda scores: torch.softmax(scores, dim=1).mean(dim=1), "not to the windows"),
    (lesson_04.check_average_windows, lambda scores: torch.softmax(scores, dim=0).mean(dim=1), "not to the clips"),
    (lesson_04.check_average_windows, lambda scores: scores.mean(dim=1), "mean scores"),
    (lesson_04.check_average_windows, lambda scores: torch.softmax(scores, dim=-1).sum(dim=1), "not their mean"),
    (lesson_04.check_average_windows, lambda scores: torch.softmax(scores, dim=-1), "now the mean"),
    (lesson_04.check_average_windows, lambda scores: scores.amax(dim=1), "with other numbers: each window votes"),
    (lesson_04.check_average_windows, lambda scores: average_softmax(scores.view(6, 10, 5)), "RuntimeError"),
    (lesson_04.check_average_windows, lambda scores: torch.softmax(scores, dim=-1).mean(dim=0), "(6, 5) is wanted"),
    (lesson_04.check_average_windows, lambda scores: torch.softmax(scores, dim=-1).mean(dim=-1), "(6, 5) is wanted"),
    (lesson_04.check_average_windows, lambda scores: average_softmax(scores).T, "(6, 5) is wanted"),
    (lesson_04.check_average_windows, lambda scores: average_softmax(scores).argmax(dim=-1), "(6, 5) is wanted"),
    (lesson_04.check_average_windows, lambda scores: average_softmax(scores)[:, None], "(6, 5) is wanted"),
    (lesson_04.check_average_windows, lambda scores: torch.log_softmax(scores, -1).mean(dim=1), "votes with a prob"),
    (lesson_04.check_average_windows, lambda scores: average_softmax(scores)[0], "(6, 5) is wanted"),
    (lesson_04.check_average_windows, 3, "a function is wanted"),
    (lesson_04.check_confusion, lambda *call: count_confusion(*call).T, "exchanged"),
    (lesson_04.check_confusion, lambda *call: count_confusion(*call) / count_confusion(*call).sum(), "class 0 taken"),
    (lesson_04.check_confusion, shares, "shares of each row"),
    (lesson_04.check_confusion, of_those_met, "gave the shape (4, 4) where (5, 5) is wanted"),
    (lesson_04.check_confusion, assigned_once, "counted once only"),
    (lesson_04.check_confusion, lambda t, p, n: pd.crosstab(t, p), "gave the shape (4, 3) where (4, 4) is wanted"),
    (lesson_04.check_confusion, lambda t, p, n: pd.crosstab(t, p).to_numpy(), "never predicted keeps its column"),
    (lesson_04.check_confusion, lambda t, p, n: np.bincount(t * n + p).reshape(n, n), "stopped with ValueError"),
    (lesson_04.check_confusion, lambda t, p, n: count_confusion(t, p, 4), "given an array of shape (4,)"),
    (lesson_04.check_confusion, lambda t, p, n: np.eye(n), "row 0, column 1"),
]


test_right_answers, test_wrong_answers, test_open_answers = judged(RIGHT, WRONG, CHECKS)
