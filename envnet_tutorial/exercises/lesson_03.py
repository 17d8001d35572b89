"""Checks for the exercises of lesson 3, feature_conv shape by shape."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from envnet_tutorial.exercises.feedback import Feedback
from envnet_tutorial.exercises.functions import FunctionQuestion, Watch
from envnet_tutorial.exercises.questions import Case, HelperQuestion, NumberQuestion, TupleQuestion
from envnet_tutorial.exercises.quizzes.lesson_03 import QUIZ as QUIZ
from envnet_tutorial.models import ConvBlock
from envnet_tutorial.settings import ENVNET_INPUT

ROWS_AND_STEPS = TupleQuestion(
    name="check_rows_and_steps",
    task="replace the dots with (rows, steps).",
    answer=(40, 149),
    praise="40 filters give 40 rows; 24,000 - 7 - 7 = 23,986 samples hold 149 whole groups of 160, and 146 are left.",
    hints=(
        Case((149, 40), "the other way round: filters are rows, time runs along the columns."),
        Case((150, 40), "filters are rows, time runs along the columns, and the filters take samples away."),
        Case((40, 23_986), "so many samples reach the pooling: what does the maximum of every 160 leave?"),
        Case((40, 24_000), "so many samples go in: what do the filters and the pooling take away?"),
        Case((40, 150), "the filters take 14 samples away before the pooling: are the last 160 still whole?"),
        Case((40, 148), "23,986 samples reach the pooling: how many whole groups of 160 are in them?"),
        Case((80, 149), "the second layer does not add its 40 filters to the first: only its outputs are left."),
        Case((1_600, 149), "a filter of the second layer adds up what it finds in all 40 channels: 40 outputs."),
        Case((1, 149), "each filter of the second layer gives a row of its own."),
    ),
    hint="rows are filters of the second layer; each layer of eight taps removes seven samples before the pooling.",
)

COUNTEREXAMPLE = HelperQuestion(
    name="check_counterexample",
    task="replace the dots with (samples, taps) that the helper gets wrong.",
    praise="there the helper and the convolution disagree: the division left too large a remainder.",
    hint="there the helper is right. The inner division is rounded down. Look for samples / taps far from a whole "
    "number, and small.",
    not_whole="samples and taps are counted: two whole numbers.",
    not_fitting="first the samples, then the taps: a filter has at least one, and no more than the signal has samples.",
    given=(
        Case((100, 30), "that one is the page's own: find another."),
        Case((50, 26), "that one is the page's own: find another."),
    ),
)

CONV_WEIGHTS = NumberQuestion(
    name="check_conv_weights",
    task="replace the dots with the number of parameters of the new conv2.",
    answer=64 * 40 * 8 + 2 * 64,
    unit="parameters",
    praise="64 x 40 x 8 = 20,480 taps, and a scale and an offset for each of the 64 channels.",
    hints=(
        Case(12_880, "that is conv2 as it is, with 40 filters."),
        Case(20_480, "those are the taps: the normalisation learns something as well."),
        Case(20_544, "the normalisation learns two numbers a channel, a scale and an offset."),
        Case(20_560, "64 filters give 64 channels to normalise, not 40."),
        Case(20_672, "the convolution has no bias: the normalisation's offset does its work."),
        Case(20_736, "running mean and variance are counted along, but they are measured, not learned."),
        Case(32_896, "conv1 keeps its 40 filters, so each filter of conv2 has taps on 40 channels."),
        Case(640, "that is conv1 with 64 filters: each filter of conv2 has taps on 40 channels."),
    ),
    hint="the convolution has no bias; batch normalisation learns two numbers a channel.",
)

SEEN_MILLISECONDS = NumberQuestion(
    name="check_seen_milliseconds",
    task="replace the dots with a length in ms.",
    answer=1000 * 190 / ENVNET_INPUT.sample_rate,
    tolerance=0.06,
    unit="ms",
    praise="160 samples of the pooling and 15 more for each layer of 16 taps: 190 samples, 11.9 ms.",
    hints=(
        Case(10, "that is the step from one to the next: the filters reach beyond the 160 samples of the pooling."),
        Case(10.9375, "two layers reach beyond the pooling, 15 samples each.", 0.02),
        Case(10.875, "that is with eight taps in both layers.", 0.06),
        Case(11.9375, "one sample too many: the two layers add 15 + 15 to the 160, not 31.", 0.002),
        Case(12, "a layer of 16 taps adds 15 samples, not 16. Give one decimal.", 0.02),
        Case(190, "those are samples: how long do they last at 16 kHz?", 0.5),
        Case(0.011875, "in milliseconds, not in seconds.", 0.0001),
        Case(1.9375, "that is what the two layers see: the pooling looks at 160 of their outputs.", 0.01),
    ),
    hint="the pooling covers 160 positions of conv2, and the last of them sees 31 samples.",
)


def check_rows_and_steps(answer: tuple[int, int]) -> Feedback:
    """Check a prediction: the picture that `feature_conv` makes of 24,000 samples (lesson 3), (40, 149)."""
    return ROWS_AND_STEPS.judge(answer)


def check_counterexample(answer: tuple[int, int]) -> Feedback:
    """Check a pair (samples, taps) for which the tutorial's overlap helper is wrong (lesson 3), none of the page's."""
    return COUNTEREXAMPLE.judge(answer)


def check_conv_weights(answer: int) -> Feedback:
    """Check the number of parameters of a conv2 of 64 filters, batch normalisation included (lesson 3): 20,608."""
    return CONV_WEIGHTS.judge(answer)


def check_seen_milliseconds(answer: float) -> Feedback:
    """Check how many ms one step would see with 16 taps in both layers (lesson 3): 190 samples, 11.9 ms."""
    return SEEN_MILLISECONDS.judge(answer)


def check_samples_for(answer) -> Feedback:
    """Check a function that gives the samples needed for a number of steps (lesson 3).

    Parameters
    ----------
    answer : callable
        Takes steps, pooling and the tuple of kernel sizes in front of it, and returns the number of samples.
    """
    return FunctionQuestion(
        calls=[(150, 160, (8, 8)), (150, 160, (8,)), (1, 10, (1,)), (260, 64, (64, 16)), (20, 100, (30, 5, 2))],
        reference=lambda steps, pooling, kernels: steps * pooling + sum(kernel - 1 for kernel in kernels),
        mistakes=(
            (lambda steps, pooling, kernels: steps * pooling, "the layers take samples away before the pooling."),
            (lambda steps, pooling, kernels: steps * pooling + sum(kernels), "a layer takes away taps - 1, not taps."),
            (lambda steps, pooling, kernels: steps * pooling + 14, "14 belongs to two layers of eight taps alone."),
            (lambda steps, pooling, kernels: steps * pooling - sum(k - 1 for k in kernels), "going back, add."),
        ),
        rtol=0,
        praise="steps times pooling, and one sample less than the taps for each layer: 24,014 for EnvNet.",
        hint="go backwards: what must reach the pooling, and what does each layer take away before that?",
        task="write a function of (steps, pooling, kernels).",
    ).judge(answer)


def check_pool_first(answer) -> Feedback:
    """Check a block that pools before ReLU and gives what `conv2` and `pool2` give (lesson 3).

    Parameters
    ----------
    answer : callable
        Takes a `ConvBlock` and features (batch, 40, 1, time), and returns (batch, 40, 1, time / 160).
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(3)
        block, features = ConvBlock(40, 40, (1, 8)).eval(), torch.randn(2, 40, 1, 967)
        # Scales of both signs: pooling before the normalisation is another network. Offsets of both signs: so that
        # some maxima are negative, and leaving ReLU out is another network too.
        nn.init.normal_(block.module[1].weight)
        block.module[1].bias.copy_(torch.linspace(-6, 2, 40))
        watch = _ReluWatch(width=2 * 40 * 960)
        feedback = _pool_first_question(block, features).judge(watch.over(answer))
    if feedback and watch.cut_off_early:
        return Feedback(False, "the numbers are right, but ReLU still worked on all 960 steps: pool before it.")
    return feedback


