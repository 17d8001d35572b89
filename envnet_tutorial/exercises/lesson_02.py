"""Checks for the exercises of lesson 2, convolution arithmetic."""

import torch
from torch import Tensor
from torch.nn import functional

from envnet_tutorial.exercises.feedback import Feedback
from envnet_tutorial.exercises.functions import FunctionQuestion, Watch
from envnet_tutorial.exercises.questions import Case, Condition, ConditionQuestion, NumberQuestion, TupleQuestion
from envnet_tutorial.exercises.quizzes.lesson_02 import QUIZ as QUIZ
from envnet_tutorial.settings import ENVNET_INPUT

#: (length, kernel, stride, padding, dilation): whole steps, steps with a half and with a third over, padding, gaps, one
#: sample.
SETTINGS = [(8, 3, 1, 0, 1), (10, 3, 3, 1, 1), (6, 3, 2, 0, 1), (7, 3, 3, 0, 1), (14, 3, 2, 2, 3), (24_014, 8, 1, 0, 1)]
SETTINGS += [(1, 1, 5, 0, 2)]
#: (samples, taps, stride) of the convolutions: kernels of several lengths, the last as long as the signal.
CONVOLUTIONS = [
    (23, 4, 1),
    (23, 4, 2),
    (23, 4, 3),
    (23, 1, 1),
    (23, 1, 3),
    (23, 7, 1),
    (23, 7, 2),
    (5, 5, 1),
    (5, 5, 2),
]

SAMPLES_LEFT = NumberQuestion(
    name="check_samples_left",
    task="replace the dots with the number of samples that you expect.",
    answer=ENVNET_INPUT.sample_rate - 7,
    unit="samples",
    praise=f"the filter fits at {ENVNET_INPUT.sample_rate - 7:,} places: its first tap can stand on every sample but "
    "the last seven.",
    hints=(
        Case(16_000, "so many would come out if the filter could hang over an end."),
        Case(15_992, "one too few: the last place, where the last tap stands on the last sample, counts too."),
        Case(15_994, "one too many: eight taps cover the sample that they begin at and seven more."),
        Case(2_000, "the filter moves on by one sample, not by eight."),
        Case(16_007, "the filter never hangs over an end, so less comes out than goes in."),
        Case(7, "so many get lost: how many are left?"),
    ),
    hint="slide until the last tap reaches the end: which samples does the first tap never reach?",
)

OUTPUT_SHAPE = TupleQuestion(
    name="check_output_shape",
    task="replace the dots with a tuple of four numbers.",
    answer=(4, 32, 3, 3),
    praise="4 pictures stay 4, 32 filters give 32 channels, and floor((5 + 2 - 2 - 1)/2) + 1 = 3 on both axes.",
    hints=(
        Case((4, 32, 5, 5), "that would be so with a stride of 1: every second place is left out on both axes."),
        Case((4, 32, 2, 2), "that would be so without padding, or without the 1 at the end of the formula."),
        Case((32, 4, 3, 3), "the batch comes first, then the channels."),
        Case((4, 1, 3, 3), "each of the 32 filters gives a channel of its own."),
        Case((4, 3, 3, 32), "PyTorch keeps the channels in second place."),
        Case((32, 1, 3, 3), "that is the shape of the weight: what comes out?"),
        Case((1, 32, 3, 3), "there are four pictures in the batch."),
    ),
    hint="batch first, then one channel for each filter, then the output length of each axis.",
)

WEIGHT_SHAPE = TupleQuestion(
    name="check_weight_shape",
    task="replace the dots with a tuple of four numbers.",
    answer=(40, 40, 1, 8),
    praise="40 filters, each with 8 taps on each of 40 input channels: 12,800 weights.",
    hints=(
        Case((40, 1, 1, 8), "a filter has taps on each of its 40 input channels."),
        Case((1, 40, 1, 8), "there are 40 filters."),
        Case((40, 40, 8, 1), "height comes before width, and the taps lie along the width."),
        Case((1, 8, 40, 40), "PyTorch keeps filters and channels in front, height and width behind."),
    ),
    hint="(out_channels, in_channels, height, width).",
)

#: Of three taps a, b, c that meet the first two conditions, ``|a - c|`` decides: with ``u = (1 + cos w) / 2``, the
#: squared gain at w is ``u^2 + 4 (a - c)^2 u (1 - u)``. It is at most 1 for all w exactly where ``(a - c)^2 <= 1/2``.
SMOOTHER = ConditionQuestion(
    name="check_smoother",
    task="replace the dots with a list of three taps.",
    praise="the taps add up to 1, and with alternating signs to 0: a low-pass with its zero at half the rate.",
    conditions=(
        Condition((1, 1, 1), 1, "a constant meets the sum of the taps, which has to be 1.", 1e-3),
        Condition(
            (1, -1, 1), 0, "+1, -1, +1, ... meets the first minus the second plus the third: that is not 0.", 1e-3
        ),
        Condition(
            (1, 0, -1), 0, "both ends are right, but tones between them come out louder than they went in.", 0.7072
        ),
    ),
    hint="a constant meets the sum of the taps; +1, -1, +1, ... meets the first minus the second plus the third.",
)

RECEPTIVE_FIELD = NumberQuestion(
    name="check_receptive_field",
    task="replace the dots with a number of samples.",
    answer=53,
    unit="samples",
    praise="1 + 4 + 12 + 36 = 53: a layer of five taps adds four times its dilation.",
    hints=(
        Case(13, "that would be so without dilation."),
        Case(15, "three layers of five taps are not fifteen: fields overlap, and dilated taps lie apart."),
        Case(27, "that would be so with three taps: a layer adds dilation x (kernel - 1)."),
        Case(52, "the layers add 52: to what?"),
        Case(55, "those are the spans of the three, added up: fields overlap in one sample each time."),
        Case(65, "a layer adds dilation x (kernel - 1), not dilation x kernel."),
        Case(66, "a layer adds dilation x (kernel - 1), not dilation x kernel."),
        Case(125, "fields add, they do not multiply."),
    ),
    hint="each layer adds dilation x (kernel - 1) times the step so far, and the step stays 1.",
)


