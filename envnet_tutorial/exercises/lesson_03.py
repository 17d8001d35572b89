"""Checks for the exercises of lesson 3, feature_conv shape by shape."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from envnet_tutorial.exercises.feedback import Feedback, grade
from envnet_tutorial.models import ConvBlock
from envnet_tutorial.settings import ENVNET_INPUT
from envnet_tutorial.shapes import overlapping_samples_post_conv


def check_rows_and_steps(answer: tuple[int, int]) -> Feedback:
    """Check a prediction: the picture that `feature_conv` makes of 24,014 samples (lesson 3), (40, 150)."""
    return grade(
        answer,
        lambda picture: tuple(float(number) for number in picture) == (40, 150),
        praise="40 filters give 40 rows; 24,014 - 7 - 7 = 24,000 samples in groups of 160 give 150 steps.",
        hint="rows are filters of the second layer; each layer of eight taps removes seven samples before the pooling.",
        task="replace the dots with (rows, steps).",
    )


def check_samples_for(answer) -> Feedback:
    """Check a function that gives the samples needed for a number of steps (lesson 3).

    Parameters
    ----------
    answer : callable
        Takes steps, pooling and the tuple of kernel sizes in front of it, and returns the number of samples.
    """
    cases = [(150, 160, (8, 8)), (150, 160, (8,)), (1, 10, (1,)), (260, 64, (64, 16)), (20, 100, (30, 5, 2))]

    def fits_exactly(function) -> bool:
        for steps, pooling, kernels in cases:
            length = int(function(steps, pooling, kernels))
            x = torch.zeros(1, 1, length)
            for kernel in kernels:
                x = functional.conv1d(x, torch.zeros(1, 1, kernel))
            if x.shape[-1] != steps * pooling:
                return False
        return True

    return grade(
        answer,
        fits_exactly,
        praise="steps times pooling, and one sample less than the taps for each layer: 24,014 for EnvNet.",
        hint="go backwards: what must reach the pooling, and what does each layer take away before that?",
        task="write a function of (steps, pooling, kernels).",
    )


def check_counterexample(answer: tuple[int, int]) -> Feedback:
    """Check a pair (samples, taps) for which the tutorial's overlap helper is wrong (lesson 3), such as (100, 30)."""

    def is_wrong_there(pair) -> bool:
        samples, taps = (int(number) for number in pair)
        return (samples, taps) == tuple(pair) and overlapping_samples_post_conv(samples, taps) != taps - 1

    return grade(
        answer,
        is_wrong_there,
        praise="there the helper and the convolution disagree: the division left too large a remainder.",
        hint="the inner division is rounded down. Look for samples / taps far from a whole number, and small.",
        task="replace the dots with (samples, taps) for which the helper does not give taps - 1.",
    )


def check_conv_weights(answer: int) -> Feedback:
    """Check the number of parameters of conv2 with its batch normalisation (lesson 3): 12,880."""
    expected = sum(parameter.numel() for parameter in ConvBlock(40, 40, (1, 8)).parameters())
    return grade(
        answer,
        lambda number: float(number) == expected,
        praise="40 x 40 x 8 = 12,800 taps, and a scale and an offset for each of the 40 channels.",
        hint="the convolution has no bias; batch normalisation learns two numbers a channel.",
        task="replace the dots with the number of parameters of conv2.",
    )


def check_pool_first(answer) -> Feedback:
    """Check a block that pools before ReLU and gives what `conv2` and `pool2` give (lesson 3).

    Parameters
    ----------
    answer : callable
        Takes a `ConvBlock` and features (batch, 40, 1, time), and returns (batch, 40, 1, time / 160).
    """
    torch.manual_seed(3)
    block, features = ConvBlock(40, 40, (1, 8)).eval(), torch.randn(2, 40, 1, 967)
    nn.init.normal_(block.module[1].weight)  # scales of both signs: pooling before the normalisation is another network
    seen = _Watched(block)

    def same_with_less_work(function) -> bool:
        with torch.no_grad():
            expected = nn.MaxPool2d((1, 160))(block(features))
            seen.start()
            found = function(block, features)
        return found.shape == expected.shape and torch.equal(found, expected) and seen.relu_width in (None, 6)

    try:
        return grade(
            answer,
            same_with_less_work,
            praise="the same numbers, and ReLU had 160 times less to do.",
            hint="block.module holds convolution, normalisation and ReLU: put the pooling between the last two.",
            task="write a function of (block, features).",
        )
    finally:
        seen.stop()


class _Watched:
    """Note how many steps the ReLU of a block was given since the start."""

    def __init__(self, block: ConvBlock):
        self.relu_width = None
        self._hook = block.module[2].register_forward_hook(self._note)

    def _note(self, module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        self.relu_width = output.shape[-1]

    def start(self) -> None:
        self.relu_width = None

    def stop(self) -> None:
        self._hook.remove()


def check_seen_milliseconds(answer: float) -> Feedback:
    """Check how many ms of sound one step of the picture sees (lesson 3): 174 samples, 10.9 ms."""
    return grade(
        answer,
        lambda milliseconds: abs(float(milliseconds) - 1000 * 174 / ENVNET_INPUT.sample_rate) < 0.06,
        praise="160 samples of the pooling and 14 more that its outermost windows reach: 174 samples, 10.9 ms.",
        hint="the pooling covers 160 positions of conv2, and the last of them sees 15 samples.",
        task="replace the dots with a length in ms.",
    )
