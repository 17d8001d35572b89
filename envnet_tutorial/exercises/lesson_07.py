"""Checks for the exercises of lesson 7, the family of networks and what learning buys."""

import math

import numpy as np

from envnet_tutorial.exercises.feedback import Feedback
from envnet_tutorial.exercises.functions import FunctionQuestion
from envnet_tutorial.exercises.questions import Case, ChoiceQuestion, NumberQuestion, TupleQuestion
from envnet_tutorial.exercises.quizzes.lesson_07 import QUIZ as QUIZ

ONE_ERROR = 100 * math.sqrt(0.75 * 0.25 / 80)

HEAVIER = ChoiceQuestion(
    name="check_heavier",
    task='replace the dots with "m3", "m18" or "equal".',
    choices=("m3", "m18", "equal"),
    answer="m3",
    praise="its 256 channels run at 2,000 and 500 places a second, M18's 512 at eight: weights say what is to be "
    "learned, not what is to be computed.",
    hints=(
        Case("m18", "it has more weights; but how many places does each of them visit?"),
        Case("equal", "that would be a coincidence: how many places does each weight visit?"),
    ),
    hint="operations are weights times the places that they visit.",
)

BAND_WIDTH = NumberQuestion(
    name="check_band_width",
    task="replace the dots with the width in Hz that 1 / T gives.",
    answer=44_100 / 94,
    tolerance=5,
    unit="Hz",
    praise="94 taps last 2.13 ms, and 1 / 2.13 ms = 469 Hz. EnvNet's 15 taps at 16 kHz last 0.94 ms: 1,067 Hz.",
    hints=(
        Case(44_100 / 64, "those are the 64 taps of the first layer alone: both layers together reach 94.", 5),
        Case(16_000 / 94, "EnvNet-v2 hears 44.1 kHz, not 16.", 3),
        Case(16_000 / 15, "that is EnvNet's width: asked is that of 94 taps at 44.1 kHz.", 5),
        Case(94 / 44.1, "those are the milliseconds that the taps last: what is one over that?", 0.02),
        Case(0.469, "that is in kHz.", 0.005),
    ),
    hint="how long do 94 samples last, and what is one over that?",
)

COSTLY_STEP = ChoiceQuestion(
    name="check_costly_step",
    task='replace the dots with "filters", "learning" or "form".',
    choices=("filters", "learning", "form"),
    answer="learning",
    praise="the same filters have fewer right when they are trained than when they are left alone.",
    hints=(
        Case("filters", "they compute the same bands: compare the first two rows below."),
        Case("form", "EnvNet costs nothing against the mel start: compare the last two rows below."),
    ),
    hint="compare each row of the table below with the one above it.",
)

DIFFERENCE = NumberQuestion(
    name="check_difference",
    task="replace the dots with the standard error, in percentage points.",
    answer=math.sqrt(2) * ONE_ERROR,
    tolerance=0.06,
    unit="percentage points",
    praise=f"variances add: sqrt(2) x {ONE_ERROR:.1f} = 6.8 points. With fewer than twice that, say nothing.",
    hints=(
        Case(ONE_ERROR, "that is the standard error of one of the two.", 0.06),
        Case(2 * ONE_ERROR, "the errors do not add: their squares do.", 0.06),
        Case(0, "two errors do not cancel: they are as likely to add up."),
        Case(ONE_ERROR / math.sqrt(2), "that is for the mean of the two: a difference is less certain.", 0.06),
        Case(math.sqrt(2) * ONE_ERROR / 100, "that is the share: in points it is a hundred times as much.", 0.001),
        Case(7, "near: give one decimal.", 0.05),
    ),
    hint="the variance of a difference of independent numbers is the sum of their variances.",
)

FUSED = TupleQuestion(
    name="check_fused",
    task="replace the dots with the three probabilities of the two networks together.",
    answer=(0.3, 0.4, 0.3),
    tolerance=0.005,
    praise="the second class wins, which neither network put first: both held it possible.",
    hints=(
        Case((0.6, 0.8, 0.6), "that is the sum: divide by two, so that they add up to 1.", 0.005),
        Case((0.05, 0.16, 0.05), "that is the product: late fusion as the paper has it takes the mean.", 0.005),
        Case((0.5, 0.4, 0.5), "that is the larger of the two: take the mean.", 0.005),
    ),
    hint="add the two, class by class, and divide by two.",
)

