"""EnvNet: environmental sounds from the raw waveform (lesson 3).

Y. Tokozume and T. Harada, "Learning environmental sounds with end-to-end convolutional neural network",
ICASSP 2017, doi:10.1109/ICASSP.2017.7952651.
"""

from collections import OrderedDict

from torch import nn

from envnet_tutorial.models.base import FeatureConvNetwork
from envnet_tutorial.models.layers import ConvBlock, LinearBlock, Transpose
from envnet_tutorial.settings import ENVNET_INPUT


class EnvNet(FeatureConvNetwork, name="envnet"):
    """EnvNet, from a raw waveform to logits (lesson 3).

    Parameters
    ----------
    num_classes : int
        Number of classes, 50 for ESC-50.
    dropout : float, default 0.5
        Dropout of the two hidden linear layers.

    Notes
    -----
    ``feature_conv`` learns the feature map that stands where a spectrogram would stand,
    40 rows by 150 steps of 10 ms; ``classifier`` reads it. The keys of the state dict
    are those of published PyTorch checkpoints.
    """

    title = "EnvNet"
    input_format = ENVNET_INPUT
    receptive_field = 160 + 7 + 7  # of a pool, and beyond it by two filters of 8 taps
    hop = 160

    def __init__(self, num_classes: int, dropout: float = 0.5):
        super().__init__(num_classes)
        self.feature_conv = nn.Sequential(
            OrderedDict(
                conv1=ConvBlock(1, 40, (1, 8)),  # (N, 40, 1, 24007)
                conv2=ConvBlock(40, 40, (1, 8)),  # (N, 40, 1, 24000)
                pool2=nn.MaxPool2d((1, 160)),  # (N, 40, 1, 150)
                transpose=Transpose(1, 2),  # (N, 1, 40, 150)
            )
        )
        self.classifier = nn.Sequential(
            OrderedDict(
                conv3=ConvBlock(1, 50, (8, 13)),  # (N, 50, 33, 138)
                pool3=nn.MaxPool2d(3),  # (N, 50, 11, 46)
                conv4=ConvBlock(50, 50, (1, 5)),  # (N, 50, 11, 42)
                pool4=nn.MaxPool2d((1, 3)),  # (N, 50, 11, 14)
                flatten=nn.Flatten(1, -1),  # (N, 7700)
                fc5=LinearBlock(50 * 11 * 14, 4096, dropout),
                fc6=LinearBlock(4096, 4096, dropout),
                fc7=nn.Linear(4096, num_classes),
            )
        )
