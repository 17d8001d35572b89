"""The variant that normalises after pooling, against autograd of the same network written out plainly."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from envnet_tutorial.models.pooled_norm import PooledNormEnvNet


def plain_features(features, x):
    """The variant as its definition reads: conv1, norm, ReLU, conv2, pool, norm, ReLU, all under autograd."""
    conv1, norm1, _ = features.conv1.module
    conv2, norm2, _ = features.conv2.module
    hidden = norm1(conv1(x)).relu()
    pooled = functional.max_pool2d(conv2(hidden), features.pool2.kernel_size)
    return norm2(pooled).relu().transpose(1, 2)


def pair_of_features(dtype=torch.float64, seed=0):
    """Two copies of one ``feature_conv`` whose batch norms have scales of both signs and offsets."""
    torch.manual_seed(seed)
    ours = PooledNormEnvNet(3).feature_conv.to(dtype)
    for block in (ours.conv1, ours.conv2):
        nn.init.normal_(block.module[1].weight)
        nn.init.normal_(block.module[1].bias)
    plain = PooledNormEnvNet(3).feature_conv.to(dtype)
    plain.load_state_dict(ours.state_dict())
    return ours, plain


def assert_same_gradients(ours, plain, x, tolerance):
    pictures = []
    for features, forward in ((ours, ours), (plain, lambda signal: plain_features(plain, signal))):
        signal = x.clone().requires_grad_()
        picture = forward(signal)
        torch.manual_seed(1)
        (picture * torch.randn_like(picture)).sum().backward()
        pictures.append([picture, signal.grad, *(p.grad for p in features.parameters()), *features.buffers()])
    for mine, truth in zip(*pictures, strict=True):
        assert (mine - truth).abs().max() <= tolerance * truth.abs().max()


@pytest.mark.parametrize("shape", [(3, 1, 1, 2_414), (1, 1, 1, 2_414), (2, 1, 1, 174), (2, 1, 1, 3_333)])
@pytest.mark.parametrize("training", [True, False])
def test_features_and_all_gradients_are_those_of_autograd(shape, training):
    ours, plain = pair_of_features()
    x = 0.3 * torch.randn(shape, dtype=torch.float64) + 0.1
    for _ in range(2):  # twice: running statistics that start at 0 and 1 would hide a wrong momentum
        ours.train(training).zero_grad()
        plain.train(training).zero_grad()
        assert_same_gradients(ours, plain, x, 1e-6)
