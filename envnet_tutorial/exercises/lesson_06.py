"""Checks for the exercises of lesson 6, between-class learning."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from envnet_tutorial.exercises.feedback import Feedback
from envnet_tutorial.exercises.functions import FunctionQuestion
from envnet_tutorial.exercises.questions import Case, ChoiceQuestion, NumberQuestion
from envnet_tutorial.exercises.quizzes.lesson_06 import QUIZ as QUIZ

#: Entropy of a label of 3/4 and 1/4, in nats.
ENTROPY = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
NO_LEVELS = "the levels are not in it: the share of the amplitude is not the share of what is heard."

SUM_LEVEL = NumberQuestion(
    name="check_sum_level",
    task="replace the dots with the level of the sum in dB.",
    answer=10 * math.log10(2) - 20,
    tolerance=0.1,
    unit="dB",
    praise="they have nothing in common, so their powers add: twice the power is 10 log10(2) = 3 dB more.",
    hints=(
        Case(-40, "decibels are logarithms: adding them would multiply the powers.", 0.1),
        Case(20 * math.log10(2) - 20, "that is twice the amplitude: it takes two waves that swing together.", 0.1),
        Case(-20, "then the second sound would add nothing.", 0.1),
        Case(-10, "that is ten times the power: there is twice the power.", 0.1),
        Case(17, "the sign is missing: the level stays below full scale.", 0.1),
        Case(10 * math.log10(2), "that is how much is added: where does it lead from -20 dB?", 0.1),
        Case(-10 * math.log10(2) - 20, "two sounds are more than one: the level rises.", 0.1),
    ),
    hint="two sounds that have nothing in common add their powers: what are 10 log10 of twice the power?",
)

AMPLITUDE_SHARE = NumberQuestion(
    name="check_amplitude_share",
    task="replace the dots with the louder sound's share, between 0 and 1.",
    answer=1 / 11,
    tolerance=0.002,
    praise="1 / (1 + 10) = 0.091: the sound that has ten times the amplitude gets a tenth of the other's share.",
    hints=(
        Case(0.5, "so the louder sound would still be heard ten times as strongly.", 0.002),
        Case(10 / 11, "that is the share of the quieter sound.", 0.002),
        Case(0.1, "near: the shares are as 1 to 10, and they add up to 1.", 0.002),
        Case(1 / 101, "20 dB are a hundred times the power, but ten times the amplitude.", 0.002),
        Case(1 / 21, "20 dB are not a factor of 20: they are ten times the amplitude.", 0.002),
        Case(1 / (1 + 10**0.5), "20 dB are a factor of 10 ** (20 / 20) in amplitude, not of 10 ** (10 / 20).", 0.002),
        Case(9.09, "as a share between 0 and 1, not in percent.", 0.2),
    ),
    hint="20 dB are ten times the amplitude. Which two shares, with the sum 1, make the two equally loud?",
)

LABEL_ENTROPY = NumberQuestion(
    name="check_label_entropy",
    task="replace the dots with the lowest cross-entropy that is possible, in nats.",
    answer=ENTROPY,
    tolerance=0.003,
    unit="nats",
    praise=f"-(3/4 ln 3/4 + 1/4 ln 1/4) = {ENTROPY:.3f} nats: the label itself is that uncertain.",
    hints=(
        Case(0, "that is the lowest divergence: cross-entropy keeps the label's own uncertainty."),
        Case(ENTROPY / math.log(2), "those are bits: nats come from the natural logarithm.", 0.003),
        Case(ENTROPY / math.log(10), "nats come from the natural logarithm, not from the one to base 10.", 0.003),
        Case(-ENTROPY, "the logarithms are negative, and the minus sign in front makes the sum positive.", 0.003),
        Case(-math.log(0.75), "that is the cost of the first class alone, as if it had all of the label.", 0.003),
        Case(math.log(2), "that is for two equal halves: here the label is 3/4 and 1/4.", 0.003),
        Case(math.log(4 / 3) + math.log(4), "weight each logarithm with its share of the label.", 0.003),
        Case(0.75 * math.log(4 / 3), "the second class counts too.", 0.003),
        Case(0.25 * math.log(4), "the first class counts too.", 0.003),
        Case(math.log(10), "that is a network which knows nothing: what does one pay which knows all?", 0.003),
    ),
    hint="the best prediction is the label itself: put it into -sum t ln q.",
)

SAME_CLASS = NumberQuestion(
    name="check_same_class",
    task="replace the dots with the number of pairs of one class to be expected.",
    answer=32,
    tolerance=0.05,
    unit="pairs",
    praise="whatever the first clip is, one in ten of the second ones is of its class: 320 / 10.",
    also=(
        Case(
            320 * 31 / 319,
            "if no clip is paired with itself, 31 of the 319 others are of its class: 31.1 pairs.",
            0.15,
        ),
    ),
    hints=(
        Case(0, "so it is where one sees to it, as `draw_pairs` does: here both clips are drawn at random."),
        Case(3.2, "that both are dogs has the probability 1/100, but any of ten classes may meet itself."),
        Case(0.1, "that is the share: how many of 320 pairs?"),
        Case(10, "that is the share in percent: how many of 320 pairs?"),
        Case(6.4, "that is for 50 classes: ESC-10 has ten."),
        Case(1, "that is how often a clip meets itself: 31 others are of its class too."),
        Case(288, "those are the pairs of different classes."),
        Case(40, "320 clips are left after one fold is held out."),
    ),
    hint="whatever the first clip is: how often is the second one of the same class?",
)

ORDER = ChoiceQuestion(
    name="check_order",
    task='replace the dots with "crop" or "mix": which has to come first?',
    choices=("crop", "mix"),
    answer="crop",
    praise="the level that counts, and the label, are those of the part that the network hears.",
    hints=(Case("mix", "then a bark outside the window counts in the label, though nobody hears it."),),
    hint="which part of a clip does the network hear, and which does the label speak of?",
)


def check_sum_level(answer: float) -> Feedback:
    """Check the level of the sum of two unrelated sounds of -20 dB (lesson 6): -17 dB."""
    return SUM_LEVEL.judge(answer)


def check_amplitude_share(answer: float) -> Feedback:
    """Check the share of the amplitude of a sound 20 dB louder than the other, for equal parts (lesson 6): 1/11."""
    return AMPLITUDE_SHARE.judge(answer)


def check_label_entropy(answer: float) -> Feedback:
    """Check the lowest cross-entropy for a label of 3/4 and 1/4 (lesson 6): 0.562 nats."""
    return LABEL_ENTROPY.judge(answer)


def check_same_class(answer: float) -> Feedback:
    """Check how many of 320 random pairs are of one class, with ten classes (lesson 6): 32, or 31.1."""
    return SAME_CLASS.judge(answer)


def check_order(answer: str) -> Feedback:
    """Check what comes first, crop or mix (lesson 6): the crop."""
    return ORDER.judge(answer)


def check_mix(answer) -> Feedback:
    """Check a function that mixes two sounds so that the first takes a given share of what is heard (lesson 6).

    Parameters
    ----------
    answer : callable
        Takes two waveforms of shape (time,), their levels in dB and the share of the first, strictly between 0 and 1;
        returns the mixture, shape (time,).
    """
    generator = torch.Generator().manual_seed(6)
    first, second = torch.randn(2, 50, generator=generator)
    return FunctionQuestion(
        calls=[
            (first, 0.1 * second, 40.0, 20.0, 0.5),
            (0.3 * first, second, 30.0, 36.0, 0.8),
            (first, second, 25.0, 25.0, 0.25),
        ],
        reference=_mixed,
        mistakes=(
            (_plain, NO_LEVELS),
            (_naive, NO_LEVELS),
            (_turned, "the louder sound gets more still: which sign has the difference of the levels?"),
            (_by_power, "a level is 20 log10 of an amplitude: divide the difference by 20, not by 10."),
            (_unscaled, "now divide by the root of the sum of the squares, so that mixtures are not quieter."),
            (_by_squares, "the root of the sum of the squares is missing."),
            (_root_of_ratio, "the root is of the shares of the amplitude, not of the ratio."),
            (_exchanged, "the ratio is the share of the first sound, not of the second."),
        ),
        atol=1e-5,
        rtol=1e-4,
        praise="each part is heard as the label says, and the mixture is as strong as its parts.",
        hint="first the share of the amplitude, from the ratio and the two levels; then both parts, over the root.",
        task="write a function of two waveforms, their levels in dB and the ratio.",
    ).judge(answer)


def check_divergence(answer) -> Feedback:
    """Check a function that computes the Kullback-Leibler divergence of scores from mixed labels (lesson 6).

    Parameters
    ----------
    answer : callable
        Takes scores before the softmax and targets, both of shape (clip, class), and returns the mean over the clips
        of ``sum t ln(t / q)``, in nats.
    """
    generator = torch.Generator().manual_seed(7)
    calls = []
    for clips, classes in ((6, 10), (3, 4)):
        scores, share = torch.randn(clips, classes, generator=generator) * 2, torch.rand(clips, 1, generator=generator)
        share[0] = 1.0  # one clip is not mixed: its zeros must not become NaN
        ends = functional.one_hot(torch.arange(2), classes).float()
        calls.append((scores, share * ends[0] + (1 - share) * ends[1]))
    return FunctionQuestion(
        calls=calls,
        reference=_divergence,
        mistakes=(
            (_of_logarithms, "`log_target=True` says that the targets are logarithms: here they are probabilities."),
            (functional.cross_entropy, "that is the cross-entropy: the entropy of the label is still in it."),
            (_over_all, "that is the mean over clips and classes: add up the classes, then average the clips."),
            (_added, "that is the sum over the clips: their mean is wanted."),
            (_of_probabilities, "`kl_div` wants logarithms of the prediction: log_softmax, not softmax."),
            (_of_scores, "those are scores: they become logarithms of probabilities by log_softmax."),
        ),
        atol=1e-5,
        rtol=1e-4,
        praise="0 where the prediction is the label, whatever the label is.",
        hint="log_softmax over the classes; t (ln t - ln q), where t = 0 counts nothing; sum over classes, mean over "
        "clips.",
        task="write a function of scores and targets, both of shape (clip, class).",
    ).judge(answer)


def _share(first_db: float, second_db: float, ratio: float, per_decade: float = 20) -> float:
    return 1 / (1 + 10 ** ((first_db - second_db) / per_decade) * (1 - ratio) / ratio)


def _combined(first: Tensor, second: Tensor, share: float, divisor: float | None = None) -> Tensor:
    divisor = math.hypot(share, 1 - share) if divisor is None else divisor
    return (share * first + (1 - share) * second) / divisor


def _mixed(first: Tensor, second: Tensor, first_db: float, second_db: float, ratio: float) -> Tensor:
    return _combined(first, second, _share(first_db, second_db, ratio))


def _plain(first, second, first_db, second_db, ratio):
    return _combined(first, second, ratio)


def _naive(first, second, first_db, second_db, ratio):
    return _combined(first, second, ratio, 1.0)


def _turned(first, second, first_db, second_db, ratio):
    return _combined(first, second, _share(second_db, first_db, ratio))


def _by_power(first, second, first_db, second_db, ratio):
    return _combined(first, second, _share(first_db, second_db, ratio, per_decade=10))


def _unscaled(first, second, first_db, second_db, ratio):
    return _combined(first, second, _share(first_db, second_db, ratio), 1.0)


def _by_squares(first, second, first_db, second_db, ratio):
    share = _share(first_db, second_db, ratio)
    return _combined(first, second, share, share**2 + (1 - share) ** 2)


def _root_of_ratio(first, second, first_db, second_db, ratio):
    return _combined(first, second, _share(first_db, second_db, ratio), math.hypot(ratio, 1 - ratio))


def _exchanged(first, second, first_db, second_db, ratio):
    return _combined(first, second, _share(first_db, second_db, 1 - ratio))


def _divergence(scores: Tensor, targets: Tensor, **options) -> Tensor:
    options = {"reduction": "batchmean"} | options
    return functional.kl_div(functional.log_softmax(scores, dim=1), targets, **options)


def _of_logarithms(scores, targets):
    return _divergence(scores, targets, log_target=True)


def _over_all(scores, targets):
    return _divergence(scores, targets).div(scores.shape[1])


def _added(scores, targets):
    return _divergence(scores, targets, reduction="sum")


def _of_probabilities(scores, targets):
    return functional.kl_div(scores.softmax(dim=1), targets, reduction="batchmean")


def _of_scores(scores, targets):
    return functional.kl_div(scores, targets, reduction="batchmean")
