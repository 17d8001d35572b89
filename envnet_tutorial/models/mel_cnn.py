"""EnvNet behind a mel spectrogram: the fair opponent of learned features, and two steps between the two (lesson 7).

The filters in the time domain, complex, started as the mel scale has them, squared, averaged and in decibels, are after
N. Zeghidour, N. Usunier, I. Kokkinos, T. Schatz, G. Synnaeve and E. Dupoux, "Learning filterbanks from raw speech for
phone recognition", ICASSP 2018, arXiv:1711.01161.
"""

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn

from envnet_tutorial.audio.spectrograms import decibels, fourier_length, hz_to_mel, log_mel_frames, mel_to_hz
from envnet_tutorial.formats import precision_context
from envnet_tutorial.models.envnet import EnvNet
from envnet_tutorial.models.layers import ConvBlock, Transpose
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate
#: Rows of the feature map, samples from one frame to the next, and samples under a window: 10 ms and 25 ms.
BANDS, HOP, WINDOW = 40, 160, 400
#: Samples from one place of the filters in the time domain to the next.
STEP = 8


class LogMel(nn.Module):
    """The log-mel spectrogram of lesson 1 as a layer, in dB; nothing in it is learned (lesson 7)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 1, 1, time) to (batch, band, 1, frame)."""
        # A fixed feature is the same in every number format.
        with precision_context(x.device, "float32"):
            return log_mel_frames(x[:, 0, 0].float(), RATE, num_bands=BANDS, hop=HOP, window=WINDOW).unsqueeze(2)

    def operations(self, outputs: int) -> int:
        """Count multiplications and additions: a real Fourier transform, powers, and a product with the triangles."""
        length = fourier_length(WINDOW)
        bins = length // 2 + 1
        transform = 5 * length * int(math.log2(length)) // 2
        return outputs // BANDS * (WINDOW + transform + 3 * bins + 2 * bins * BANDS)


class MelFilters(nn.Conv2d):
    """A pair of filters for each mel band, cosine and sine under one bell, to be learned or kept (lesson 7).

    Notes
    -----
    Each bell is a Gaussian, so wide that its power response falls to a half over the same Hz as the band's triangle,
    under a Hann window of 25 ms, which is what limits the lowest bands, as it does in the spectrogram. The bells have
    unit energy: a pair answers white noise of variance 1 with a mean power of 1, whatever its band.

    The sum of the pair's squares has no carrier, and the highest band is 1 kHz wide from corner to corner of its
    triangle. So it is enough to compute it every 8 samples, 2,000 times a second.
    """

    def __init__(self):
        super().__init__(1, 2 * BANDS, (1, WINDOW), stride=(1, STEP), bias=False)

    def reset_parameters(self) -> None:
        """Put the filters at the bands of the mel scale; there is nothing random about them."""
        with torch.no_grad():
            self.weight.copy_(mel_pairs(BANDS, WINDOW, RATE).flatten(0, 1)[:, None, None])


def mel_pairs(bands: int, taps: int, sample_rate: int) -> Tensor:
    """Compute pairs of filters at the triangles of the mel scale (lesson 7).

    Parameters
    ----------
    bands : int
    taps : int
        Length of the filters.
    sample_rate : int
        In Hz.

    Returns
    -------
    Tensor of float64, shape (band, 2, taps)
        Cosine and sine in phase with the middle of the window.
    """
    corners = mel_to_hz(torch.linspace(0, 1, bands + 2, dtype=torch.float64) * hz_to_mel(sample_rate / 2))  # Hz
    centres, widths = corners[1:-1, None], (corners[2:, None] - corners[:-2, None]) / 2  # (band, 1)
    time = (torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2) / sample_rate  # s
    spread = math.sqrt(math.log(2)) / (torch.pi * widths)  # of the Gaussian, s
    hann = torch.hann_window(taps + 2, periodic=False, dtype=torch.float64)[1:-1]
    bells = torch.exp(-0.5 * (time / spread) ** 2) * hann  # (band, taps)
    bells = bells / bells.square().sum(dim=1, keepdim=True).sqrt()
    angles = 2 * torch.pi * centres * time
    return torch.stack([bells * angles.cos(), bells * angles.sin()], dim=1)


class PairPower(nn.Module):
    """Add the squares of each pair of channels: the power in a band, without its carrier (lesson 7)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 2 * band, 1, time) to (batch, band, 1, time)."""
        return x.unflatten(1, (-1, 2)).square().sum(dim=2)


class Decibels(nn.Module):
    """Turn power into level in dB, at least -100 (lesson 7)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map powers of any shape to levels."""
        return decibels(x.float())


