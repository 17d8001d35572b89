"""The networks of the book, one file each, as their papers draw them."""

from envnet_tutorial.models.envnet import ConvBlock, EnvNet, LinearBlock, Transpose

__all__ = ["ConvBlock", "EnvNet", "LinearBlock", "Transpose"]