def check_samples_left(answer: int) -> Feedback:
    """Check a prediction: how many samples an 8-tap filter leaves of one second (lesson 2), 15,993."""
    return SAMPLES_LEFT.judge(answer)


def check_output_shape(answer: tuple[int, ...]) -> Feedback:
    """Check a prediction: the shape behind `Conv2d(1, 32, 3, padding=1, stride=2)` on (4, 1, 5, 5) (lesson 2)."""
    return OUTPUT_SHAPE.judge(answer)


def check_weight_shape(answer: tuple[int, ...]) -> Feedback:
    """Check the weight shape of EnvNet's second layer, `Conv2d(40, 40, (1, 8))` (lesson 2)."""
    return WEIGHT_SHAPE.judge(answer)


def check_smoother(answer) -> Feedback:
    """Check three taps that leave a constant alone, silence the fastest alternation and amplify nothing (lesson 2)."""
    return SMOOTHER.judge(answer)


def check_receptive_field(answer: int) -> Feedback:
    """Check the receptive field of three 5-tap layers with dilations 1, 3 and 9 (lesson 2): 53 samples."""
    return RECEPTIVE_FIELD.judge(answer)


def check_output_length(answer) -> Feedback:
    """Check a function of length, kernel, stride, padding and dilation against PyTorch's own `conv1d` (lesson 2)."""
    return FunctionQuestion(
        calls=SETTINGS,
        reference=_length_behind,
        mistakes=(
            (lambda n, k, s, p, d: -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1, "the division is rounded down, not up."),
            (
                lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1,
                "a length is whole: round the division down.",
            ),
            (lambda n, k, s, p, d: (n + 2 * p - k) // s + 1, "the span of a dilated kernel is d(k - 1) + 1, not k."),
            (
                lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1,
                "padding stands on both sides, so it counts twice.",
            ),
            (lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s, "one too few: the first place counts too."),
        ),
        praise="PyTorch agrees on every setting that was tried, floored steps included.",
        hint="the span of the kernel is dilation (kernel - 1) + 1; padding counts twice; the division is floored.",
        task="write a function of (length, kernel, stride, padding, dilation).",
    ).judge(answer)


def check_convolve(answer) -> Feedback:
    """Check a naive convolution, a function of signal, kernel and stride, against PyTorch (lesson 2)."""
    generator = torch.Generator().manual_seed(2)
    watch = _ConvolutionWatch()
    feedback = FunctionQuestion(
        calls=[
            (torch.randn(samples, generator=generator), torch.randn(taps, generator=generator), stride)
            for samples, taps, stride in CONVOLUTIONS
        ],
        reference=_convolved,
        mistakes=(
            (lambda x, k, s: _convolved(x, k.flip(0), s), "PyTorch does not flip the kernel."),
            (lambda x, k, s: _convolved(x, k, 1), "the stride makes no difference: each step must move on by it."),
            (lambda x, k, s: _convolved(x, k, s)[:-1], "the last whole window is missing."),
            (lambda x, k, s: _convolved(x, k, s) / len(k), "it is the sum of the products, not their mean."),
        ),
        atol=1e-5,
        praise="the same numbers as PyTorch for strides 1, 2 and 3.",
        hint="window number i begins at i times the stride; the kernel is not flipped; the last whole window counts.",
        task="write a function of (signal, kernel, stride).",
    ).judge(watch.over(answer))
    if feedback and watch.convolved:
        return Feedback(False, "the numbers are right, but PyTorch's convolution found them: write the sums yourself.")
    return feedback


def check_same_padding(answer) -> Feedback:
    """Check a function of kernel and dilation that gives the padding which keeps the length (lesson 2)."""
    return FunctionQuestion(
        calls=[(kernel, dilation) for kernel in (3, 1, 5, 9) for dilation in (1, 2, 3)],
        reference=lambda kernel, dilation: dilation * (kernel - 1) / 2,
        mistakes=(
            (lambda kernel, dilation: kernel // 2, "a dilated kernel takes away more."),
            (
                lambda kernel, dilation: dilation * (kernel - 1),
                "padding stands on both sides, so half of that will do.",
            ),
            (lambda kernel, dilation: dilation * kernel // 2, "the kernel takes away d(k - 1) samples, not dk."),
        ),
        praise="d(k - 1)/2 on each side gives back what the kernel takes away. It is whole where d(k - 1) is even.",
        hint="set the output length equal to L, with stride 1, and solve for the padding.",
        task="write a function of (kernel, dilation), for an odd kernel.",
    ).judge(answer)


class _ConvolutionWatch(Watch):
    """Note whether an answer calls one of PyTorch's convolutions."""

    def __init__(self):
        super().__init__()
        self.convolved = False

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.convolved |= getattr(function, "__name__", "").startswith("conv")
        return function(*args, **(kwargs or {}))


def _convolved(signal: Tensor, kernel: Tensor, stride: int) -> Tensor:
    return functional.conv1d(signal[None, None], kernel[None, None], stride=stride)[0, 0]


def _length_behind(length: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    x, weight = torch.zeros(1, 1, length), torch.zeros(1, 1, kernel)
    return functional.conv1d(x, weight, None, stride, padding, dilation).shape[-1]
