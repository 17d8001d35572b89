"""WaveMsNet: three lengths of filters side by side, from 0.25 to 2.3 ms (lesson 7).

B. Zhu, C. Wang, F. Liu, J. Lei, Z. Lu and Y. Peng, "Learning environmental sounds with multi-scale convolutional neural
network", IJCNN 2018, arXiv:1803.10219.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from envnet_tutorial.models.base import FeatureConvNetwork
from envnet_tutorial.models.layers import ConvBlock, LinearBlock, Transpose
from envnet_tutorial.settings import InputFormat

#: Samples from one frame to the next, at every scale.
HOP = 150
#: Filters of each scale.
FILTERS = 32
#: Taps of the second layer.
SECOND_TAPS = 11


class Scale(nn.Sequential):
    """Two convolutions and a pool at one scale (lesson 7).

    Parameters
    ----------
    taps, stride : int
        Of the first layer's filters, in samples. The second layer's filters see 11 of its outputs.
    """

    def __init__(self, taps: int, stride: int):
        pool = HOP // stride
        super().__init__(
            OrderedDict(
                conv1=ConvBlock(1, FILTERS, (1, taps), stride=(1, stride)),
                conv2=ConvBlock(FILTERS, FILTERS, (1, SECOND_TAPS)),
                pool2=nn.MaxPool2d((1, pool)),
            )
        )
        #: Samples that a frame sees.
        self.receptive_field = taps + (SECOND_TAPS - 1 + pool - 1) * stride
        #: Samples that the two layers' filters reach beyond their middles.
        self.reach = (taps - 1) // 2 + (SECOND_TAPS - 1) // 2 * stride


class MultiScale(nn.Module):
    """Three scales under one another, as the rows of one feature map (lesson 7).

    Notes
    -----
    Where the paper pads its convolutions, a frame begins as many samples early as its scale's filters reach. Here no
    scale is padded: each starts at its own sample, so that its frames stand where the paper has them.
    """

    def __init__(self):
        super().__init__()
        self.short, self.middle, self.long = Scale(11, 1), Scale(51, 5), Scale(101, 10)
        self.transpose = Transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 1, 1, time) to (batch, 1, filter, frame), short filters first."""
        span = (x.shape[-1] - self.long.receptive_field) // HOP * HOP  # from the first frame to the last
        maps = []
        for scale in (self.short, self.middle, self.long):
            start = self.long.reach - scale.reach
            maps.append(scale(x[..., start : start + span + scale.receptive_field]))  # (N, 32, 1, 441)
        return self.transpose(torch.cat(maps, dim=1))  # (N, 1, 96, 441)


class WaveMsNet(FeatureConvNetwork, name="wavemsnet"):
    """WaveMsNet, from a raw waveform of 66,150 samples at 44.1 kHz to logits (lesson 7).

    Parameters
    ----------
    num_classes : int
        Number of classes, 50 for ESC-50.
    dropout : float, default 0.5
        Dropout of the hidden linear layer.

    Notes
    -----
    Short filters resolve time, long ones frequency: 11 taps span 0.25 ms, 101 taps 2.3 ms. Each scale has 32 filters of
    its length in a first layer, 32 filters of 11 taps in a second, and a pool down to one frame each 150 samples
    (3.4 ms). A frame sees 170, 246 or 341 samples. ``feature_conv`` puts the three under one another, 96 rows by 441
    frames, and ``classifier`` reads this feature map.

    This is the network that hears nothing but the waveform, in the paper's first phase; it gets about 70 % of ESC-50
    right there. The 79.1 % of its abstract is reached in a second phase, where the front end is kept as it is and the
    log-mel spectrogram, with 96 bands and 441 frames, joins the map as a second channel of ``conv3``; the authors' code
    for both phases fills that channel with the map itself until then, their code for the waveform alone has no such
    channel.

    Where the authors' code (Cocoxili/WaveMsNet) differs: its convolutions have biases, 896 in all, which the batch
    norms behind them make redundant. It pads each of the front end's layers with zeros, the second one behind the
    first one's batch norm and ReLU; here 100 zeros stand before a window and 91 behind it, so that the first and the
    last frame hear something else. Its test leaves out windows that nowhere reach 0.005 of full scale and adds up
    logits; this book leaves out none and averages the softmax. One port (arrrrrmin/esc-learner) does not pad the 3 x 3
    convolutions, and its head is smaller for that.
    """

    title = "WaveMsNet"
    input_format = InputFormat(sample_rate=44_100, num_samples=66_150)  # 1.5 s: 441 frames of 150 samples
    receptive_field = (
        101 + (10 + 14) * 10
    )  # of the long filters: taps, and a second layer's 11 and a pool's 15, 10 apart
    hop = HOP
    padding = (100, 91)

    def __init__(self, num_classes: int, dropout: float = 0.5):
        super().__init__(num_classes)
        self.feature_conv = MultiScale()  # (N, 1, 96, 441)
        self.classifier = nn.Sequential(
            OrderedDict(
                conv3=ConvBlock(1, 64, 3, padding=1),  # (N, 64, 96, 441)
                pool3=nn.MaxPool2d((3, 11)),  # (N, 64, 32, 40)
                conv4=ConvBlock(64, 128, 3, padding=1),  # (N, 128, 32, 40)
                pool4=nn.MaxPool2d(2),  # (N, 128, 16, 20)
                conv5=ConvBlock(128, 256, 3, padding=1),  # (N, 256, 16, 20)
                pool5=nn.MaxPool2d(2),  # (N, 256, 8, 10)
                conv6=ConvBlock(256, 256, 3, padding=1),  # (N, 256, 8, 10)
                pool6=nn.MaxPool2d(2),  # (N, 256, 4, 5)
                flatten=nn.Flatten(1, -1),  # (N, 5120)
                fc7=LinearBlock(256 * 4 * 5, 4096, dropout),
                fc8=nn.Linear(4096, num_classes),
            )
        )

    def linear_stages(self) -> list[ConvBlock]:
        """Return none: the three scales are no chain."""
        return []
