"""Lesson 6's checks accept each right form and tell each wrong answer what was wrong."""

import math

import numpy as np
import torch
from answer_forms import number_forms
from judged import judged
from torch.nn import functional

from envnet_tutorial import augment, training
from envnet_tutorial.audio.levels import a_weighted_level
from envnet_tutorial.exercises import lesson_06
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate
CHECKS = [
    lesson_06.check_sum_level,
    lesson_06.check_amplitude_share,
    lesson_06.check_label_entropy,
    lesson_06.check_same_class,
    lesson_06.check_order,
    lesson_06.check_mix,
    lesson_06.check_divergence,
]


def mix_levels(first, second, first_db, second_db, ratio):
    """Mix by the formula as the paper writes it."""
    share = 1 / (1 + 10 ** ((first_db - second_db) / 20) * (1 - ratio) / ratio)
    return (share * first + (1 - share) * second) / math.sqrt(share**2 + (1 - share) ** 2)


def mix_in_numpy(first, second, first_db, second_db, ratio):
    """From what is wanted: both parts as strong as the ratio says, and gains whose squares add up to 1."""
    gains = np.array([ratio / 10 ** (first_db / 20), (1 - ratio) / 10 ** (second_db / 20)])
    gains /= np.linalg.norm(gains)
    return gains[0] * first.numpy() + gains[1] * second.numpy()


def divergence(scores, targets):
    return functional.kl_div(functional.log_softmax(scores, 1), targets, reduction="batchmean")


def divergence_by_hand(scores, targets):
    prediction = torch.softmax(scores.double(), dim=1).numpy()
    t = targets.double().numpy()
    return np.where(t > 0, t * np.log(np.where(t > 0, t, 1) / prediction), 0).sum(axis=1).mean()


def with_entropy_taken_off(scores, targets):
    entropy = torch.special.entr(targets).sum(dim=1).mean()
    return functional.cross_entropy(scores, targets) - entropy


def changed(**changes):
    """Return `mix_levels` with one thing done otherwise."""

    def mixed(first, second, first_db, second_db, ratio):
        difference = changes.get("sign", 1) * (first_db - second_db) / changes.get("per", 20)
        ratio = 1 - ratio if "exchanged" in changes else ratio
        share = 1 / (1 + 10**difference * (1 - ratio) / ratio)
        root = {"none": 1.0, "squares": share**2 + (1 - share) ** 2, "ratio": math.hypot(ratio, 1 - ratio)}
        return (share * first + (1 - share) * second) / root.get(changes.get("root"), math.hypot(share, 1 - share))

    return mixed


def plain(first, second, first_db, second_db, ratio):
    return (ratio * first + (1 - ratio) * second) / math.hypot(ratio, 1 - ratio)