def mel_picture() -> nn.Sequential:
    """Make a log-mel spectrogram with each band brought to mean 0 and variance 1, in which nothing is learned."""
    return nn.Sequential(
        OrderedDict(
            log_mel=LogMel(),  # (N, 40, 1, 150)
            norm=nn.BatchNorm2d(BANDS, affine=False),  # (N, 40, 1, 150)
            transpose=Transpose(1, 2),  # (N, 1, 40, 150)
        )
    )


class MelCNN(EnvNet, name="mel-cnn"):
    """EnvNet with a log-mel spectrogram in place of what it learns: the fair opponent (lesson 7).

    Parameters
    ----------
    num_classes : int
        Number of classes, 50 for ESC-50.
    dropout : float, default 0.5
        Dropout of the two hidden linear layers.

    Notes
    -----
    All else is EnvNet's: the rate, the window of 24,014 samples, a feature map of 40 rows by 150 steps of 10 ms, and
    the very same ``classifier``, which a seed starts with the same weights. What differs is ``feature_conv``. Here it
    is the spectrogram of lesson 1: Hann windows of 25 ms, 40 triangles on the mel scale up to 8 kHz, dB, with 120 zeros
    before and behind a window. Then a batch norm without weights brings each band to mean 0 and variance 1, as the one
    behind ``conv2`` does with EnvNet's rows before it scales and shifts them. So EnvNet's 13,280 learned parameters in
    front of the feature map become none.

    `MelFixedFilters` has the same bands made by filters in the time domain, and `MelStart` learns on from these. From
    `EnvNet` to `MelStart` the form of the front end changes, from `MelStart` to `MelFixedFilters` only whether it is
    learned, and from there to `MelCNN` only how a fixed mel spectrogram is computed.
    """

    title = "Mel CNN"
    receptive_field = WINDOW
    padding = (120, 120)

    def __init__(self, num_classes: int, dropout: float = 0.5):
        super().__init__(num_classes, dropout)
        self.feature_conv = self.make_feature_conv()

    def make_feature_conv(self) -> nn.Sequential:
        """Make what stands in the place of EnvNet's ``feature_conv``."""
        return mel_picture()

    def linear_stages(self) -> list[ConvBlock]:
        """Return none: no chain of `ConvBlock` makes the feature map."""
        return []


class MelStart(MelCNN, name="mel-start"):
    """EnvNet whose learned front end starts as a mel spectrogram (lesson 7).

    Parameters
    ----------
    num_classes : int
        Number of classes, 50 for ESC-50.
    dropout : float, default 0.5
        Dropout of the two hidden linear layers.

    Notes
    -----
    As `MelCNN`, but for the way to its 40 rows: 40 pairs of filters of 400 taps (`MelFilters`), the sum of their
    squares in place of the spectrogram's power, its mean over 160 samples where EnvNet takes the maximum of as many,
    dB, and the batch norm without weights. The 32,000 taps are learned, and nothing else in front of the map. A
    real filter and a rectifier would do in place of a pair, but one period of the lowest bands lasts longer than the
    mean over 10 ms, so that the map would show the carrier.

    In the paper the mean is one under a squared Hann window, which may be learned too.
    """

    title = "Mel start"
    receptive_field = WINDOW + 19 * STEP  # a filter's taps, and the 20 places of a mean, 8 samples apart
    padding = (189, 189)

    def make_feature_conv(self) -> nn.Sequential:
        """Make what stands in the place of EnvNet's ``feature_conv``."""
        return nn.Sequential(
            OrderedDict(
                filters=MelFilters(),  # (N, 80, 1, 3000)
                power=PairPower(),  # (N, 40, 1, 3000)
                pool=nn.AvgPool2d((1, HOP // STEP)),  # (N, 40, 1, 150)
                level=Decibels(),  # (N, 40, 1, 150)
                norm=nn.BatchNorm2d(BANDS, affine=False),  # (N, 40, 1, 150)
                transpose=Transpose(1, 2),  # (N, 1, 40, 150)
            )
        )


class MelFixedFilters(MelStart, name="mel-fixed-filters"):
    """`MelStart` whose filters stay at the mel scale: what learning them adds is the difference (lesson 7).

    Parameters
    ----------
    num_classes : int
        Number of classes, 50 for ESC-50.
    dropout : float, default 0.5
        Dropout of the two hidden linear layers.
    """

    title = "Mel fixed filters"

    def __init__(self, num_classes: int, dropout: float = 0.5):
        super().__init__(num_classes, dropout)
        self.feature_conv.filters.weight.requires_grad_(False)
