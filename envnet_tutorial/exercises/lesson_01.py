"""Checks for the exercises of lesson 1, loading audio."""

import math

from envnet_tutorial.exercises.feedback import Feedback
from envnet_tutorial.exercises.functions import FunctionQuestion
from envnet_tutorial.exercises.questions import Case, NumberQuestion, TupleQuestion
from envnet_tutorial.exercises.quizzes.lesson_01 import QUIZ as QUIZ
from envnet_tutorial.settings import CLIP_RATE, CLIP_SECONDS, ENVNET_INPUT

NEAR_THE_SIZE = "near: 220,500 samples have two bytes each, and the plainest header has 44."

FILE_SIZE = NumberQuestion(
    name="check_file_size",
    task="replace the dots with the size of the file in bytes.",
    answer=2 * CLIP_RATE * CLIP_SECONDS + 44,
    unit="bytes",
    praise="5 x 44,100 samples of two bytes are 441,000, and the header takes 44 more.",
    also=(Case(441_000, "5 x 44,100 samples of two bytes. The file has 44 more, its header: 441,044."),),
    hints=(
        Case(220_500, "that is the number of samples: how many bytes has one of 16 bits?", 100),
        Case(88_200, "that is one second: the clip lasts five.", 100),
        Case(
            882_000, "that is twice too much: two channels, or four bytes a sample. Here one channel has 16 bits.", 100
        ),
        Case(3_528_000, "those are bits, eight to a byte.", 500),
        Case(441, "in bytes, not in thousands of them.", 1),
        *(Case(middle, NEAR_THE_SIZE, reach) for middle, reach in ((440_500, 499), (441_022, 21), (441_545, 500))),
    ),
    hint="how many samples are 5 s at 44,100 Hz, and how many bytes has one of 16 bits?",
)

QUANTISATION = NumberQuestion(
    name="check_quantisation",
    task="replace the dots with the ratio in dB.",
    answer=20 * math.log10(2) * 8 + 10 * math.log10(1.5),
    tolerance=0.2,
    unit="dB",
    praise="each bit is worth 6.02 dB: 8 bits give 49.9 dB, 16 bits 98.1 dB.",
    hints=(
        Case(48.16, "those are the bits alone: a sine starts from 1.76 dB at no bits.", 0.2),
        Case(98.08, "that is the ratio with 16 bits: here are 8.", 0.2),
        Case(43.9, "that is the ratio with 7 bits: the sign is one of the 8 that count.", 0.2),
        Case(46.4, "the 1.76 dB are added, not taken away.", 0.2),
    ),
    hint="each bit halves the rounding error, and halving an amplitude is 6.02 dB; start from 1.76 dB at no bits.",
)

PICTURE_SHAPE = TupleQuestion(
    name="check_picture_shape",
    task="replace the dots with (bands, frames).",
    answer=(40, 150),
    praise="40 bands, and 1.5 s / 10 ms = 150 frames: the shape that EnvNet's own picture will have.",
    also=(
        Case(
            (40, 148),
            "so many windows of 25 ms fit whole into 1.5 s: floor((24,000 - 400) / 160) + 1. The feature takes zeros "
            "before the beginning and after the end, so that each hop has its frame: (40, 150).",
        ),
    ),
    hints=(
        Case((150, 40), "the other way round: bands are rows, frames are columns."),
        Case((148, 40), "the other way round: bands are rows, frames are columns."),
        Case(
            (40, 151), "a library that centres a frame on both ends gives one more: count the hops of 10 ms in 1.5 s."
        ),
        Case((40, 149), "one less than there are: count the hops of 10 ms in 1.5 s."),
        Case((40, 147), "a window of 512 samples would fit so often. Ours has 400: count the hops of 10 ms in 1.5 s."),
        Case((40, 24_000), "24,000 are the samples: a frame stands for 160 of them."),
        Case((40, 15), "a hop has 10 ms, not 100."),
        Case((40, 1_500), "a hop has 10 ms, not one."),
    ),
    hint="one row for each band, one column for each hop of 10 ms.",
)

BITS = NumberQuestion(
    name="check_bits",
    task="replace the dots with a number of bits.",
    answer=15,
    unit="bits",
    praise="6.02 x 15 + 1.76 = 92.1 dB; with 14 bits it is 86.0 dB.",
    hints=(
        Case(14.66, "so many would be enough, but bits are whole: which number is the first to do it?", 0.05),
        Case(14.95, "the sine brings 1.76 dB of its own; and bits are whole.", 0.05),
        Case(14, "6.02 x 14 + 1.76 = 86.0 dB: not yet 90."),
        Case(16, "sixteen do it, but one less does it as well."),
        Case(24, "24 do it, and so do far fewer."),
    ),
    hint="6.02 b + 1.76 dB is to be 90 at the least: solve for b, and round up.",
)


def check_file_size(answer: int) -> Feedback:
    """Check the number of bytes of a clip as 16-bit mono WAV (lesson 1): 2 x 44,100 x 5 and a header of 44 bytes.

    The samples alone, 441,000, pass too, for the page has not spoken of headers yet.
    """
    return FILE_SIZE.judge(answer)


