"""EnvNet in another order of evaluation: the paper's network, with the same values and gradients (lesson 4).

- ReLU after the pool: the maximum of 160 values is positive where one of them is, so the ReLU has 160 times less to do.
- conv1's batch norm folded into its weights, see `envnet_tutorial.models.folding`.
- Shifts as channels: a convolution with one input channel and 13 taps in a row is one with 13 channels, each the
  feature map moved by one more step. Libraries run the second many times as fast, backwards above all.
- Channels last in memory: conv2 then reads its 40 x 8 windows in one stretch.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from envnet_tutorial.models.envnet import EnvNet
from envnet_tutorial.models.folding import fold_norm


def shifts_as_channels(x: Tensor, taps: int) -> Tensor:
    """Stack a one-channel feature map moved by 0, 1, ... ``taps - 1`` steps.

    Parameters
    ----------
    x : Tensor, shape (batch, 1, height, time)
    taps : int

    Returns
    -------
    Tensor, shape (batch, taps, height, time - taps + 1)
        Channels last in memory.
    """
    return x[:, 0].unfold(2, taps, 1).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


class ReorderedFeatures(nn.Sequential):
    """EnvNet's ``feature_conv`` with conv1's batch norm folded and the last ReLU behind the pool (lesson 4)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 1, 1, time) to (batch, 1, filter, frame)."""
        conv1, norm1, relu = self.conv1.module
        conv2, norm2, _ = self.conv2.module
        weight, bias = fold_norm(x[:, 0, 0], conv1, norm1)  # (filter, taps), (filter,)
        shifted = shifts_as_channels(x, weight.shape[1])  # (batch, taps, 1, time')
        hidden = relu(functional.conv2d(shifted, weight[:, :, None, None], bias))  # (batch, filter, 1, time')
        return self.transpose(relu(self.pool2(norm2(conv2(hidden)))))


class ReorderedClassifier(nn.Sequential):
    """EnvNet's ``classifier`` with shifts as channels in conv3 and each ReLU behind its pool (lesson 4)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 1, filter, frame) to logits (batch, class)."""
        conv3, norm3, relu = self.conv3.module
        conv4, norm4, _ = self.conv4.module
        weight = conv3.weight[:, 0].transpose(1, 2).unsqueeze(3).contiguous()  # (50, 13, 8, 1)
        x = functional.conv2d(shifts_as_channels(x, weight.shape[1]), weight)  # (batch, 50, 33, 138)
        x = relu(self.pool3(norm3(x)))  # (batch, 50, 11, 46)
        x = relu(self.pool4(norm4(conv4(x))))  # (batch, 50, 11, 14)
        return self.fc7(self.fc6(self.fc5(self.flatten(x))))


class ReorderedEnvNet(EnvNet, name="envnet-reordered"):
    """EnvNet, evaluated in a faster order: same parameters, keys, values and gradients, up to rounding (lesson 4).

    Parameters
    ----------
    num_classes : int
        Number of classes.
    dropout : float, default 0.5
        Dropout of the two hidden linear layers.
    """

    def __init__(self, num_classes: int, dropout: float = 0.5):
        super().__init__(num_classes, dropout)
        self.feature_conv = ReorderedFeatures(OrderedDict(self.feature_conv.named_children()))
        self.classifier = ReorderedClassifier(OrderedDict(self.classifier.named_children()))
