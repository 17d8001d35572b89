"""A compact EnvNet: the same learned features, and thousands of weights behind them in place of millions (lesson 7).

A network of this book. Its blocks are those of M. Sandler, A. Howard, M. Zhu, A. Zhmoginov and L.-C. Chen,
"MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018, arXiv:1801.04381.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from envnet_tutorial.models.base import FeatureConvNetwork
from envnet_tutorial.models.layers import Add, ConvBlock, Transpose
from envnet_tutorial.models.pooled_norm import PooledNormFeatures
from envnet_tutorial.settings import ENVNET_INPUT

#: Output channels and stride of each block.
BLOCKS = ((48, 2), (48, 1), (64, 2), (64, 1), (64, 1))
#: Channels of the two layers before the first block, and behind the last one.
STEM, BASE, TOP = 24, 32, 192


class InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, narrow again; with a shortcut where the shapes allow one (lesson 7).

    Parameters
    ----------
    in_channels, out_channels : int
    stride : int, default 1
        Of the filters, along both axes.
    expansion : int, default 3
        How many times as many channels there are while they are filtered.

    Notes
    -----
    A 3 x 3 convolution from 64 to 64 channels has 36,864 weights. Here the filters see one channel each and the two
    1 x 1 convolutions see all, which is 26,304 with channels three times as many. The narrow outputs have no ReLU: it
    would cut half of what little they hold.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, expansion: int = 3):
        super().__init__()
        hidden = expansion * in_channels
        self.expand = ConvBlock(in_channels, hidden, 1)
        self.depthwise = ConvBlock(hidden, hidden, 3, stride=stride, padding=1, groups=hidden)
        self.project = nn.Conv2d(hidden, out_channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        self.add = Add() if stride == 1 and in_channels == out_channels else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, height, width) to (batch, out_channels, height / stride, width / stride)."""
        y = self.norm(self.project(self.depthwise(self.expand(x))))
        return y if self.add is None else self.add(y, x)


class MeanAndMax(nn.Module):
    """Add each channel's mean over the feature map to its maximum: what lasts, and what happens once (lesson 7)."""

    def __init__(self):
        super().__init__()
        self.mean, self.max, self.add = nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1), Add()

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channel, height, width) to (batch, channel, 1, 1)."""
        return self.add(self.mean(x), self.max(x))


class CompactEnvNet(FeatureConvNetwork, name="compact"):
    """EnvNet's features under a small classifier: 140,186 parameters for 50 classes, 0.3 % of EnvNet's (lesson 7).

    Parameters
    ----------
    num_classes : int
        Number of classes, 50 for ESC-50.
    dropout : float, default 0.2
        Dropout before the linear layer.

    Notes
    -----
    ``feature_conv`` is EnvNet's, so that its weights load here and the other way round. EnvNet's classifier keeps the
    place of each feature until its first linear layer, and pays for it with 31 million weights there. This one sees
    3 x 3 places at a time, ever coarser, and asks in the end only how much and how strongly something occurs. So it
    takes any length from one frame on, and has little to learn a clip by heart with, hence less dropout. Its weights
    lie in memory with the channels last, in which 1 x 1 and depthwise convolutions are faster.
    """

    title = "Compact EnvNet"
    input_format = ENVNET_INPUT
    receptive_field = 160 + 7 + 7  # EnvNet's
    hop = 160
    min_samples = 160 + 7 + 7

    def __init__(self, num_classes: int, dropout: float = 0.2):
        super().__init__(num_classes)
        self.feature_conv = nn.Sequential(
            OrderedDict(
                conv1=ConvBlock(1, 40, (1, 8)),  # (N, 40, 1, 24007)
                conv2=ConvBlock(40, 40, (1, 8)),  # (N, 40, 1, 24000)
                pool2=nn.MaxPool2d((1, 160)),  # (N, 40, 1, 150)
                transpose=Transpose(1, 2),  # (N, 1, 40, 150)
            )
        )
        layers, channels = OrderedDict(), BASE
        layers["conv3"] = ConvBlock(1, STEM, 3, padding=1)  # (N, 24, 40, 150)
        layers["pool3"] = nn.MaxPool2d(2, ceil_mode=True)  # (N, 24, 20, 75)
        layers["conv4"] = ConvBlock(STEM, BASE, 3, padding=1)  # (N, 32, 20, 75)
        for number, (filters, stride) in enumerate(BLOCKS, start=5):
            # (N, 48, 10, 38) twice, (N, 64, 5, 19) three times
            layers[f"block{number}"] = InvertedResidual(channels, filters, stride)
            channels = filters
        layers["conv10"] = ConvBlock(channels, TOP, 1)  # (N, 192, 5, 19)
        layers["pool10"] = MeanAndMax()  # (N, 192, 1, 1)
        layers["flatten"] = nn.Flatten(1, -1)  # (N, 192)
        layers["dropout"] = nn.Dropout(dropout)
        layers["fc11"] = nn.Linear(TOP, num_classes)
        self.classifier = nn.Sequential(layers).to(memory_format=torch.channels_last)


class CompactPooledNorm(CompactEnvNet, name="compact-pooled-norm"):
    """`CompactEnvNet` that normalises behind the pool, as `PooledNormEnvNet` does and as fast (lesson 7).

    Parameters
    ----------
    num_classes : int
        Number of classes, 50 for ESC-50.
    dropout : float, default 0.2
        Dropout before the linear layer.
    """

    def __init__(self, num_classes: int, dropout: float = 0.2):
        super().__init__(num_classes, dropout)
        self.feature_conv = PooledNormFeatures(OrderedDict(self.feature_conv.named_children()))
