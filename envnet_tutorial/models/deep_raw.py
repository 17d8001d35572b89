"""M3, M5, M11, M18 and M34-res: from shallow to very deep, on raw waveforms at 8 kHz (lesson 7).

W. Dai, C. Dai, S. Qu, J. Li and S. Das, "Very deep convolutional neural networks for raw waveforms", ICASSP 2017,
arXiv:1610.00087.
"""

from collections import OrderedDict

from torch import Tensor, nn

from envnet_tutorial.models.base import WaveformNetwork
from envnet_tutorial.models.layers import Add, ConvBlock, RepeatChannels
from envnet_tutorial.settings import InputFormat

#: Groups of layers with a pool behind them; a fourth is averaged over time at once.
POOLED_GROUPS = 3


class DeepRaw(WaveformNetwork):
    """A network of the paper's table: one long filter a channel, then groups of short ones (lesson 7).

    A subclass declares ``first``, the filters of the first layer, and ``groups``: filters and number of layers, or of
    pairs of layers where they are residual, of each group.

    Parameters
    ----------
    num_classes : int
        Number of classes, 10 for UrbanSound8K.

    Notes
    -----
    All but the first convolution have 3 taps. Pools of 4 follow the first layer and each of the first three groups,
    and a group that follows has twice the channels. The average over all time that is left takes any length, so there
    are no hidden linear layers and no dropout. "Layers" in the names are those with weights: convolutions, and the one
    linear layer before the softmax.

    The first layer is the front end: with its pool one frame of 92 samples (11.5 ms) every 16 samples (2 ms). The
    paper's layers keep their length but for strides and pools, so 38 zeros stand before and behind a window, of which
    the first layer then makes 8,000 places. The last of the paper's lengths, 32 of 125, counts the rest of a pool.

    Where public code differs: PyTorch's speech command tutorial calls M5 a smaller network, with a first stride of 16,
    32 to 64 filters and no padding. A widely used Keras port has biases in its convolutions, which the batch norms
    behind them make redundant, and drops the rest of the last pool. The weights are drawn as PyTorch draws them.
    """

    input_format = InputFormat(sample_rate=8_000, num_samples=32_000)  # 4 s: 2,000 frames of 16 samples
    receptive_field = 80 + 3 * 4  # a filter's taps, and a pool's 4 places, 4 samples apart
    hop = 16
    padding = (38, 38)
    min_samples = 80 + 3 * 4 - 2 * 38
    first: int
    groups: tuple[tuple[int, int], ...]

    def __init__(self, num_classes: int):
        super().__init__(num_classes)
        self.feature_conv = nn.Sequential(
            OrderedDict(
                conv1=ConvBlock(1, self.first, (1, 80), stride=(1, 4)),  # (N, first, 1, 8000)
                pool1=nn.MaxPool2d((1, 4)),  # (N, first, 1, 2000)
            )
        )
        layers, channels = OrderedDict(), self.first
        for number, (filters, count) in enumerate(self.groups, start=2):
            layers[f"group{number}"] = self.group(channels, filters, count)  # (N, filters, 1, 2000), 500, 125, 32
            if number - 2 < POOLED_GROUPS:
                layers[f"pool{number}"] = nn.MaxPool2d((1, 4), ceil_mode=True)  # (N, filters, 1, 500), 125, 32
            channels = filters
        layers["average"] = nn.AdaptiveAvgPool2d(1)  # (N, filters, 1, 1)
        layers["flatten"] = nn.Flatten(1, -1)  # (N, filters)
        layers["linear"] = nn.Linear(channels, num_classes)
        self.classifier = nn.Sequential(layers)

    def group(self, channels: int, filters: int, count: int) -> nn.Sequential:
        """Make a group of layers of one width."""
        inputs = (channels, *[filters] * (count - 1))
        return nn.Sequential(*(ConvBlock(width, filters, (1, 3), padding=(0, 1)) for width in inputs))

    @property
    def frontend_module(self) -> nn.Module:
        """``feature_conv``: the first layer and its pool."""
        return self.feature_conv

    def linear_stages(self) -> list[ConvBlock]:
        """Return ``conv1``."""
        return [self.feature_conv.conv1]

    def features(self, waveform: Tensor) -> Tensor:
        """Lift the waveform to the height axis that ``Conv2d`` expects, and drop that axis behind."""
        return self.feature_conv(waveform.unsqueeze(2)).squeeze(2)

    def classify(self, features: Tensor) -> Tensor:
        """Read the features as channels along time."""
        return self.classifier(features.unsqueeze(2))


class M3(DeepRaw, name="m3"):
    """Three layers: wide and shallow, 0.2 million parameters (lesson 7)."""

    title = "M3"
    first, groups = 256, ((256, 1),)


class M5(DeepRaw, name="m5"):
    """Five layers, 0.5 million parameters (lesson 7)."""

    title = "M5"
    first, groups = 128, ((128, 1), (256, 1), (512, 1))


class M11(DeepRaw, name="m11"):
    """Eleven layers, 1.8 million parameters (lesson 7)."""

    title = "M11"
    first, groups = 64, ((64, 2), (128, 2), (256, 3), (512, 2))


class M18(DeepRaw, name="m18"):
    """Eighteen layers, 3.7 million parameters: the best of the paper (lesson 7)."""

    title = "M18"
    first, groups = 64, ((64, 4), (128, 4), (256, 4), (512, 4))


class ResidualPair(nn.Module):
    """Two layers with a shortcut past them, which makes 34 layers trainable (lesson 7).

    Parameters
    ----------
    in_channels, out_channels : int
        The second is a multiple of the first.

    Notes
    -----
    Where the number of channels doubles, the shortcut repeats each channel, which needs no weights. The Keras port
    does so on the advice of the paper's authors, as it says. It normalises once more behind each sum, which adds 5,664
    parameters; here a batch norm stands behind each convolution and nowhere else.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv1 = ConvBlock(in_channels, out_channels, (1, 3), padding=(0, 1))
        self.conv2 = nn.Conv2d(out_channels, out_channels, (1, 3), padding=(0, 1), bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else RepeatChannels(out_channels // in_channels)
        self.add, self.relu = Add(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, 1, time) to (batch, out_channels, 1, time)."""
        return self.relu(self.add(self.norm2(self.conv2(self.conv1(x))), self.shortcut(x)))


class M34Res(DeepRaw, name="m34-res"):
    """Thirty-four layers in residual pairs, 4 million parameters (lesson 7)."""

    title = "M34-res"
    first, groups = 48, ((48, 3), (96, 4), (192, 6), (384, 3))

    def group(self, channels: int, filters: int, count: int) -> nn.Sequential:
        """Make a group of residual pairs of one width."""
        inputs = (channels, *[filters] * (count - 1))
        return nn.Sequential(*(ResidualPair(width, filters) for width in inputs))
