"""Checks for the exercises of lesson 5, what the filters hear."""

import torch

from envnet_tutorial import probing
from envnet_tutorial.exercises.feedback import Feedback, grade
from envnet_tutorial.settings import ENVNET_INPUT


def check_bandwidth(answer: float) -> Feedback:
    """Check the bandwidth in Hz that 8 taps at 16 kHz allow (lesson 5): the rate over the taps, 2,000 Hz."""
    return grade(
        answer,
        lambda width: abs(float(width) - ENVNET_INPUT.sample_rate / 8) < 1,
        praise="8 taps at 16 kHz last 0.5 ms, and 1 / 0.5 ms = 2,000 Hz: a filter this short cannot be choosier.",
        hint="how long are 8 samples in seconds? A band is about as wide as one over the duration.",
        task="replace the dots with the bandwidth in Hz.",
    )


def check_untrained_diagonal(answer: str) -> Feedback:
    """Check the prediction of what sorting does to an untrained network's matrix (lesson 5): "some" diagonal."""
    return grade(
        answer,
        lambda word: word.strip().lower() == "some",
        praise="random filters have preferences too, and sorting lines them up: a picture needs this control.",
        hint="does a filter with random weights answer all tones alike? And what does sorting do with any differences?",
        task='replace the dots with "none", "some" or "full".',
    )


def check_sort_order(answer) -> Feedback:
    """Check a function that returns the order of filters by the frequency of their largest response (lesson 5).

    Parameters
    ----------
    answer : callable
        Takes a response matrix (filter, frequency) and returns the rows' order, lowest frequency first.
    """
    matrix = torch.tensor([[0.1, 0.2, 0.9], [5.0, 1.0, 4.0], [0.0, 0.3, 0.1], [2.0, 0.0, 1.0]])
    expected = probing.sort_by_centre(matrix, torch.arange(3.0))
    return grade(
        answer,
        lambda order: torch.as_tensor(order(matrix)).tolist() == expected.tolist(),
        praise="the place of each row's maximum decides, whatever its size; equal places keep their order.",
        hint="look for the column of each row's largest value, then sort the rows by that column, stably.",
        task="write a function of the response matrix.",
    )


def check_alias(answer: float) -> Feedback:
    """Check which tone a network at 16 kHz hears when 9 kHz is sampled without a filter (lesson 5): 7 kHz."""
    return grade(
        answer,
        lambda frequency: abs(float(frequency) - 7000) < 1,
        praise="above half the rate a tone folds back: 16,000 - 9,000 = 7,000 Hz, the same samples up to their sign.",
        hint="half the rate is a mirror: how far is 9,000 Hz above it?",
        task="replace the dots with the frequency in Hz.",
    )
