"""The blocks that the networks of the book are built of (lesson 3)."""

from torch import Tensor, nn


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
    **options
        Passed on to `Conv2d`: ``padding``, zeros on each side, and ``groups``, parts of
        the channels with filters of their own.

    Notes
    -----
    The batch normalisation that follows has an offset of its own, so a bias in the
    convolution would be redundant.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, **options):
        super().__init__()
        sizes = (in_channels, out_channels, kernel_size, stride)
        self.module = nn.Sequential(
            nn.Conv2d(*sizes, bias=False, **options),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in, height, width) to (batch, out, height', width')."""
        return self.module(x)


class Transpose(nn.Module):
    """Swap two axes: 40 channels become the 40 rows of a feature map (lesson 3).

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
        self.module = nn.Sequential(
            nn.Linear(in_features, out_features),
            nn.ReLU(),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_features) to (batch, out_features)."""
        return self.module(x)


class Add(nn.Module):
    """Add what a shortcut carried past a few layers to what these made of it (lesson 7)."""

    def forward(self, x: Tensor, shortcut: Tensor) -> Tensor:
        """Return the sum of two tensors of one shape."""
        return x + shortcut


class RepeatChannels(nn.Module):
    """Repeat every channel: a shortcut without weights to a layer with more channels (lesson 7).

    Parameters
    ----------
    times : int
        How often each channel stands there afterwards, beside itself.
    """

    def __init__(self, times: int):
        super().__init__()
        self.times = times

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channel, height, width) to (batch, times * channel, height, width)."""
        return x.repeat_interleave(self.times, dim=1)

    def extra_repr(self) -> str:
        """Name the number in ``print(model)``."""
        return str(self.times)