RIGHT = [
    *((lesson_06.check_sum_level, form) for form in number_forms(-16.99)),
    (lesson_06.check_sum_level, -17),
    *((lesson_06.check_amplitude_share, form) for form in number_forms(1 / 11)),
    (lesson_06.check_amplitude_share, 0.09),
    *((lesson_06.check_label_entropy, form) for form in number_forms(0.5623)),
    (lesson_06.check_label_entropy, 0.56),
    *((lesson_06.check_same_class, form) for form in number_forms(32)),
    (lesson_06.check_same_class, 31),
    (lesson_06.check_same_class, 31.1),
    *((lesson_06.check_order, form) for form in ("crop", "Crop.", " 'crop' ", ["crop"])),
    (lesson_06.check_mix, mix_levels),
    (lesson_06.check_mix, mix_in_numpy),
    (lesson_06.check_mix, lambda *call: mix_levels(*call).double()),
    (lesson_06.check_mix, lambda *call: mix_levels(*call).tolist()),
    (lesson_06.check_divergence, divergence),
    (lesson_06.check_divergence, training.kl_loss),
    (lesson_06.check_divergence, divergence_by_hand),
    (lesson_06.check_divergence, with_entropy_taken_off),
    (lesson_06.check_divergence, lambda scores, targets: divergence(scores.double().requires_grad_(), targets)),
]
WRONG = [
    (lesson_06.check_sum_level, -40, "decibels are logarithms"),
    (lesson_06.check_sum_level, -14, "swing together"),
    (lesson_06.check_sum_level, -20, "add nothing"),
    (lesson_06.check_sum_level, -10, "ten times the power"),
    (lesson_06.check_sum_level, 17, "sign"),
    (lesson_06.check_sum_level, 3, "how much is added"),
    (lesson_06.check_sum_level, -23, "the level rises"),
    (lesson_06.check_sum_level, -18, "add their powers"),
    (lesson_06.check_sum_level, "-17", "without quotes"),
    (lesson_06.check_amplitude_share, 0.5, "ten times as strongly"),
    (lesson_06.check_amplitude_share, 0.909, "quieter sound"),
    (lesson_06.check_amplitude_share, 0.1, "add up to 1"),
    (lesson_06.check_amplitude_share, 0.0099, "ten times the amplitude"),
    (lesson_06.check_amplitude_share, 1 / 21, "not a factor of 20"),
    (lesson_06.check_amplitude_share, 0.24, "10 ** (20 / 20)"),
    (lesson_06.check_amplitude_share, 9.1, "not in percent"),
    (lesson_06.check_amplitude_share, 0.3, "with the sum 1"),
    (lesson_06.check_label_entropy, 0, "lowest divergence"),
    (lesson_06.check_label_entropy, 0.811, "bits"),
    (lesson_06.check_label_entropy, 0.2442, "base 10"),
    (lesson_06.check_label_entropy, -0.562, "makes the sum positive"),
    (lesson_06.check_label_entropy, 0.288, "first class alone"),
    (lesson_06.check_label_entropy, 0.693, "two equal halves"),
    (lesson_06.check_label_entropy, 1.674, "weight each logarithm"),
    (lesson_06.check_label_entropy, 0.2158, "second class counts"),
    (lesson_06.check_label_entropy, 0.3466, "first class counts"),
    (lesson_06.check_label_entropy, 2.303, "knows nothing"),
    (lesson_06.check_label_entropy, 0.4, "the label itself"),
    (lesson_06.check_same_class, 0, "draw_pairs"),
    (lesson_06.check_same_class, 3.2, "meet itself"),
    (lesson_06.check_same_class, 0.1, "how many of 320"),
    (lesson_06.check_same_class, 10, "percent"),
    (lesson_06.check_same_class, 6.4, "50 classes"),
    (lesson_06.check_same_class, 1, "31 others"),
    (lesson_06.check_same_class, 288, "different classes"),
    (lesson_06.check_same_class, 40, "320 clips are left"),
    (lesson_06.check_same_class, 16, "whatever the first clip is"),
    (lesson_06.check_order, "mix", "nobody hears it"),
    (lesson_06.check_order, "both", "one of these words: crop, mix"),
    (lesson_06.check_mix, plain, "the levels are not in it"),
    (lesson_06.check_mix, lambda a, b, g, h, r: r * a + (1 - r) * b, "the levels are not in it"),
    (lesson_06.check_mix, changed(sign=-1), "which sign"),
    (lesson_06.check_mix, changed(per=10), "divide the difference by 20"),
    (lesson_06.check_mix, changed(root="none"), "not quieter"),
    (lesson_06.check_mix, changed(root="squares"), "the root of the sum"),
    (lesson_06.check_mix, changed(root="ratio"), "not of the ratio"),
    (lesson_06.check_mix, changed(exchanged=True), "not of the second"),
    (lesson_06.check_mix, lambda a, b, g, h, r: a, "then both parts, over the root"),
    (lesson_06.check_mix, lambda a, b, g, h, r: mix_levels(a, b, g, h, r).sum(), "where (50,) is wanted"),
    (lesson_06.check_mix, lambda a, b: a, "stopped with TypeError"),
    (lesson_06.check_mix, 0.5, "a function is wanted"),
    (
        lesson_06.check_divergence,
        lambda s, t: functional.kl_div(s.log_softmax(1), t, reduction="batchmean", log_target=True),
        "says that the targets are logarithms",
    ),
    (lesson_06.check_divergence, functional.cross_entropy, "entropy of the label is still in it"),
    (lesson_06.check_divergence, lambda s, t: -(t * s.log_softmax(1)).sum(1).mean(), "entropy of the label"),
    (
        lesson_06.check_divergence,
        lambda s, t: functional.kl_div(s.log_softmax(1), t, reduction="none").mean(),
        "average the clips",
    ),
    (lesson_06.check_divergence, lambda s, t: len(s) * divergence(s, t), "sum over the clips"),
    (
        lesson_06.check_divergence,
        lambda s, t: functional.kl_div(s.softmax(1), t, reduction="batchmean"),
        "log_softmax, not softmax",
    ),
    (lesson_06.check_divergence, lambda s, t: functional.kl_div(s, t, reduction="batchmean"), "those are scores"),
    (lesson_06.check_divergence, lambda s, t: (t * (t.log() - s.log_softmax(1))).sum(1).mean(), "gave nan"),
    (lesson_06.check_divergence, lambda s, t: divergence(t, s.softmax(1)), "sum over classes"),
    (lesson_06.check_divergence, lambda s, t: torch.zeros(len(s)), "where () is wanted"),
]


test_right_answers, test_wrong_answers, test_open_answers = judged(RIGHT, WRONG, CHECKS)


def test_what_is_asked_for_is_what_the_book_mixes():
    """A right answer to `check_mix`, given A-weighted levels, is `augment.mix`."""
    first, second = torch.randn(2, 5_000, generator=torch.Generator().manual_seed(1)) * torch.tensor([[1.0], [0.05]])
    first_db, second_db = a_weighted_level(torch.stack([first, second]), RATE).tolist()
    expected = augment.mix(first[None], second[None], torch.tensor([0.3]), RATE)[0]
    torch.testing.assert_close(mix_levels(first, second, first_db, second_db, 0.3), expected, rtol=1e-4, atol=1e-5)
