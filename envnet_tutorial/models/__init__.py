"""The networks of the book, one file each, as their papers draw them."""

from envnet_tutorial.models.envnet import ConvBlock, EnvNet, LinearBlock, Transpose
from envnet_tutorial.models.pooled_norm import PooledNormEnvNet

__all__ = ["ConvBlock", "EnvNet", "LinearBlock", "PooledNormEnvNet", "Transpose"]
