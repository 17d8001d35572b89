"""The networks of the book, one file each, as their papers draw them."""

from envnet_tutorial.models.envnet import ConvBlock, EnvNet, LinearBlock, Transpose
from envnet_tutorial.models.envnet_v2 import EnvNetV2
from envnet_tutorial.models.pooled_norm import PooledNormEnvNet

__all__ = ["ConvBlock", "EnvNet", "EnvNetV2", "LinearBlock", "PooledNormEnvNet", "Transpose"]