def _pool_first_question(block: ConvBlock, features: Tensor) -> FunctionQuestion:
    convolution, norm, relu = block.module

    def pooled(x: Tensor) -> Tensor:
        return functional.max_pool2d(x, (1, 160))

    return FunctionQuestion(
        calls=[(block, features)],
        reference=lambda block, features: pooled(block(features)),
        mistakes=(
            (lambda _, x: pooled(norm(convolution(x))), "ReLU is missing: cut off below zero after the pooling."),
            (
                lambda _, x: relu(norm(pooled(convolution(x)))),
                "a negative scale makes the largest value the smallest, so "
                "the pooling has to wait for the normalisation.",
            ),
            (
                lambda _, x: relu(functional.avg_pool2d(norm(convolution(x)), (1, 160))),
                "keep the largest, not the mean.",
            ),
            (lambda _, x: block(x), "nothing was pooled."),
        ),
        praise="the same numbers, and ReLU had 160 times less to do.",
        hint="block.module holds convolution, normalisation and ReLU: put the pooling between the last two.",
        task="write a function of (block, features).",
    )


class _ReluWatch(Watch):
    """Count the numbers that an answer cuts off below zero before the pool, by whichever call, whole or in pieces.

    Normalised values have both signs. A call cuts off if one of its tensors has negative values and what comes out, or
    what is left in place, is as large and has none; so does whatever makes a tensor of all steps without any.
    """

    def __init__(self, width: int):
        super().__init__()
        self.width, self.cut_off = width, 0

    @property
    def cut_off_early(self) -> bool:
        """Whether it was more than a tenth of all steps: behind the pool, a 160th is left."""
        return self.cut_off > self.width / 10

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        signed = [value for value in (*args, *kwargs.values()) if _is_signed(value) is True]
        sizes = {value.numel() for value in signed}
        result = function(*args, **kwargs)
        whole = isinstance(result, Tensor) and result.numel() >= self.width
        made = [result] if whole or (isinstance(result, Tensor) and result.numel() in sizes) else []
        # An operation in place may return nothing.
        self.cut_off += max((value.numel() for value in (*made, *signed) if _is_signed(value) is False), default=0)
        return result


def _is_signed(value) -> bool | None:
    """Say whether a tensor of floats has negative values; None of anything else."""
    if not (isinstance(value, Tensor) and value.is_floating_point() and value.numel()):
        return None
    return float(value.min()) < 0
