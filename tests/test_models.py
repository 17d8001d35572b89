"""EnvNet: the shapes, keys and sizes of the paper, and what it says of a wrong input."""

import pytest
import torch
from torch import nn

from envnet_tutorial.models import ConvBlock, EnvNet, LinearBlock, Transpose
from envnet_tutorial.models.envnet import count_parameters
from envnet_tutorial.settings import ENVNET_INPUT

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
CONVOLUTIONS = ("feature_conv.conv1", "feature_conv.conv2", "classifier.conv3", "classifier.conv4")


@pytest.fixture(scope="module")
def envnet():
    torch.manual_seed(0)
    return EnvNet(50).eval()


def published_keys():
    """Write out the keys of published PyTorch checkpoints by the scheme they follow."""
    keys = []
    for block in CONVOLUTIONS:
        keys += [f"{block}.module.0.weight"] + [f"{block}.module.1.{name}" for name in NORM]
    for block in ("classifier.fc5", "classifier.fc6"):
        keys += [f"{block}.module.0.weight", f"{block}.module.0.bias"]
    return [*keys, "classifier.fc7.weight", "classifier.fc7.bias"]


def test_state_dict_has_the_published_keys_and_loads_strictly(envnet):
    assert list(envnet.state_dict()) == published_keys()
    checkpoint = {name: torch.zeros_like(tensor) for name, tensor in envnet.state_dict().items()}
    assert EnvNet(50).load_state_dict(checkpoint, strict=True).missing_keys == []


def test_numbers_of_parameters_are_the_known_ones(envnet):
    assert count_parameters(envnet) == 48_560_638
    convolutional = sum(p.numel() for name, p in envnet.named_parameters() if name.startswith(CONVOLUTIONS))
    assert convolutional == 31_180
    assert round(100 * convolutional / count_parameters(envnet), 2) == 0.06
    assert round(100 * count_parameters(envnet.classifier.fc5) / count_parameters(envnet)) == 65


def test_forward_gives_scores_before_the_softmax(envnet):
    scores = envnet(torch.randn(3, 1, ENVNET_INPUT.num_samples))
    assert scores.shape == (3, 50)
    assert not torch.allclose(scores.exp().sum(dim=1), torch.ones(3), atol=1e-2)


def test_frontend_is_feature_conv_without_the_height_axis(envnet):
    waveform = torch.randn(2, 1, ENVNET_INPUT.num_samples)
    picture = envnet.frontend(waveform)
    assert picture.shape == (2, 40, 150)
    assert torch.equal(picture, envnet.feature_conv(waveform[:, :, None, :])[:, 0])


def test_frontend_takes_longer_sounds_frame_by_frame(envnet):
    waveform = torch.randn(1, 1, ENVNET_INPUT.num_samples + 320)
    longer = envnet.frontend(waveform)
    assert longer.shape == (1, 40, 152)
    torch.testing.assert_close(longer[..., :150], envnet.frontend(waveform[..., : ENVNET_INPUT.num_samples]))


@pytest.mark.parametrize(
    "shape",
    [(24014,), (1, 24014), (1, 2, 24014), (1, 1, 1, 24014), (1, 1, 24013)],
    ids=["vector", "no channel", "stereo", "four axes", "one sample short"],
)
def test_wrong_input_is_refused_with_the_shape_that_is_wanted(envnet, shape):
    for method in (envnet, envnet.frontend):
        with pytest.raises(ValueError, match=r"\(batch, 1, time\).*24,014 samples; got \("):
            method(torch.zeros(shape))


def test_too_long_a_window_is_refused_with_the_way_out(envnet):
    with pytest.raises(ValueError, match="crop it first"):
        envnet(torch.zeros(1, 1, 24015))


@pytest.mark.parametrize("num_classes", [0, -1])
def test_a_network_has_at_least_one_class(num_classes):
    with pytest.raises(ValueError, match="num_classes"):
        EnvNet(num_classes)


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


def test_pooling_before_relu_is_the_same_network():
    x = torch.randn(4, 40, 1, 1600)
    assert torch.equal(nn.MaxPool2d((1, 160))(x.relu()), nn.MaxPool2d((1, 160))(x).relu())
    assert not torch.equal(nn.AvgPool2d((1, 160))(x.relu()), nn.AvgPool2d((1, 160))(x).relu())
