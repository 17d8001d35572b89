"""EnvNet: environmental sounds from the raw waveform (lesson 3).

Y. Tokozume and T. Harada, "Learning environmental sounds with end-to-end convolutional neural network",
ICASSP 2017, doi:10.1109/ICASSP.2017.7952651.
"""

from collections import OrderedDict

from torch import Tensor, nn

from envnet_tutorial.settings import ENVNET_INPUT, InputFormat


class ConvBlock(nn.Module):
    """Convolution without bias, batch normalisation, ReLU (lesson 3).

    Parameters
    ----------
    in_channels, out_channels : int
        Input channels, and number of filters.
    kernel_size : int or tuple of int
        Height and width of each filter.
    stride : int or tuple of int, default 1
        Step between two positions of the filter.

    Notes
    -----
    The batch normalisation that follows has an offset of its own, so a bias in the convolution would be redundant.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size, stride=1):
        super().__init__()
        self.module = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, height, width) to (batch, out_channels, height', width')."""
        return self.module(x)


class Transpose(nn.Module):
    """Swap two axes: EnvNet turns its 40 channels into the 40 rows of a one-channel picture (lesson 3).

    Parameters
    ----------
    dim0, dim1 : int
        The axes to swap.
    """

    def __init__(self, dim0: int, dim1: int):
        super().__init__()
        self.dim0, self.dim1 = dim0, dim1

    def forward(self, x: Tensor) -> Tensor:
        """Return a view of ``x`` with the two axes swapped."""
        return x.transpose(self.dim0, self.dim1)

    def extra_repr(self) -> str:
        """Name the two axes in ``print(model)``."""
        return f"{self.dim0}, {self.dim1}"


class LinearBlock(nn.Module):
    """Linear layer, ReLU, dropout (lesson 3).

    Parameters
    ----------
    in_features, out_features : int
        Length of the input and output vectors.
    dropout : float, default 0.5
        Share of the outputs set to zero while training.
    """

    def __init__(self, in_features: int, out_features: int, dropout: float = 0.5):
        super().__init__()
        self.module = nn.Sequential(nn.Linear(in_features, out_features), nn.ReLU(), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_features) to (batch, out_features)."""
        return self.module(x)


def lift_waveform(waveform: Tensor, num_samples: int, network: str) -> Tensor:
    """Give a batch of waveforms the height axis that ``Conv2d`` expects, or say what is wrong with its shape.

    Parameters
    ----------
    waveform : Tensor, shape (batch, 1, time)
        Mono waveforms.
    num_samples : int
        Fewest samples that the network accepts.
    network : str
        Name of the network, for the error message.

    Returns
    -------
    Tensor, shape (batch, 1, 1, time)

    Raises
    ------
    ValueError
        If the rank, the channel count or the length is not what the network takes.
    """
    if waveform.ndim != 3 or waveform.shape[1] != 1 or waveform.shape[2] < num_samples:
        raise ValueError(
            f"{network} takes waveforms of shape (batch, 1, time) with at least {num_samples:,} samples; "
            f"got {tuple(waveform.shape)}"
        )
    return waveform.unsqueeze(2)


class WaveformNetwork(nn.Module):
    """What the networks of the EnvNet family share: a front end, a classifier, and what they take (lesson 3).

    A subclass sets ``input_format`` and ``title``, and makes ``feature_conv``, which maps (batch, 1, 1, time) to
    (batch, 1, filter, frame), and ``classifier``, which maps that to (batch, class).

    Parameters
    ----------
    num_classes : int
        Number of classes.
    """

    #: Rate in Hz and length in samples of one window.
    input_format: InputFormat
    #: Name of the network in its paper, for the error messages.
    title: str

    def __init__(self, num_classes: int):
        super().__init__()
        if num_classes < 1:
            raise ValueError(f"num_classes must be at least 1, got {num_classes}")
        self.num_classes = num_classes

    def frontend(self, waveform: Tensor) -> Tensor:
        """Compute the learned picture of a sound.

        Parameters
        ----------
        waveform : Tensor, shape (batch, 1, time)
            Mono waveforms at the rate of ``input_format``, at least as long as it says: for EnvNet 24,014 samples
            at 16 kHz.

        Returns
        -------
        Tensor, shape (batch, filter, frame)
            For EnvNet 40 filters by one frame each 10 ms, for EnvNet-v2 64 filters by one frame each 5.8 ms.

        Raises
        ------
        ValueError
            If the rank, the channel count or the length is not what the network takes.
        """
        lifted = lift_waveform(waveform, self.input_format.num_samples, self.title)
        return self.feature_conv(lifted).squeeze(1)

    def forward(self, waveform: Tensor) -> Tensor:
        """Map windows (batch, 1, time) of the exact length to class scores before the softmax (batch, num_classes)."""
        num_samples = self.input_format.num_samples
        if waveform.ndim == 3 and waveform.shape[-1] > num_samples:
            raise ValueError(
                f"{self.title} classifies windows of exactly {num_samples:,} samples, shape (batch, 1, {num_samples}); "
                f"got {tuple(waveform.shape)}: crop it first (envnet_tutorial.augment)"
            )
        return self.classifier(self.frontend(waveform).unsqueeze(1))


class EnvNet(WaveformNetwork):
    """EnvNet, from a raw waveform to class scores (lesson 3).

    Parameters
    ----------
    num_classes : int
        Number of classes, 50 for ESC-50.
    dropout : float, default 0.5
        Dropout of the two hidden linear layers.

    Notes
    -----
    ``feature_conv`` learns the picture that stands where a spectrogram would stand, 40 rows by 150 steps of 10 ms;
    ``classifier`` reads it. The keys of the state dict are those of published PyTorch checkpoints.
    """

    input_format = ENVNET_INPUT
    title = "EnvNet"

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


def count_parameters(module: nn.Module) -> int:
    """Count the trainable parameters of a module."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
