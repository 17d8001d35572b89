"""Convolution arithmetic and the shape walk, held against PyTorch itself."""

import copy
from itertools import pairwise, product

import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn import functional

from envnet_tutorial.models import EnvNet
from envnet_tutorial.receptive_field import ReceptiveField
from envnet_tutorial.settings import ENVNET_INPUT
from envnet_tutorial.shapes import (
    conv_output_length,
    conv_windows,
    describe,
    named_blocks,
    overlapping_samples_post_conv,
    walk,
)

SHAPE = (1, 1, ENVNET_INPUT.num_samples)
SETTINGS = list(product((1, 2, 5, 9), (1, 2, 3, 5), (1, 2, 3), (0, 1, 4), (1, 2, 3)))


def test_output_length_agrees_with_conv1d_wherever_pytorch_accepts_it():
    fitted = 0
    for length, kernel, stride, padding, dilation in SETTINGS:
        weight, x = torch.ones(1, 1, kernel), torch.ones(1, 1, length)
        try:
            expected = functional.conv1d(x, weight, None, stride, padding, dilation).shape[-1]
        except RuntimeError:
            with pytest.raises(ValueError, match="does not fit"):
                conv_output_length(length, kernel, stride, padding, dilation)
        else:
            fitted += 1
            assert conv_output_length(length, kernel, stride, padding, dilation) == expected
    assert 200 < fitted < len(SETTINGS)


@pytest.mark.parametrize("arguments", [(0, 1), (5, 0), (5, 3, 0), (5, 3, 1, -1), (5, 3, 1, 0, 0)])
def test_output_length_refuses_what_no_convolution_has(arguments):
    with pytest.raises(ValueError, match="at least"):
        conv_output_length(*arguments)


def test_windows_are_what_conv1d_touches_wherever_it_is_put():
    """The gradient of every output of PyTorch's convolution is one where it touches an input and zero elsewhere."""
    floored = 0
    for length, kernel, stride, padding, dilation in SETTINGS:
        if length + 2 * padding < dilation * (kernel - 1) + 1:
            continue
        windows = conv_windows(length, kernel, stride, padding, dilation)
        x = torch.ones(1, 1, length, requires_grad=True)
        output = functional.conv1d(x, torch.ones(1, 1, kernel), None, stride, padding, dilation)[0, 0]
        assert len(windows) == len(output)
        touched = set()
        for window, value in zip(windows, output, strict=True):
            inside = {int(i) for i in window if 0 <= i < length}
            gradient = torch.autograd.grad(value, x, retain_graph=True)[0][0, 0] if inside else torch.zeros(length)
            assert inside == set(gradient.nonzero().flatten().tolist())
            touched |= inside
        floored += (length + 2 * padding - dilation * (kernel - 1) - 1) % stride > 0 and length - 1 not in touched
    assert floored > 10


def test_overlap_helper_is_the_tutorials_formula_and_fails_where_the_book_says():
    assert overlapping_samples_post_conv(ENVNET_INPUT.sample_rate, 8) == 7
    assert overlapping_samples_post_conv(100, 30) == 32 != 100 - conv_output_length(100, 30)
    with pytest.raises(ValueError, match="filter_size"):
        overlapping_samples_post_conv(10, 11)


# Shapes as the paper's table gives them (spec of lesson 3), fields by hand: size + (kernel - 1) x step.
TABLE = [
    ("conv1", "ConvBlock(1, 40, (1, 8))", (1, 40, 1, 24007), 400, 8, 1),
    ("conv2", "ConvBlock(40, 40, (1, 8))", (1, 40, 1, 24000), 12880, 15, 1),
    ("pool2", "MaxPool2d((1, 160))", (1, 40, 1, 150), 0, 174, 160),
    ("transpose", "Transpose(1, 2)", (1, 1, 40, 150), 0, 174, 160),
    ("conv3", "ConvBlock(1, 50, (8, 13))", (1, 50, 33, 138), 5300, 2094, 160),
    ("pool3", "MaxPool2d(3)", (1, 50, 11, 46), 0, 2414, 480),
    ("conv4", "ConvBlock(50, 50, (1, 5))", (1, 50, 11, 42), 12600, 4334, 480),
    ("pool4", "MaxPool2d((1, 3))", (1, 50, 11, 14), 0, 5294, 1440),
    ("flatten", "Flatten()", (1, 7700), 0, 5294, 1440),
    ("fc5", "LinearBlock(7700, 4096)", (1, 4096), 31543296, 24014, pd.NA),
    ("fc6", "LinearBlock(4096, 4096)", (1, 4096), 16781312, 24014, pd.NA),
    ("fc7", "Linear(4096, 50)", (1, 50), 204850, 24014, pd.NA),
]


