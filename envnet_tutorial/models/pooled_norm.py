"""EnvNet that normalises after pooling: a variant of ours, made for speed (lesson 4).

Pooling keeps 1 of 160 values of each filter, so 159 of 160 values of conv2 have no gradient. In the paper's order
(conv2, batch norm, ReLU, pool) the batch norm needs the mean and variance of all of them, and its backward pass reaches
every one. Here the pool comes first (conv2, pool, batch norm, ReLU), and the dense backward pass disappears:

1. conv1's batch norm is folded into conv1's weights before conv1 runs. Its statistics need no convolution: the mean and
   variance of `w . window` are `w . mean` and `w . C w`, where C is the 8 x 8 covariance of the input's windows.
2. conv1, ReLU, conv2 and the pool run without a graph, in pieces that fit the cache; only the places of the winners are
   kept, 40 x 150 a clip.
3. The backward pass gathers the 15 samples that each winner saw and computes conv1 again.

Steps 2 and 3 are in `envnet_tutorial.models.winners`. Where `torch.autocast` asks for bfloat16, their products are of
bfloat16 numbers; norms, statistics and weights stay float32.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from envnet_tutorial.formats import precision_context
from envnet_tutorial.models.envnet import EnvNet
from envnet_tutorial.models.folding import fold_norm
from envnet_tutorial.models.reordered import ReorderedClassifier
from envnet_tutorial.models.winners import PooledPair, join_clips, toeplitz


def factors_format(device_type: str, usual: torch.dtype) -> torch.dtype:
    """Return the number format of the factors of products: bfloat16 where `torch.autocast` asks for it."""
    is_on = torch.amp.is_autocast_available(device_type) and torch.is_autocast_enabled(device_type)
    asked = is_on and torch.get_autocast_dtype(device_type) == torch.bfloat16
    return torch.bfloat16 if asked else usual


class PooledNormFeatures(nn.Sequential):
    """`feature_conv` with the second batch norm and its ReLU behind the pool (lesson 4).

    Takes the named modules of EnvNet's ``feature_conv`` and has the same parameters and keys.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 1, 1, time) to (batch, 1, filter, frame)."""
        conv1, norm1, _ = self.conv1.module
        conv2, norm2, relu = self.conv2.module
        factors = factors_format(x.device.type, conv1.weight.dtype)
        with precision_context(x.device, "float32"):
            places, pool = conv2.kernel_size[1], self.pool2.kernel_size[1]
            waveform = x[:, 0, 0].to(conv1.weight.dtype)  # (batch, time)
            matrix = toeplitz(*fold_norm(waveform, conv1, norm1), places).flatten(1)  # (samples + 1, places * filter)
            weight2 = conv2.weight[:, :, 0].transpose(1, 2).flatten(1)  # (filter2, places * filter)
            signal = join_clips(waveform, pool, len(matrix) - 2)
            pooled = PooledPair.apply(signal, matrix, weight2, pool, factors)  # (filter2, all frames)
            pooled = pooled.unflatten(1, (len(x), -1))[..., :-1].transpose(0, 1)  # (batch, filter2, frame)
            return self.transpose(relu(norm2(pooled.unsqueeze(2))))


class PooledNormEnvNet(EnvNet, name="envnet-pooled-norm"):
    """EnvNet that normalises after pooling: our variant, not the paper's network (lesson 4).

    The second block computes conv2, pool, batch norm, ReLU, where the paper has conv2, batch norm, ReLU, pool. All
    parameters and the keys of the state dict are those of `EnvNet`, so published weights load with ``strict=True``.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    dropout : float, default 0.5
        Dropout of the two hidden linear layers.

    Notes
    -----
    In training the two orders differ: here the batch statistics of conv2 are those of the pooled values. In eval mode
    batch norm is one scale and one offset a filter. With a positive scale it keeps the order of its inputs, so the
    maximum may be taken before it, and this network equals `EnvNet` with the same weights. With a negative scale it
    does not: `EnvNet` then keeps the smallest value of each 160, this variant still the largest.

    Under `torch.autocast` to bfloat16, the two convolutions and their gradients are products of bfloat16 numbers, which
    sum in float32, and the classifier computes as autocast does. What comes out is float32, and so are all weights.

    Gradients of gradients are not available. Where two values of a pool are equal, the first one wins, as in
    `torch.nn.MaxPool2d`.
    """

    gains_from_bfloat16 = True

    def __init__(self, num_classes: int, dropout: float = 0.5):
        super().__init__(num_classes, dropout)
        self.feature_conv = PooledNormFeatures(OrderedDict(self.feature_conv.named_children()))
        self.classifier = ReorderedClassifier(OrderedDict(self.classifier.named_children()))