FRONT_WEIGHTS = NumberQuestion(
    name="check_front_weights",
    task="replace the dots with the number of parameters.",
    answer=35_008,
    unit="parameters",
    praise="32 x 64 taps and 64 x 32 x 16 taps, and a scale and an offset for each of the 96 channels.",
    hints=(
        Case(34_816, "those are the taps: each channel also has a scale and an offset behind it."),
        Case(2_112 + 64 * 16 + 128, "a filter of the second layer has 16 taps on each of 32 channels."),
        Case(34_816 + 64, "there are two batch norms: that of 64 channels is missing."),
        Case(34_816 + 128, "there are two batch norms: that of 32 channels is missing."),
        Case(32_896, "that is the second layer alone."),
        Case(2_112, "that is the first layer alone."),
        Case(13_280, "that is EnvNet's front end, which the page counts."),
    ),
    hint="conv1 has 32 filters of 64 taps; conv2 64 filters of 16 taps on 32 channels; each layer has a batch norm.",
)

CONV_OPERATIONS = NumberQuestion(
    name="check_conv_operations",
    task="replace the dots with the millions of operations.",
    answer=2 * 128 * 80 * 3_000 / 1e6,
    tolerance=0.05,
    unit="million operations",
    praise="128 filters at 3,000 places, 80 taps each, and two operations a tap: 61.44 million.",
    hints=(
        Case(30.72, "each tap is a multiplication and an addition.", 0.01),
        Case(245.76, "a stride of 4 leaves 3,000 places of 12,000.", 0.01),
        Case(163.84, "that is for all 4 s that the network is trained on.", 0.01),
        Case(61_440_000, "that is right, in single operations: asked is in millions.", 1_000),
    ),
    hint="places times filters times taps, times two.",
)

CHANGES = NumberQuestion(
    name="check_changes",
    task="replace the dots with how many things change at once.",
    answer=4,
    unit="things",
    praise="how the picture is computed, whether it is learned, its form, and where its weights begin. Whichever it "
    "was, the paper cannot say.",
    hints=(
        Case(1, "learning is one of them: which steps lie between the two networks besides?"),
        Case(2, "start at `mel-cnn` itself: its first step changes something, too."),
        Case(0, "the two differ, or there would be nothing to compare."),
    ),
    also=(
        Case(
            3,
            "three rows. The last of them changes two things, form and start; whoever counts these apart has four. "
            "Whichever it was, the paper cannot say.",
        ),
    ),
    hint="walk from `mel-cnn` to `envnet`, row by row.",
)


def check_heavier(answer: str) -> Feedback:
    """Check a prediction of which needs more operations for 1.5 s, M3 or M18 (lesson 7): M3."""
    return HEAVIER.judge(answer)


def check_band_width(answer: float) -> Feedback:
    """Check the width of a band that 94 taps at 44.1 kHz resolve, by the rule of thumb (lesson 7): 469 Hz."""
    return BAND_WIDTH.judge(answer)


def check_difference(answer: float) -> Feedback:
    """Check the standard error of a difference of two accuracies of 75 % on 80 clips (lesson 7): 6.8 points."""
    return DIFFERENCE.judge(answer)


def check_costly_step(answer: str) -> Feedback:
    """Check a prediction of which step from the mel CNN to EnvNet costs most (lesson 7): learning on from mel."""
    return COSTLY_STEP.judge(answer)


def check_fused(answer: tuple[float, float, float]) -> Feedback:
    """Check the mean of the probabilities (0.5, 0.4, 0.1) and (0.1, 0.4, 0.5) (lesson 7)."""
    return FUSED.judge(answer)


def check_front_weights(answer: int) -> Feedback:
    """Check the number of parameters of EnvNet-v2's ``feature_conv`` (lesson 7): 35,008."""
    return FRONT_WEIGHTS.judge(answer)


def check_conv_operations(answer: float) -> Feedback:
    """Check the millions of operations of M5's first layer for 1.5 s (lesson 7): 61.44."""
    return CONV_OPERATIONS.judge(answer)


def check_changes(answer: int) -> Feedback:
    """Check how many things change between the mel CNN and EnvNet (lesson 7): four."""
    return CHANGES.judge(answer)


