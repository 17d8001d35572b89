"""EnvNet-v2: deeper, at 44.1 kHz, with filters that resolve far more (lesson 7).

Y. Tokozume, Y. Ushiku and T. Harada, "Learning from between-class examples for deep sound recognition", ICLR 2018,
arXiv:1711.10282.
"""

from collections import OrderedDict

from torch import nn

from envnet_tutorial.models.base import FeatureConvNetwork
from envnet_tutorial.models.layers import ConvBlock, LinearBlock, Transpose
from envnet_tutorial.settings import InputFormat


class EnvNetV2(FeatureConvNetwork, name="envnet-v2"):
    """EnvNet-v2, from a raw waveform of 66,650 samples at 44.1 kHz to logits (lesson 7).

    Parameters
    ----------
    num_classes : int
        Number of classes, 50 for ESC-50.
    dropout : float, default 0.5
        Dropout of the two hidden linear layers.

    Raises
    ------
    ValueError
        If ``num_classes`` is below 1.

    Notes
    -----
    ``feature_conv`` learns a feature map of 64 rows by 260 frames of 5.8 ms. Its two convolutions see 94 samples
    (2.1 ms), 4 samples apart; ``classifier`` reads it. The weights of the linear layers are drawn from a normal
    distribution with variance ``1 / in_features``. The keys of the state dict follow EnvNet's scheme.
    """

    title = "EnvNet-v2"
    # 260 frames of 256 samples, and the 90 samples by which the first two filters, 94 samples together and 4 from one
    # place to the next, reach beyond.
    input_format = InputFormat(sample_rate=44_100, num_samples=66_650)
    receptive_field = 256 + 90  # a pool's 64 places, 4 samples apart, and what two filters of 94 samples reach beyond
    hop = 256

    def __init__(self, num_classes: int, dropout: float = 0.5):
        super().__init__(num_classes)
        self.feature_conv = nn.Sequential(
            OrderedDict(
                conv1=ConvBlock(1, 32, (1, 64), stride=(1, 2)),  # (N, 32, 1, 33294)
                conv2=ConvBlock(32, 64, (1, 16), stride=(1, 2)),  # (N, 64, 1, 16640)
                pool2=nn.MaxPool2d((1, 64)),  # (N, 64, 1, 260)
                transpose=Transpose(1, 2),  # (N, 1, 64, 260)
            )
        )
        self.classifier = nn.Sequential(
            OrderedDict(
                conv3=ConvBlock(1, 32, (8, 8)),  # (N, 32, 57, 253)
                conv4=ConvBlock(32, 32, (8, 8)),  # (N, 32, 50, 246)
                pool4=nn.MaxPool2d((5, 3)),  # (N, 32, 10, 82)
                conv5=ConvBlock(32, 64, (1, 4)),  # (N, 64, 10, 79)
                conv6=ConvBlock(64, 64, (1, 4)),  # (N, 64, 10, 76)
                pool6=nn.MaxPool2d((1, 2)),  # (N, 64, 10, 38)
                conv7=ConvBlock(64, 128, (1, 2)),  # (N, 128, 10, 37)
                conv8=ConvBlock(128, 128, (1, 2)),  # (N, 128, 10, 36)
                pool8=nn.MaxPool2d((1, 2)),  # (N, 128, 10, 18)
                conv9=ConvBlock(128, 256, (1, 2)),  # (N, 256, 10, 17)
                conv10=ConvBlock(256, 256, (1, 2)),  # (N, 256, 10, 16)
                pool10=nn.MaxPool2d((1, 2)),  # (N, 256, 10, 8)
                flatten=nn.Flatten(1, -1),  # (N, 20480)
                fc11=LinearBlock(256 * 10 * 8, 4096, dropout),
                fc12=LinearBlock(4096, 4096, dropout),
                fc13=nn.Linear(4096, num_classes),
            )
        )
        for linear in (module for module in self.classifier.modules() if isinstance(module, nn.Linear)):
            nn.init.normal_(linear.weight, std=linear.in_features**-0.5)
