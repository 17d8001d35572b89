"""M3 to M34-res: the table of the paper, the sizes of public ports, and any length."""

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from tiny import losses_while_learning, output_shapes, parameters_of, write_set
from torch import nn

from envnet_tutorial import costs, probing
from envnet_tutorial.__main__ import main
from envnet_tutorial.models import M3, M5, M11, M18, NETWORKS, M34Res
from envnet_tutorial.models.deep_raw import ResidualPair

pytestmark = pytest.mark.usefixtures("one_thread")

FAMILY = {"m3": M3, "m5": M5, "m11": M11, "m18": M18, "m34-res": M34Res}
#: Table 1 of the paper: filters of each convolution with 3 taps, in order, behind one with 80 taps.
TABLE = {
    "m3": (256, [256]),
    "m5": (128, [128, 256, 512]),
    "m11": (64, [64] * 2 + [128] * 2 + [256] * 3 + [512] * 2),
    "m18": (64, [64] * 4 + [128] * 4 + [256] * 4 + [512] * 4),
    "m34-res": (48, [48] * 6 + [96] * 8 + [192] * 12 + [384] * 6),
}
#: In the paper's table, rounded; and by the Keras port (philipperemy/very-deep-convnets-raw-waveforms) for 10 classes.
PUBLISHED = {"m3": 0.2e6, "m5": 0.5e6, "m11": 1.8e6, "m18": 3.7e6, "m34-res": 4e6}
KERAS = {"m3": 221_194, "m5": 559_114, "m11": 1_786_442, "m18": 3_683_786, "m34-res": 3_984_154}


def convolutions(network):
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


@pytest.mark.parametrize("name", FAMILY)
def test_convolutions_are_those_of_the_papers_table(name):
    network, (first, short) = FAMILY[name](10), TABLE[name]
    found = [(conv.out_channels, conv.kernel_size, conv.stride) for conv in convolutions(network)]
    assert found == [(first, (1, 80), (1, 4))] + [(filters, (1, 3), (1, 1)) for filters in short]
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    layers = 34 if name == "m34-res" else int(name[1:])
    assert len(found) + len(linear) == layers
    assert NETWORKS[name] is FAMILY[name]


@pytest.mark.parametrize("name", FAMILY)
def test_number_of_parameters(name):
    first, short = TABLE[name]
    widths = [first, *short]
    weights = 80 * first + sum(3 * before * after for before, after in zip(widths, short, strict=False))
    norms, linear = 2 * sum(widths), (widths[-1] + 1) * 10
    found = parameters_of(FAMILY[name](10))
    assert found == weights + norms + linear
    # M5 is 0.558 million, which the paper seems to have cut and not rounded.
    assert abs(found - PUBLISHED[name]) < 0.06e6
    biases = sum(widths)  # of the port's convolutions
    after_sums = 2 * sum(short) // 2 if name == "m34-res" else 0  # its batch norms behind the 16 sums
    assert found + biases + after_sums == KERAS[name]


@pytest.mark.parametrize("name", FAMILY)
def test_lengths_are_those_of_the_papers_table(name):
    """32,000 samples, then 2,000, 500, 125 and 32 behind the pools."""
    network, window = FAMILY[name](10), torch.zeros(1, 1, 32_000)
    assert network.input_format.num_samples == 32_000 and network.input_format.sample_rate == 8_000
    pools = ["feature_conv.conv1", "feature_conv.pool1"]
    pools += [f"classifier.{layer}" for layer in dict(network.classifier.named_children()) if "pool" in layer]
    shapes = output_shapes(network, [*pools, "classifier.average"], window)
    lengths = [8_000, 2_000, 500, 125, 32][: len(pools)]
    assert [shapes[pool][-1] for pool in pools] == lengths
    assert len(pools) == (3 if name == "m3" else 5)
    assert shapes["classifier.average"] == (1, TABLE[name][1][-1], 1, 1)
    assert network(window).shape == (1, 10)
    assert network.frontend(window).shape == (1, TABLE[name][0], 1_995)  # of a sound with nothing around it


@pytest.mark.parametrize("name", FAMILY)
def test_any_length_from_sixteen_samples(name):
    network = FAMILY[name](3).eval()
    for length in (16, 17, 1_234, 40_000):
        assert network(torch.zeros(2, 1, length)).shape == (2, 3)
    with pytest.raises(ValueError, match="at least 16 samples"):
        network(torch.zeros(2, 1, 15))


