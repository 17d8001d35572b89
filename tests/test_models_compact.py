"""The compact EnvNet: its size and shapes by hand, EnvNet's features, any length, and what it costs."""

import pytest
import torch
from tiny import losses_while_learning, output_shapes, parameters_of
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from envnet_tutorial import costs, probing
from envnet_tutorial.models import NETWORKS, CompactEnvNet, CompactPooledNorm, EnvNet
from envnet_tutorial.models.compact import InvertedResidual, MeanAndMax
from envnet_tutorial.settings import ENVNET_INPUT

pytestmark = pytest.mark.usefixtures("one_thread")

FAMILY = {"compact": CompactEnvNet, "compact-pooled-norm": CompactPooledNorm}
#: Channels in, channels out, height and width behind each block.
BLOCKS = [(32, 48, 10, 38), (48, 48, 10, 38), (48, 64, 5, 19), (64, 64, 5, 19), (64, 64, 5, 19)]


@pytest.fixture(params=FAMILY)
def network(request):
    torch.manual_seed(0)
    return FAMILY[request.param](50).eval()


def test_every_layer_has_the_shape_that_arithmetic_gives(network):
    expected = {"feature_conv": (2, 1, 40, 150), "classifier.conv3": (2, 24, 40, 150)}
    expected |= {"classifier.pool3": (2, 24, 20, 75), "classifier.conv4": (2, 32, 20, 75)}
    for number, (_, filters, height, width) in enumerate(BLOCKS, start=5):
        expected[f"classifier.block{number}"] = (2, filters, height, width)
    expected |= {"classifier.conv10": (2, 192, 5, 19), "classifier.pool10": (2, 192, 1, 1), "classifier.fc11": (2, 50)}
    assert output_shapes(network, expected, torch.zeros(2, 1, ENVNET_INPUT.num_samples)) == expected


def test_number_of_parameters_by_hand(network):
    features = 40 * 8 + 40 * 40 * 8 + 2 * (40 + 40)
    first = 24 * 9 + 32 * 24 * 9 + 2 * (24 + 32)
    blocks = 0
    for before, after, _, _ in BLOCKS:
        hidden = 3 * before
        blocks += before * hidden + 2 * hidden + 9 * hidden + 2 * hidden + hidden * after + 2 * after
    top = 64 * 192 + 2 * 192 + 192 * 50 + 50
    assert (features, first, blocks, top) == (13_280, 7_240, 97_344, 22_322)
    assert parameters_of(network) == features + first + blocks + top == 140_186 <= 150_000
    assert NETWORKS["compact"] is CompactEnvNet and NETWORKS["compact-pooled-norm"] is CompactPooledNorm


def test_its_features_are_envnets(network):
    with torch.device("meta"):
        envnet = EnvNet(50)
    front = {name: tensor.shape for name, tensor in envnet.feature_conv.state_dict().items()}
    assert {name: tensor.shape for name, tensor in network.feature_conv.state_dict().items()} == front
    envnet.feature_conv.to_empty(device="cpu").load_state_dict(network.feature_conv.state_dict(), strict=True)
    sound = torch.randn(2, 1, ENVNET_INPUT.num_samples, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network.frontend(sound), envnet.eval().frontend(sound), atol=1e-4, rtol=1e-4)
    for name in ("input_format", "receptive_field", "hop"):
        assert getattr(network, name) == getattr(EnvNet, name)
    assert probing.composite_kernels(network).shape == (40, 15)


def test_any_length_from_one_frame(network):
    for length in (174, 333, 334, 5_000, 30_000):
        assert network(torch.zeros(1, 1, length)).shape == (1, 50)
    with pytest.raises(ValueError, match="at least 174 samples"):
        network(torch.zeros(1, 1, 173))


def test_blocks_have_a_shortcut_where_shapes_allow_one():
    torch.manual_seed(0)
    x = torch.randn(2, 4, 6, 8)
    block = InvertedResidual(4, 4).eval()
    wide = block.depthwise(block.expand(x))
    assert wide.shape == (2, 12, 6, 8)
    narrow = nn.functional.conv2d(wide, block.project.weight) / (1 + block.norm.eps) ** 0.5
    torch.testing.assert_close(block(x), narrow + x)
    assert (block(x) < 0).any()  # no ReLU behind it
    for other in (InvertedResidual(4, 6).eval(), InvertedResidual(4, 4, stride=2).eval()):
        assert other.add is None
        torch.testing.assert_close(other(x), other.norm(other.project(other.depthwise(other.expand(x)))))
    assert InvertedResidual(4, 4, stride=2)(x).shape == (2, 4, 3, 4)


def test_mean_and_max_by_hand():
    x = torch.tensor([[1.0, 2.0], [3.0, 10.0]]).reshape(1, 1, 2, 2)
    assert MeanAndMax()(x).item() == 4 + 10


def test_every_layer_has_its_price():
    passes = costs.training_passes(CompactEnvNet)
    model = CompactEnvNet(10)
    with FlopCounterMode(display=False) as counter:
        scores = model(torch.zeros(1, 1, ENVNET_INPUT.num_samples))
        forward = counter.get_total_flops()
        scores.sum().backward()
    assert passes.loc[passes["pass"] == "forward", "operations"].sum() == forward
    depthwise = passes[(passes["layer"] == "depthwise") & (passes["pass"] == "forward") & (passes["kind"] == "conv")]
    by_hand = [2 * 9 * 3 * before * height * width for before, _, height, width in BLOCKS]
    assert depthwise["operations"].tolist() == by_hand  # each filter sees one channel
    body = passes[(passes["pass"] == "forward") & ~passes["layer"].isin(["conv1", "conv2"])]
    assert body["operations"].sum() < 0.1 * forward  # the rest is EnvNet's front end
    joined = passes[(passes["kind"] == "sum") & (passes["pass"] == "forward")]["elements"].tolist()
    assert joined == [3 * 48 * 10 * 38, 3 * 64 * 5 * 19, 3 * 64 * 5 * 19, 3 * 192]


@pytest.mark.parametrize("name", FAMILY)
def test_it_learns(name):
    torch.manual_seed(0)
    losses = losses_while_learning(FAMILY[name](2), num_samples=6_574, steps=20)
    assert losses[-1] < 0.2 * losses[0]
