"""EnvNet: the shapes, keys and sizes of the paper, and what it says of a wrong input."""

import pytest
import torch
from tiny import parameters_of
from torch import nn

from envnet_tutorial.models import EnvNet
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
    assert parameters_of(envnet) == 48_560_638
    convolutional = sum(p.numel() for name, p in envnet.named_parameters() if name.startswith(CONVOLUTIONS))
    assert convolutional == 31_180
    assert round(100 * convolutional / parameters_of(envnet), 2) == 0.06
    assert round(100 * parameters_of(envnet.classifier.fc5) / parameters_of(envnet)) == 65


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
    [(24014,), (1, 24014), (1, 2, 24014), (1, 1, 1, 24014)],
    ids=["vector", "no channel", "stereo", "four axes"],
)
def test_wrong_input_is_refused_with_the_shape_that_is_wanted(envnet, shape):
    for method, fewest in ((envnet, "24,014"), (envnet.frontend, "174")):
        with pytest.raises(ValueError, match=rf"\(batch, 1, time\) with at least {fewest} samples; got \("):
            method(torch.zeros(shape))


def test_a_sample_short_of_a_window_or_of_a_frame_is_refused(envnet):
    with pytest.raises(ValueError, match="at least 24,014 samples"):
        envnet(torch.zeros(1, 1, 24_013))
    with pytest.raises(ValueError, match="at least 174 samples"):
        envnet.frontend(torch.zeros(1, 1, 173))
    assert envnet.frontend(torch.zeros(1, 1, 174)).shape == (1, 40, 1)


def test_too_long_a_window_is_refused_with_the_way_out(envnet):
    with pytest.raises(ValueError, match="crop it first"):
        envnet(torch.zeros(1, 1, 24015))


@pytest.mark.parametrize("num_classes", [0, -1])
def test_a_network_has_at_least_one_class(num_classes):
    with pytest.raises(ValueError, match="num_classes"):
        EnvNet(num_classes)


def test_pooling_before_relu_is_the_same_network():
    x = torch.randn(4, 40, 1, 1600)
    assert torch.equal(nn.MaxPool2d((1, 160))(x.relu()), nn.MaxPool2d((1, 160))(x).relu())
    assert not torch.equal(nn.AvgPool2d((1, 160))(x.relu()), nn.AvgPool2d((1, 160))(x).relu())