@pytest.fixture(scope="module")
def envnet():
    torch.manual_seed(0)
    return EnvNet(50)


def test_walk_gives_the_table_of_envnet(envnet):
    columns = ["layer", "module", "output_shape", "parameters", "field_samples", "step_samples"]
    expected = pd.DataFrame(TABLE, columns=columns).astype({"field_samples": "Int64", "step_samples": "Int64"})
    found = walk(envnet, SHAPE)
    pd.testing.assert_frame_equal(found[columns], expected)
    assert found.parameters.sum() == 48_560_638 == sum(p.numel() for p in envnet.parameters())
    assert found.set_index("layer").field_ms["pool2"] == pytest.approx(174 / 16)
    assert found.set_index("layer").step_ms["pool2"] == 10


def test_walk_notes_the_batch_and_the_rate_it_is_given(envnet):
    found = walk(envnet, (3, 1, ENVNET_INPUT.num_samples), sample_rate=8_000).set_index("layer")
    assert found.output_shape["conv1"][0] == 3
    assert found.step_ms["pool2"] == 20
    assert "field_ms" not in walk(nn.Conv1d(1, 1, 3), (1, 1, 9))


def test_walk_leaves_the_network_as_it_was(envnet):
    before = copy.deepcopy(envnet.state_dict())
    envnet.train()
    envnet.classifier.fc6.eval()
    walk(envnet, SHAPE)
    assert envnet.training and envnet.feature_conv.conv1.training and not envnet.classifier.fc6.training
    assert all(torch.equal(before[name], tensor) for name, tensor in envnet.state_dict().items())
    assert not any(module._forward_hooks for module in envnet.modules())
    assert all(p.requires_grad and p.grad is None for p in envnet.parameters())


def test_walk_restores_the_network_after_an_error(envnet):
    envnet.train()
    with pytest.raises(ValueError, match="at least"):
        walk(envnet, (1, 1, 100))
    assert envnet.training
    assert not any(module._forward_hooks for module in envnet.modules())


class Residual(nn.Module):
    """A block of Dai et al.'s M34-res: two padded convolutions beside a shortcut."""

    def __init__(self, stride):
        super().__init__()
        self.first = nn.Conv1d(2, 2, 3, stride=stride, padding=1)
        self.second = nn.Conv1d(2, 2, 3, padding=1)
        self.shortcut = nn.Conv1d(2, 2, 1, stride=stride)

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class Branches(nn.Module):
    """Branches of different kernel and stride, brought to the same number of frames, as in WaveMsNet."""

    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(nn.Conv1d(1, 2, 5, padding=2), nn.AvgPool1d(8))
        self.coarse = nn.Sequential(nn.Conv1d(1, 2, 21, stride=4, padding=10), nn.AvgPool1d(2))
        self.after = nn.Conv1d(4, 2, 3)

    def forward(self, x):
        return self.after(torch.cat([self.fine(x), self.coarse(x)], dim=1))


NETWORKS = {
    "plain": nn.Conv1d(1, 2, 7),
    "strided": nn.Sequential(nn.Conv1d(1, 2, 9, stride=4, padding=3), nn.ReLU(), nn.Conv1d(2, 2, 3, stride=2)),
    "dilated": nn.Sequential(nn.Conv1d(1, 2, 3, dilation=4), nn.Conv1d(2, 1, 3, dilation=2, stride=3)),
    "pooled": nn.Sequential(nn.Conv1d(1, 2, 4), nn.AvgPool1d(3, stride=2, padding=1), nn.Conv1d(2, 2, 2)),
    "residual": nn.Sequential(nn.Conv1d(1, 2, 8, stride=4, padding=2), Residual(1), Residual(2)),
    "branches": Branches(),
    "rounded up": nn.Sequential(nn.Conv1d(1, 2, 4), nn.AvgPool1d(3, stride=4, ceil_mode=True), nn.Conv1d(2, 2, 2)),
    "padded": nn.Sequential(nn.ConstantPad1d((3, 0), 0.0), nn.Conv1d(1, 1, 4, stride=2)),
}