def test_zeros_around_a_window_are_those_of_a_padded_convolution():
    torch.manual_seed(0)
    network, window = M11(3).eval(), torch.randn(2, 1, 2_000)
    conv, norm, relu = network.feature_conv.conv1.module
    padded = nn.functional.conv2d(window.unsqueeze(2), conv.weight, stride=(1, 4), padding=(0, 38))
    expected = network.feature_conv.pool1(relu(norm(padded))).squeeze(2)
    torch.testing.assert_close(network.window_features(window), expected)
    torch.testing.assert_close(network(window), network.classify(expected))
    # The frames that touch no zeros are those of the sound alone: 38 zeros are 2 frames and 6 samples.
    torch.testing.assert_close(expected[..., 3:-3], network.frontend(window[..., 10:])[..., : 125 - 6])


def test_a_residual_pair_by_hand():
    torch.manual_seed(0)
    for channels, filters in ((4, 4), (4, 8)):
        pair, x = ResidualPair(channels, filters).eval(), torch.randn(2, channels, 1, 9)
        with torch.no_grad():
            pair.norm2.running_mean.uniform_(-1, 1)
        second = pair.conv2(pair.conv1(x)) - pair.norm2.running_mean[:, None, None]
        second = second / (1 + pair.norm2.eps) ** 0.5
        repeated = torch.stack([x[:, c // (filters // channels)] for c in range(filters)], dim=1)
        torch.testing.assert_close(pair(x), (second + repeated).clamp(min=0))


@pytest.mark.parametrize("name", FAMILY)
def test_every_layer_has_a_price(name):
    passes = costs.training_passes(FAMILY[name])
    forward = passes[(passes["pass"] == "forward") & passes["kind"].isin(["conv", "linear"])]
    first, short = TABLE[name]
    places = {"m3": [2_000], "m5": [2_000, 500, 125], "m11": [2_000] * 2 + [500] * 2 + [125] * 3 + [32] * 2}
    places |= {"m18": [2_000] * 4 + [500] * 4 + [125] * 4 + [32] * 4}
    places |= {"m34-res": [2_000] * 6 + [500] * 8 + [125] * 12 + [32] * 6}
    by_hand = [2 * 8_000 * first * 80]
    by_hand += [2 * n * 3 * a * b for n, a, b in zip(places[name], [first, *short], short, strict=False)]
    assert forward["operations"].tolist() == [*by_hand, 2 * 10 * short[-1]]
    sums = passes[passes["kind"] == "sum"]
    assert len(sums) == (2 * 16 if name == "m34-res" else 0)  # forward, and where the gradients meet again
    copies = passes[(passes["kind"] == "copy") & (passes["pass"] == "forward")]
    if name == "m34-res":
        assert sums["elements"].iloc[0] == sums["elements"].iloc[1] == 3 * 48 * 2_000
        assert copies["elements"].tolist() == [3 * 48 * 500, 3 * 96 * 125, 3 * 192 * 32]


@pytest.mark.parametrize("name", FAMILY)
def test_it_learns(name):
    torch.manual_seed(0)
    losses = losses_while_learning(FAMILY[name](2), num_samples=2_000)
    assert losses[-1] < 0.2 * losses[0]


def test_its_first_filters_are_compared_with_their_spectra():
    torch.manual_seed(0)
    network = M5(2).eval()
    kernels = probing.composite_kernels(network)
    assert kernels.shape == (128, 80)
    assert probing.response_matrix(network, torch.tensor([500.0, 3_000.0])).shape == (128, 2)
    window = torch.randn(1, 32_000, generator=torch.Generator().manual_seed(0))
    assert probing.gradient_importance(network, window, 1).shape == (2_000,)


def test_it_goes_through_everything_at_8_khz(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    data, run, sound = write_set(tmp_path / "data"), tmp_path / "run", tmp_path / "sound.wav"
    told = ["--network", "m5", "--data", str(data), "--folds", "1", "--epochs", "1", "--quiet"]
    assert main(["train", *told, "--out", str(run)]) == 0
    assert main(["evaluate", str(run)]) == 0
    assert "as recorded" in capsys.readouterr().out
    assert main(["probe", "--weights", str(run), "--out", str(tmp_path / "probe.png")]) == 0
    assert len(pd.read_csv(tmp_path / "probe.csv")) == 128
    soundfile.write(sound, np.random.default_rng(0).uniform(-0.5, 0.5, 44_100), 44_100)  # resampled to 8 kHz
    assert main(["predict", str(sound), "--weights", str(run)]) == 0
    assert "sound.wav: " in capsys.readouterr().out