def check_picture_shape(answer: tuple[int, int]) -> Feedback:
    """Check the shape of a 40-band mel spectrogram of 1.5 s with a hop of 10 ms (lesson 1): (40, 150).

    (40, 148) passes too: so many windows fit whole, which is how the page has cut its frames until then.
    """
    return PICTURE_SHAPE.judge(answer)


def check_quantisation(answer: float) -> Feedback:
    """Check the signal-to-noise ratio in dB of a full-scale sine with 8 bits (lesson 1): 6.02 x 8 + 1.76 = 49.9."""
    return QUANTISATION.judge(answer)


def check_bits(answer: int) -> Feedback:
    """Check how many bits put the rounding noise 90 dB below a full-scale sine (lesson 1): 15, for 92.1 dB."""
    return BITS.judge(answer)


def check_decibels(answer) -> Feedback:
    """Check a function that turns a ratio of amplitudes into decibels (lesson 1).

    Parameters
    ----------
    answer : callable
        Takes a ratio of amplitudes and returns ``20 log10(ratio)`` in dB.
    """
    return FunctionQuestion(
        calls=[(10.0,), (1.0,), (0.5,), (0.001,)],
        reference=lambda ratio: 20 * math.log10(ratio),
        mistakes=(
            (lambda ratio: 10 * math.log10(ratio), "that is for powers: power is the square of amplitude."),
            (lambda ratio: 20 * math.log(ratio), "decibels take the logarithm to base 10, not the natural one."),
            (lambda ratio: 20 * math.log2(ratio), "decibels take the logarithm to base 10, not to base 2."),
            (lambda ratio: -20 * math.log10(ratio), "the sign is turned: an amplitude below 1 has a level below 0 dB."),
        ),
        atol=0.01,
        praise="a factor of 10 in amplitude is 20 dB, because power is the square of amplitude.",
        hint="decibels are 10 log10 of a ratio of powers; what is the power of an amplitude?",
        task="write a function of the ratio of two amplitudes, a plain number.",
    ).judge(answer)


def check_mel(answer) -> Feedback:
    """Check a function from Hz to mel (lesson 1).

    Parameters
    ----------
    answer : callable
        Takes a frequency in Hz and returns ``2595 log10(1 + f / 700)``.
    """
    return FunctionQuestion(
        calls=[(1000.0,), (0.0,), (100.0,), (4000.0,), (ENVNET_INPUT.sample_rate / 2,)],
        reference=lambda f: 2595 * math.log10(1 + f / 700),
        mistakes=(
            (lambda f: 2595 * math.log(1 + f / 700), "2595 goes with the logarithm to base 10, not the natural one."),
            (lambda f: 1127 * math.log10(1 + f / 700), "1127 goes with the natural logarithm, not with base 10."),
            (_slaney_mel, "that is Slaney's scale, straight up to 1,000 Hz: here it is 2595 log10(1 + f / 700)."),
            (lambda f: 700 * (10 ** (f / 2595) - 1), "that is the way back, from mel to Hz."),
        ),
        atol=0.1,
        praise="1,000 Hz is 1,000 mel by construction; far above, the scale grows with the logarithm.",
        hint="the formula is 2595 log10(1 + f / 700); check it at 1,000 Hz.",
        task="write a function of a frequency in Hz, a plain number.",
    ).judge(answer)


def check_alias_of(answer) -> Feedback:
    """Check a function that says as which frequency a tone comes out that was sampled without a filter (lesson 1).

    Parameters
    ----------
    answer : callable
        Takes a frequency and a sampling rate in Hz, and returns the frequency from 0 to half the rate whose samples
        are the tone's own, but for phase.
    """
    return FunctionQuestion(
        calls=[(9000, 16_000), (1000, 16_000), (8000, 16_000), (17_000, 16_000), (41_000, 16_000), (25_000, 44_100)],
        reference=lambda frequency, rate: min(frequency % rate, -frequency % rate),
        mistakes=(
            (lambda f, rate: rate - f, "a tone below half the rate stays where it is."),
            (lambda f, rate: abs(rate - f), "a tone below half the rate stays where it is."),
            (lambda f, rate: f % rate, "what lies above half the rate has an image below it."),
            (lambda f, rate: min(f, rate / 2), "no tone stops at half the rate: it is reflected there."),
            (lambda f, rate: min(f, rate - f), "right up to the rate. Above it, whole multiples of it come off first."),
            (lambda f, rate: min(f, abs(rate - f)), "right up to one and a half times the rate: and 41,000 Hz?"),
            (lambda f, rate: f % (rate / 2), "half the rate is a mirror: just above it, tones come back from there."),
        ),
        atol=0.01,
        praise="whole multiples of the rate change no sample, and half the rate is a mirror.",
        hint="take off whole multiples of the rate; what is left above half the rate is reflected.",
        task="write a function of (frequency, rate), both in Hz.",
    ).judge(answer)


def _slaney_mel(f: float) -> float:
    return 3 * f / 200 if f < 1000 else 15 + 27 * math.log(f / 1000) / math.log(6.4)
