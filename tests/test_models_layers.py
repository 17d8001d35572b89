"""The shared blocks against what they are made of."""

import torch
from torch import nn

from envnet_tutorial.models import ConvBlock, LinearBlock, Transpose


def test_conv_block_is_convolution_norm_relu():
    block = ConvBlock(2, 3, (1, 4), stride=(1, 2)).eval()
    with torch.no_grad():
        block.module[1].running_mean.uniform_(-1, 1)
        block.module[1].running_var.uniform_(0.5, 2)
    x = torch.randn(5, 2, 1, 20)
    raw = nn.functional.conv2d(x, block.module[0].weight, stride=(1, 2))
    norm = block.module[1]
    scaled = (raw - norm.running_mean[:, None, None]) / (norm.running_var[:, None, None] + norm.eps).sqrt()
    torch.testing.assert_close(block(x), scaled.clamp(min=0))
    assert block.module[0].bias is None


def test_linear_block_drops_only_while_training():
    block = LinearBlock(6, 2000, dropout=0.25)
    x = torch.rand(1, 6)
    dense = torch.relu(x @ block.module[0].weight.T + block.module[0].bias)
    torch.testing.assert_close(block.eval()(x), dense)
    alive = dense > 0
    kept = (block.train()(x)[alive] > 0).float().mean()
    assert 0.7 < kept < 0.8


def test_transpose_swaps_two_axes_and_says_which():
    x = torch.arange(6).reshape(1, 2, 1, 3)
    assert Transpose(1, 2)(x).tolist() == [[[[0, 1, 2], [3, 4, 5]]]]
    assert repr(Transpose(1, 2)) == "Transpose(1, 2)"
