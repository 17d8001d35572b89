"""Lesson 7's checks accept each right form and tell each wrong answer what was wrong."""

import numpy as np
import torch
from answer_forms import number_forms, tuple_forms
from judged import judged
from tiny import parameters_of

from envnet_tutorial.comparison import operations
from envnet_tutorial.exercises import lesson_07
from envnet_tutorial.models import M3, M5, M18, EnvNetV2

CHECKS = [value for name, value in vars(lesson_07).items() if name.startswith("check_")]


def fuse(one, other):
    return 0.5 * (one + other)


def fuse_in_place(one, other):
    one += other
    one /= 2
    return one


def fuse_by_loops(one, other):
    clips, classes = one.shape
    return [[(one[clip][c] + other[clip][c]) / 2 for c in range(classes)] for clip in range(clips)]


def tensors(*arrays):
    return [torch.tensor(array) for array in arrays]


def scaled(scores):
    return scores / scores.sum(axis=1, keepdims=True)


def surer(one, other):
    return np.array([max(pair, key=np.max) for pair in zip(one, other, strict=True)])


def softmax(scores):
    return torch.softmax(torch.as_tensor(scores), dim=1)


RIGHT = [
    *((lesson_07.check_heavier, word) for word in ("m3", "M3", " m3.", ["m3"])),
    *((lesson_07.check_band_width, form) for form in number_forms(469)),
    (lesson_07.check_band_width, 470),
    *((lesson_07.check_costly_step, word) for word in ("learning", " Learning.")),
    *((lesson_07.check_difference, form) for form in number_forms(6.8)),
    (lesson_07.check_difference, 6.85),
    *((lesson_07.check_fused, form) for form in tuple_forms((0.3, 0.4, 0.3))),
    *((lesson_07.check_front_weights, form) for form in number_forms(35_008)),
    *((lesson_07.check_conv_operations, form) for form in number_forms(61.44)),
    (lesson_07.check_conv_operations, 61.4),
    *((lesson_07.check_changes, form) for form in number_forms(4)),
    (lesson_07.check_changes, 3),
    (lesson_07.check_fuse, fuse),
    (lesson_07.check_fuse, lambda one, other: np.mean([one, other], axis=0)),
    (lesson_07.check_fuse, lambda one, other: np.average(np.stack([one, other]), axis=0, weights=[1, 1])),
    (lesson_07.check_fuse, lambda one, other: np.stack([one, other], axis=2).mean(axis=2)),
    (lesson_07.check_fuse, lambda one, other: torch.stack(tensors(one, other)).mean(dim=0)),
    (lesson_07.check_fuse, lambda one, other: torch.lerp(*tensors(one, other), 0.5).float()),
    (lesson_07.check_fuse, lambda one, other: scaled(one + other)),
    (lesson_07.check_fuse, fuse_by_loops),
    (lesson_07.check_fuse, lambda one, other: fuse_in_place(one.copy(), other)),
    (lesson_07.check_fuse, lambda one, other: fuse(one, other).tolist()),
    (lesson_07.check_fuse, lambda one, other: fuse(one, other).astype(np.float32)),
]
WRONG = [
    (lesson_07.check_heavier, "m18", "more weights"),
    (lesson_07.check_heavier, "equal", "coincidence"),
    (lesson_07.check_heavier, "envnet", "one of these words"),
    (lesson_07.check_band_width, 689, "first layer alone"),
    (lesson_07.check_band_width, 170, "not 16"),
    (lesson_07.check_band_width, 1_067, "EnvNet's width"),
    (lesson_07.check_band_width, 2.13, "milliseconds"),
    (lesson_07.check_band_width, 0.469, "kHz"),
    (lesson_07.check_band_width, 500, "how long"),
    (lesson_07.check_costly_step, "filters", "first two rows"),
    (lesson_07.check_costly_step, "form", "last two rows"),
    (lesson_07.check_costly_step, "dropout", "one of these words"),
    (lesson_07.check_difference, 4.84, "one of the two"),
    (lesson_07.check_difference, 9.68, "squares"),
    (lesson_07.check_difference, 0, "cancel"),
    (lesson_07.check_difference, 3.42, "less certain"),
    (lesson_07.check_difference, 0.068, "a hundred times"),
    (lesson_07.check_difference, 7, "one decimal"),
    (lesson_07.check_difference, 5.5, "sum of their variances"),
    (lesson_07.check_fused, (0.6, 0.8, 0.6), "the sum"),
    (lesson_07.check_fused, (0.05, 0.16, 0.05), "the product"),
    (lesson_07.check_fused, (0.5, 0.4, 0.5), "the larger"),
    (lesson_07.check_fused, (0.3, 0.3, 0.4), "class by class"),
    (lesson_07.check_fused, (0.3, 0.4), "numbers wanted: 3"),
    (lesson_07.check_front_weights, 34_816, "those are the taps"),
    (lesson_07.check_front_weights, 3_264, "each of 32 channels"),
    (lesson_07.check_front_weights, 34_880, "of 64 channels is missing"),
    (lesson_07.check_front_weights, 34_944, "of 32 channels is missing"),
    (lesson_07.check_front_weights, 32_896, "second layer alone"),
    (lesson_07.check_front_weights, 2_112, "first layer alone"),
    (lesson_07.check_front_weights, 13_280, "EnvNet's front end"),
    (lesson_07.check_front_weights, 31_180, "conv1 has 32"),
    (lesson_07.check_conv_operations, 30.72, "an addition"),
    (lesson_07.check_conv_operations, 245.76, "stride"),
    (lesson_07.check_conv_operations, 163.84, "all 4 s"),
    (lesson_07.check_conv_operations, 61_440_000, "in millions"),
    (lesson_07.check_conv_operations, 60, "times two"),
    (lesson_07.check_changes, 1, "learning is one of them"),
    (lesson_07.check_changes, 2, "start at"),
    (lesson_07.check_changes, 0, "nothing to compare"),
    (lesson_07.check_changes, 5, "row by row"),
    (lesson_07.check_fuse, lambda one, other: one + other, "divide by two"),
    (lesson_07.check_fuse, lambda one, other: one * other, "vetoes"),
    (lesson_07.check_fuse, np.maximum, "does not add up to 1"),
    (lesson_07.check_fuse, lambda one, other: fuse(one, other).argmax(axis=1), "not the classes"),
    (lesson_07.check_fuse, lambda one, other: scaled(one * other), "vetoes"),
    (lesson_07.check_fuse, lambda one, other: np.sqrt(one * other), "root of the product"),
    (lesson_07.check_fuse, lambda one, other: scaled(np.sqrt(one * other)), "equation (7.1)"),
    (lesson_07.check_fuse, lambda one, other: scaled(np.maximum(one, other)), "the larger"),
    (lesson_07.check_fuse, np.minimum, "the smaller"),
    (lesson_07.check_fuse, lambda one, other: softmax((one + other) / 2), "no softmax"),
    (lesson_07.check_fuse, lambda one, other: softmax(one + other), "no softmax"),
    (lesson_07.check_fuse, lambda one, other: (softmax(one) + softmax(other)) / 2, "no softmax"),
    (lesson_07.check_fuse, lambda one, other: one, "one of the two alone"),
    (lesson_07.check_fuse, lambda one, other: other, "one of the two alone"),
    (lesson_07.check_fuse, surer, "surer of its class"),
    (lesson_07.check_fuse, lambda one, other: np.concatenate([one, other]), "beside each other"),
    (lesson_07.check_fuse, lambda one, other: torch.cat(tensors(one, other), dim=1), "beside each other"),
    (lesson_07.check_fuse, lambda one, other: (one, other), "beside each other"),
    (lesson_07.check_fuse, lambda one, other: (one + other).mean(axis=1), "over the two networks"),
    (lesson_07.check_fuse, lambda one, other: np.mean([one, other], axis=1), "over the two networks"),
    (lesson_07.check_fuse, lambda one, other: np.mean([one, other], axis=2), "over the two networks"),
    (lesson_07.check_fuse, lambda one, other: np.mean([one, other]), "over the two networks"),
    (lesson_07.check_fuse, lambda one, other: fuse(one, other).mean(axis=0), "over the two networks"),
    (lesson_07.check_fuse, fuse_in_place, "what it was given"),
    (lesson_07.check_fuse, lambda one, other: fuse_in_place(other, one), "what it was given"),
    (lesson_07.check_fuse, lambda one, other: np.divide(one + other, 2, out=one), "what it was given"),
    (lesson_07.check_fuse, lambda one, other: 0.7 * one + 0.3 * other, "class by class"),
    (lesson_07.check_fuse, lambda one, other: None, "nothing back"),
    (lesson_07.check_fuse, lambda one: one, "stopped with TypeError"),
    (lesson_07.check_fuse, 0.5, "a function is wanted"),
]


test_right_answers, test_wrong_answers, test_open_answers = judged(RIGHT, WRONG, CHECKS)


def test_the_answers_are_those_of_the_networks():
    assert operations(M3, 50) > operations(M18, 50)
    with torch.device("meta"):
        assert parameters_of(EnvNetV2(50).feature_conv) == lesson_07.FRONT_WEIGHTS.answer
        first = M5(10).feature_conv.conv1.module[0]
        outputs = first(torch.zeros(1, 1, 1, 12_000 + 76)).numel()
    assert 2 * outputs * first.weight[0].numel() / 1e6 == lesson_07.CONV_OPERATIONS.answer