def check_fuse(answer) -> Feedback:
    """Check a function that fuses the probabilities of two networks by their mean (lesson 7).

    Parameters
    ----------
    answer : callable
        Takes two arrays of probabilities, shape (clip, class) each, and returns their mean in the same shape. It may
        not write into either: the page fuses the same probabilities again.
    """
    first = np.array([[0.5, 0.4, 0.1], [0.9, 0.05, 0.05], [0.2, 0.2, 0.6], [0.0, 0.3, 0.7]])
    second = np.array([[0.1, 0.4, 0.5], [0.3, 0.4, 0.3], [0.1, 0.1, 0.8], [0.8, 0.2, 0.0]])
    feedback = FunctionQuestion(
        calls=[(first, second), (second[:2], first[:2])],
        reference=lambda one, other: (one + other) / 2,
        mistakes=FUSE_MISTAKES,
        atol=1e-6,
        praise="a mean of probabilities is one again: no clip needs a new scale.",
        hint="add the two, class by class, and divide by two.",
        task="write a function of two arrays of probabilities, (clip, class) each.",
    ).judge(answer)
    if feedback:
        lent = (first.copy(), second.copy())
        answer(*lent)
        if not all(map(np.array_equal, lent, (first, second))):
            return Feedback(
                False, "the mean is right, but your function writes it into what it was given: make a new array."
            )
    return feedback


def _rescaled(scores: np.ndarray) -> np.ndarray:
    return scores / scores.sum(axis=1, keepdims=True)


def _softmax(scores: np.ndarray) -> np.ndarray:
    return _rescaled(np.exp(scores))


def _surer(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.where(one.max(axis=1, keepdims=True) >= other.max(axis=1, keepdims=True), one, other)


ALONE = "that is one of the two alone: the other has a say, too."
BESIDE = "that puts the two beside each other: add them, class by class, and divide by two."
GEOMETRIC = "that is the root of the product, in which a single zero vetoes a class: equation (7.1) is of the mean."
NO_SCORES = "these are probabilities already, not scores: no softmax is wanted."
WRONG_AXIS = "the mean is over the two networks, not over the classes or the clips."
#: What is likely to be written instead of the mean, and what is said to one who does.
FUSE_MISTAKES = (
    (lambda one, other: one + other, "that is the sum: they have to add up to 1, so divide by two."),
    (lambda one, other: one * other, "that is the product, in which a single zero vetoes a class: take the mean."),
    (
        lambda one, other: _rescaled(one * other),
        "that is a product, in which a single zero vetoes a class: take the mean.",
    ),
    (lambda one, other: np.sqrt(one * other), GEOMETRIC),
    (lambda one, other: _rescaled(np.sqrt(one * other)), GEOMETRIC),
    (np.maximum, "that is the larger of the two, which does not add up to 1: take the mean."),
    (np.minimum, "that is the smaller of the two, which does not add up to 1: take the mean."),
    (lambda one, other: _rescaled(np.maximum(one, other)), "that is the larger of the two: take the mean."),
    (_surer, "that is the network which is surer of its class: take the mean, in which the surer one weighs more."),
    (lambda one, _: one, ALONE),
    (lambda _, other: other, ALONE),
    (lambda one, other: _softmax((one + other) / 2), NO_SCORES),
    (lambda one, other: _softmax(one + other), NO_SCORES),
    (lambda one, other: (_softmax(one) + _softmax(other)) / 2, NO_SCORES),
    (lambda one, other: ((one + other) / 2).argmax(axis=1), "give the probabilities, not the classes."),
    *((lambda one, other, axis=axis: np.concatenate([one, other], axis=axis), BESIDE) for axis in (0, 1)),
    *((lambda one, other, axis=axis: np.stack([one, other], axis=axis), BESIDE) for axis in (0, 1, 2)),
    *((lambda one, other, axis=axis: (one + other).mean(axis=axis), WRONG_AXIS) for axis in (0, 1)),
    *((lambda one, other, axis=axis: np.mean([one, other], axis=axis), WRONG_AXIS) for axis in (1, 2, None)),
    *((lambda one, other, axis=axis: (one + other).mean(axis=axis) / 2, WRONG_AXIS) for axis in (0, 1)),
)
