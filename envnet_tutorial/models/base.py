"""What every network of the book declares, so that all else works with any of them (lesson 3).

A network hears a waveform in two steps: its front end makes a feature map of it, filters by frames, and the rest names
the class. Training, testing, probing, recording and pricing a network go through this contract alone::

    class Echo(WaveformNetwork, name="echo"):
        title = "Echo"
        input_format = InputFormat(sample_rate=8_000, num_samples=4_000)
        receptive_field, hop = 64, 32

        def __init__(self, num_classes): ...
        def features(self, waveform): ...
        def classify(self, features): ...
        @property
        def frontend_module(self): ...

From then on ``train --network echo`` knows it.
"""

from abc import ABC, abstractmethod
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from envnet_tutorial.errors import InputError
from envnet_tutorial.models.layers import ConvBlock
from envnet_tutorial.settings import InputFormat

#: The networks that can be trained by name; a class enters itself.
NETWORKS: dict[str, type["WaveformNetwork"]] = {}


class WaveformNetwork(nn.Module, ABC):
    """A network over raw waveforms: a front end that makes features, and a classifier that reads them (lesson 3).

    A subclass declares the attributes below and writes `features`, `classify` and `frontend_module`. The name in its
    class statement, ``class EnvNet(WaveformNetwork, name="envnet")``, is the one to train it by.

    Parameters
    ----------
    num_classes : int
        Number of classes, at least 1.

    Raises
    ------
    ValueError
        If ``num_classes`` is below 1.
    """

    #: Name in its paper, for people.
    title: str
    #: Rate in Hz and length in samples of the windows that it is trained on.
    input_format: InputFormat
    #: Samples that one frame of the front end sees.
    receptive_field: int
    #: Samples from one frame to the next.
    hop: int
    #: Zeros before and behind a window that is classified, with which it has as many frames as its paper says.
    padding: tuple[int, int] = (0, 0)
    #: Fewest samples that it classifies, where its architecture takes any length; None where it takes windows of
    #: exactly ``input_format.num_samples``.
    min_samples: int | None = None
    #: Whether it trains faster in bfloat16, and as accurately, where the device multiplies that faster than float32.
    gains_from_bfloat16: bool = False

    def __init_subclass__(cls, name: str | None = None, **options):
        super().__init_subclass__(**options)
        if name is None:
            return
        known = NETWORKS.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ValueError(f"there is a network {name!r} already: {known.__module__}.{known.__qualname__}")
        NETWORKS[name] = cls

    def __init__(self, num_classes: int):
        super().__init__()
        if num_classes < 1:
            raise ValueError(f"num_classes must be at least 1, got {num_classes}")
        self.num_classes = num_classes

    @abstractmethod
    def features(self, waveform: Tensor) -> Tensor:
        """Map waveforms (batch, 1, time) of a checked shape to features (batch, filter, frame)."""

    @abstractmethod
    def classify(self, features: Tensor) -> Tensor:
        """Map features (batch, filter, frame) of a window to logits (batch, class)."""

    @property
    @abstractmethod
    def frontend_module(self) -> nn.Module:
        """The part of the network that `features` uses; its state dict is what a recording keeps."""

    def linear_stages(self) -> list[ConvBlock]:
        """Return the blocks that the waveform goes through before the pool, where they are a chain of convolutions.

        Returns
        -------
        list of ConvBlock
            Empty for a front end of another kind, whose filters cannot be merged into one each.
        """
        return []

    def frontend(self, waveform: Tensor) -> Tensor:
        """Compute the learned feature map of a sound (lesson 3).

        Parameters
        ----------
        waveform : Tensor, shape (batch, 1, time)
            Mono waveforms at the rate of ``input_format``, of any length from ``receptive_field`` samples.

        Returns
        -------
        Tensor, shape (batch, filter, frame)
            For EnvNet 40 filters by one frame each 10 ms, for EnvNet-v2 64 filters by one frame each 5.8 ms.

        Raises
        ------
        ValueError
            If the rank, the channel count or the length is not what the network takes.
        """
        self._check_shape(waveform, self.receptive_field)
        return self.features(waveform)

    def forward(self, waveform: Tensor) -> Tensor:
        """Map windows (batch, 1, time) to logits, the class scores before the softmax (batch, num_classes)."""
        num_samples = self.input_format.num_samples
        self._check_shape(waveform, self.min_samples or num_samples)
        if self.min_samples is None and waveform.shape[-1] > num_samples:
            raise ValueError(
                f"{self.title} classifies windows of exactly {num_samples:,} samples, shape (batch, 1, {num_samples}); "
                f"got {tuple(waveform.shape)}: crop it first (envnet_tutorial.augment)"
            )
        return self.classify(self.window_features(waveform))

    def window_features(self, waveform: Tensor) -> Tensor:
        """Compute what `classify` reads: the features of windows (batch, 1, time) with zeros around them."""
        return self.features(functional.pad(waveform, self.padding) if any(self.padding) else waveform)

    def samples_for(self, frames: int) -> int:
        """Return the fewest samples that give so many frames of features."""
        return self.receptive_field + (frames - 1) * self.hop

    def _check_shape(self, waveform: Tensor, fewest: int) -> None:
        """Refuse what is no batch of mono waveforms of at least so many samples."""
        if waveform.ndim != 3 or waveform.shape[1] != 1 or waveform.shape[2] < fewest:
            raise ValueError(
                f"{self.title} takes waveforms of shape (batch, 1, time) with at least {fewest:,} samples; "
                f"got {tuple(waveform.shape)}"
            )


class FeatureConvNetwork(WaveformNetwork):
    """What the EnvNet family shares: a feature map is made, then read (lesson 3).

    A subclass makes both parts. ``feature_conv`` maps (batch, 1, 1, time) to
    (batch, 1, filter, frame), and ``classifier`` maps that to (batch, class). The keys
    of their state dicts are those of published PyTorch checkpoints.
    """

    feature_conv: nn.Module
    classifier: nn.Sequential

    @property
    def frontend_module(self) -> nn.Module:
        """``feature_conv``."""
        return self.feature_conv

    def linear_stages(self) -> list[ConvBlock]:
        """Return ``conv1`` and ``conv2``."""
        return [self.feature_conv.conv1, self.feature_conv.conv2]

    def features(self, waveform: Tensor) -> Tensor:
        """Lift the waveform to the height that ``Conv2d`` expects; drop the channel."""
        return self.feature_conv(waveform.unsqueeze(2)).squeeze(1)

    def classify(self, features: Tensor) -> Tensor:
        """Read the feature map as a picture with one channel."""
        return self.classifier(features.unsqueeze(1))


def refuse_lost(network: nn.Module, path: Path) -> None:
    """Refuse a network whose numbers a training has lost: each of its answers would be no number, and look like one.

    Raises
    ------
    InputError
        If a weight or a running statistic is infinite or not a number.
    """
    lost = [name for name, values in network.state_dict().items() if not torch.isfinite(values).all()]
    if lost:
        raise InputError(
            f"{path} holds numbers that are not finite ({lost[0]}): its training has diverged; train at a lower rate"
        )
