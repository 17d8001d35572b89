"""Checks for the exercises of lesson 5, what the filters hear."""

import torch
from torch import Tensor

from envnet_tutorial import probing
from envnet_tutorial.exercises.feedback import Feedback
from envnet_tutorial.exercises.functions import FunctionQuestion
from envnet_tutorial.exercises.questions import Case, ChoiceQuestion, NumberQuestion
from envnet_tutorial.exercises.quizzes.lesson_05 import QUIZ as QUIZ
from envnet_tutorial.settings import ENVNET_INPUT

#: One over the duration is a rule of thumb. Where a band begins is a matter of definition: eight equal taps at 16 kHz
#: are 1,784 Hz wide at half the power (0.886 / T for a long filter, 1,772 Hz), and 2,428 Hz at half the amplitude.
BANDWIDTH = NumberQuestion(
    name="check_bandwidth",
    task="replace the dots with the bandwidth in Hz.",
    answer=ENVNET_INPUT.sample_rate / 8,
    unit="Hz",
    tolerance=1,
    praise="8 taps at 16 kHz last 0.5 ms, and 1 / 0.5 ms = 2,000 Hz: a rule of thumb; at half the power "
    "eight equal taps have 1,784 Hz.",
    also=(
        Case(
            1_780, "so wide are eight equal taps at half the power; the rule of thumb, 1 / 0.5 ms, says 2,000 Hz.", 30
        ),
        Case(
            2_420,
            "so wide are eight equal taps at half the amplitude; the rule of thumb, 1 / 0.5 ms, says 2,000 Hz.",
            40,
        ),
        Case(2_050, "of that order: the rule of thumb, 1 / 0.5 ms, says 2,000 Hz.", 450),
    ),
    hints=(
        Case(2, "in Hz, not in kHz.", 0.5),
        Case(1_000, "half the rate over the taps is half too little: how long are 8 samples in seconds?", 50),
        Case(4_000, "so far apart are the zeros on both sides: the band itself is about half as wide.", 50),
        Case(8_000, "that is all the network can hear: how long are 8 samples in seconds?", 50),
        Case(16_000, "that is the rate: how long are 8 samples in seconds?", 50),
        Case(0.0005, "so long are 8 samples, in seconds: a band is about as wide as one over that.", 0.00005),
        Case(0.5, "so long are 8 samples, in ms: a band is about as wide as one over that.", 0.05),
    ),
    hint="how long are 8 samples in seconds? A band is about as wide as one over the duration.",
)

UNTRAINED_DIAGONAL = ChoiceQuestion(
    name="check_untrained_diagonal",
    task='replace the dots with "none", "some" or "full".',
    choices=("none", "some", "full"),
    answer="some",
    praise="random filters have preferences too, and sorting lines them up: a picture needs this control.",
    hints=(
        Case("none", "does a filter with random weights answer all tones alike? Sorting lines up whatever differs."),
        Case("full", "sorting lines up what there is, but do random filters like every frequency, and one each?"),
    ),
    hint="does a filter with random weights answer all tones alike? And what does sorting do with any differences?",
)

HIGH_TONE = ChoiceQuestion(
    name="check_high_tone",
    task='replace the dots with "more", "as many" or "fewer".',
    choices=("more", "as many", "fewer"),
    answer="fewer",
    praise="each filter comes to keep one band, and most of the bands lie lower.",
    hints=(
        Case("more", "that would take filters that answer more tones than before: look at one row, step by step."),
        Case("as many", "do the bands of a row keep their width? Look at one row, step by step."),
    ),
    hint="slide the tone near 4 kHz, and compare the bars of the first step with those of the last.",
)

ALIAS = NumberQuestion(
    name="check_alias",
    task="replace the dots with the frequency in Hz.",
    answer=ENVNET_INPUT.sample_rate - 13_000,
    unit="Hz",
    tolerance=1,
    praise="above half the rate a tone folds back: 16,000 - 13,000 = 3,000 Hz, the same samples up to their sign.",
    hints=(
        Case(13_000, "the highest frequency at 16 kHz is 8,000 Hz.", 1),
        Case(8_000, "that is the mirror: the tone lies 5,000 Hz above it, so where is its image?", 1),
        Case(5_000, "so far is it above the mirror, which is half the rate: its image is as far below.", 1),
        Case(-3_000, "a tone of -3,000 Hz sounds like one of which frequency above 0?", 1),
        Case(3, "in Hz, not in kHz."),
        Case(29_000, "that is the sum: which frequency below 8,000 Hz has the same samples?", 1),
    ),
    hint="half the rate is a mirror: how far is 13,000 Hz above it?",
)


def check_bandwidth(answer: float) -> Feedback:
    """Check the bandwidth in Hz that 8 taps at 16 kHz allow (lesson 5): about the rate over the taps, 2,000 Hz.

    It is a rule of thumb, so anything from the width at half the power to that at half the amplitude passes.
    """
    return BANDWIDTH.judge(answer)


def check_untrained_diagonal(answer: str) -> Feedback:
    """Check the prediction of what sorting does to an untrained network's matrix (lesson 5): "some" diagonal."""
    return UNTRAINED_DIAGONAL.judge(answer)


def check_high_tone(answer: str) -> Feedback:
    """Check the prediction of how many trained filters a tone of 4 kHz moves (lesson 5): "fewer" than untrained ones.

    A filter counts that gives the tone at least half of the strongest answer that it gives to any.
    """
    return HIGH_TONE.judge(answer)


def check_alias(answer: float) -> Feedback:
    """Check which tone a network at 16 kHz hears when 13 kHz is sampled without a filter (lesson 5): 3 kHz."""
    return ALIAS.judge(answer)


def check_sort_order(answer) -> Feedback:
    """Check a function that returns the order of filters by the frequency of their largest response (lesson 5).

    Parameters
    ----------
    answer : callable
        Takes a response matrix (filter, frequency) and returns the rows' order, lowest frequency first.
    """
    small = torch.tensor([[0.1, 0.2, 0.9], [5.0, 1.0, 4.0], [0.0, 0.3, 0.1], [2.0, 0.0, 1.0]])
    large = torch.rand(40, 8, generator=torch.Generator().manual_seed(5))  # 40 filters with 8 places: many are equal
    return FunctionQuestion(
        calls=[(small,), (large,)],
        reference=lambda matrix: probing.sort_by_centre(matrix, torch.arange(float(matrix.shape[1]))),
        mistakes=(
            (lambda matrix: matrix.argmax(dim=1), "those are the places themselves: now sort the rows by them."),
            (
                lambda matrix: _by_place(matrix).argsort(),
                "that is the rank of each row: give the rows, the lowest first.",
            ),
            (lambda matrix: matrix.amax(dim=1).argsort(stable=True), "the place of the maximum decides, not its size."),
            (lambda matrix: _by_place(matrix).flip(0), "the lowest frequency comes first."),
            (
                lambda matrix: matrix.argmax(dim=1).argsort(stable=True, descending=True),
                "the lowest frequency comes first.",
            ),
            (lambda matrix: matrix[_by_place(matrix)], "that is the sorted matrix: give the order of its rows."),
        ),
        praise="the place of each row's maximum decides, whatever its size; equal places keep their order.",
        hint="look for the column of each row's largest value, then sort the rows by that column, stably.",
        task="write a function of the response matrix.",
    ).judge(answer)


def _by_place(matrix: Tensor) -> Tensor:
    return matrix.argmax(dim=1).argsort(stable=True)