def seen_samples(network, length):
    """Find the inputs that each output position depends on, by the gradient where all weights are positive."""
    network = copy.deepcopy(network).double().eval()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.1)
    x = torch.ones(1, 1, length, dtype=torch.double, requires_grad=True)
    output = network(x).sum(dim=1)[0]
    return [torch.autograd.grad(value, x, retain_graph=True)[0][0, 0].nonzero().flatten() for value in output]


@pytest.mark.parametrize("name", NETWORKS)
def test_fields_are_the_support_of_the_gradient(name):
    length = 200
    network = NETWORKS[name]
    field, step = walk(network, (1, 1, length)).iloc[-1][["field_samples", "step_samples"]]
    seen = seen_samples(network, length)
    inner = [(int(s[0]), int(s[-1])) for s in seen if s[0] > 0 and s[-1] < length - 1]
    assert len(inner) >= 5
    assert {last - first + 1 for first, last in inner} == {field}
    assert {b[0] - a[0] for a, b in pairwise(inner)} == {step}


def test_fields_of_envnet_are_the_support_of_the_gradient():
    """Max pooling passes a gradient to its winner only, so average pooling of the same window stands in for it."""
    network = EnvNet(2).eval()
    network.feature_conv.pool2 = nn.AvgPool2d((1, 160))
    network.classifier.pool3, network.classifier.pool4 = nn.AvgPool2d(3), nn.AvgPool2d((1, 3))
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.01)
    table = walk(EnvNet(2), SHAPE).set_index("layer")
    x = torch.ones(SHAPE, requires_grad=True)
    here = x.unsqueeze(2)
    for name, layer in [*network.feature_conv.named_children(), *network.classifier.named_children()]:
        here = layer(here)
        if name == "flatten":
            continue
        middle = tuple(size // 2 for size in here.shape)
        seen = torch.autograd.grad(here[middle], x, retain_graph=True)[0].flatten().nonzero().flatten()
        assert seen[-1] - seen[0] + 1 == table.field_samples[name], name


def test_a_position_behind_global_pooling_sees_everything_that_is_used():
    network = nn.Sequential(nn.Conv1d(1, 2, 9, stride=4), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(2, 3))
    table = walk(network, (2, 1, 102))
    used = int(seen_samples(network[:2], 102)[0][-1]) + 1
    assert used == 101
    assert list(table.field_samples) == [9, used, used, used]
    assert list(table.step_samples.isna()) == [False, True, True, True]


def test_what_cannot_be_followed_is_missing_and_not_wrong():
    network = nn.Sequential(nn.Conv1d(1, 2, 3), nn.ConvTranspose1d(2, 1, 4, stride=2), nn.ReLU())
    assert list(walk(network, (1, 1, 20)).field_samples.isna()) == [False, True, True]


class Shortcut(nn.Module):
    """A fast path that reads a layer's weights instead of calling it."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Conv1d(1, 1, 3)
        self.called = nn.ReLU()

    def forward(self, x):
        return self.called(functional.conv1d(x, self.hidden.weight))


def test_a_layer_that_is_never_called_is_named():
    with pytest.raises(ValueError, match="hidden: not called"):
        walk(Shortcut(), (1, 1, 9))


def test_layers_carry_the_names_of_the_paper():
    network = nn.ModuleDict({"a": nn.Sequential(nn.ReLU()), "b": nn.Sequential(nn.ReLU())})
    assert list(named_blocks(network)) == ["a.0", "b.0"]
    assert list(named_blocks(nn.ReLU())) == [""]
    assert list(walk(nn.ReLU(), (1, 1, 4)).layer) == ["ReLU"]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.Conv1d(1, 64, 80, stride=4), "Conv1d(1, 64, 80, stride=4)"),
        (nn.Linear(3, 2), "Linear(3, 2)"),
        (nn.MaxPool2d(3), "MaxPool2d(3)"),
        (nn.MaxPool2d(3, stride=2), "MaxPool2d(3, stride=2)"),
        (nn.ReLU(), "ReLU()"),
    ],
)
def test_a_layer_is_described_by_the_call_that_makes_it(module, text):
    assert describe(module) == text
    assert repr(eval(text, vars(nn))) == repr(module)


def test_one_field_behind_another():
    field = ReceptiveField(length=100).after(8).after(8).after(10, stride=10)
    assert (field.size, field.step, field.length) == (24, 10, 8)
    assert field.pooled().size == 24 + 7 * 10
