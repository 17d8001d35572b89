"""WaveMsNet: the shapes and sizes of the authors' code, and its three scales against their plain form."""

from functools import partial

import numpy as np
import pytest
import soundfile
import torch
from tiny import losses_while_learning, output_shapes, parameters_of, with_small_head, write_set
from torch import nn
from torch.nn import functional

from envnet_tutorial import costs, probing
from envnet_tutorial.__main__ import main
from envnet_tutorial.datasets import load_clips
from envnet_tutorial.models import NETWORKS, WaveMsNet

pytestmark = pytest.mark.usefixtures("one_thread")

WINDOW = 66_150
SCALES = {"short": (11, 1, 150), "middle": (51, 5, 30), "long": (101, 10, 15)}  # taps, stride, pool
SMALL = partial(with_small_head, WaveMsNet)


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return WaveMsNet(50).eval()


def test_every_layer_has_the_shape_that_the_authors_code_notes(network):
    expected = {f"feature_conv.{scale}": (1, 32, 1, 441) for scale in SCALES}
    expected |= {
        "feature_conv": (1, 1, 96, 441),
        "classifier.conv3": (1, 64, 96, 441),
        "classifier.pool3": (1, 64, 32, 40),
        "classifier.pool4": (1, 128, 16, 20),
        "classifier.pool5": (1, 256, 8, 10),
        "classifier.pool6": (1, 256, 4, 5),
        "classifier.flatten": (1, 5_120),
        "classifier.fc7": (1, 4_096),
        "classifier.fc8": (1, 50),
    }
    assert output_shapes(network, expected, torch.zeros(1, 1, WINDOW)) == expected
    assert NETWORKS["wavemsnet"] is WaveMsNet
    assert (network.input_format.sample_rate, network.input_format.num_samples) == (44_100, WINDOW)


def test_number_of_parameters_by_hand(network):
    front = sum(32 * taps + 32 * 32 * 11 + 2 * 64 for taps, _, _ in SCALES.values())
    body = sum(9 * a * b + 2 * b for a, b in [(1, 64), (64, 128), (128, 256), (256, 256)])
    head = 5_120 * 4_096 + 4_096 + 4_096 * 50 + 50
    assert (front, body, head) == (39_392, 960_448, 21_180_466)
    assert parameters_of(network) == front + body + head == 22_180_306
    biases = sum(module.out_channels for module in network.modules() if isinstance(module, nn.Conv2d))
    assert biases == 896  # those of the authors' convolutions


def plain(branch, waveform, taps, stride, pool):
    """Compute a scale as the authors write it: padded convolutions along one axis."""
    for block, padding in ((branch.conv1, (taps - 1) // 2), (branch.conv2, 5)):
        conv, norm, _ = block.module
        step = stride if block is branch.conv1 else 1
        waveform = functional.conv1d(waveform, conv.weight[:, :, 0], stride=step, padding=padding)
        waveform = (waveform - norm.running_mean[:, None]) / (norm.running_var[:, None] + norm.eps).sqrt()
        waveform = (waveform * norm.weight[:, None] + norm.bias[:, None]).clamp(min=0)
    return functional.max_pool1d(waveform, pool)


def test_frames_stand_where_the_authors_padding_puts_them(network):
    """All but the first and the last frame are theirs; those two hear zeros of another kind."""
    waveform = torch.randn(1, 1, 3_000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = network.window_features(waveform)
        rows = [plain(network.feature_conv.get_submodule(name), waveform, *SCALES[name]) for name in SCALES]
    expected = torch.cat(rows, dim=1)
    assert found.shape == expected.shape == (1, 96, 20)
    torch.testing.assert_close(found[..., 1:-1], expected[..., 1:-1])
    with torch.no_grad():  # and without zeros around it, a sound's frames are the same, from 100 samples later
        torch.testing.assert_close(network.frontend(waveform[..., 50:])[..., 1:15], found[..., 2:16])


def test_each_scale_sees_as_many_samples_as_its_filters_say(network):
    fields = {name: network.feature_conv.get_submodule(name).receptive_field for name in SCALES}
    # A pool's last place, the second layer's last tap and the first layer's last tap, each as far as its step carries.
    expected = {name: (pool - 1) * stride + 10 * stride + taps for name, (taps, stride, pool) in SCALES.items()}
    assert fields == expected == {"short": 170, "middle": 246, "long": 341}
    waveform = torch.randn(32, 1, 341, generator=torch.Generator().manual_seed(0)).requires_grad_()
    features = network.frontend(waveform)
    for number, (name, field) in enumerate(fields.items()):
        rows = features[:, 32 * number : 32 * number + 32].sum()
        (gradient,) = torch.autograd.grad(rows, waveform, retain_graph=True)
        heard = (gradient != 0).any(dim=0)[0].nonzero().flatten()
        start = network.feature_conv.long.reach - network.feature_conv.get_submodule(name).reach
        assert start <= heard.min() and heard.max() < start + field
        assert heard.max() - heard.min() > 0.9 * field


def test_only_windows_of_its_length_are_classified(network):
    for length in (WINDOW - 1, WINDOW + 1):
        with pytest.raises(ValueError, match="66,150 samples"):
            network(torch.zeros(1, 1, length))


def test_every_layer_has_a_price():
    passes = costs.training_passes(SMALL)
    convolutions = passes[passes["kind"] == "conv"]
    by_hand = []
    for taps, stride, pool in SCALES.values():
        places = [(WINDOW + 191 - 341) // 150 * 150 // stride + pool + 10, 441 * pool]
        by_hand += [2 * 32 * places[0] * taps, 2 * 32 * places[1] * 32 * 11]
    sizes = [(1, 64, 96 * 441), (64, 128, 32 * 40), (128, 256, 16 * 20), (256, 256, 8 * 10)]
    by_hand += [2 * 9 * a * b * places for a, b, places in sizes]
    assert convolutions[convolutions["pass"] == "forward"]["operations"].tolist() == by_hand
    # The waveform needs no gradient, at none of the three scales.
    assert (convolutions["pass"] == "input gradient").sum() == len(by_hand) - 3


def test_it_learns():
    torch.manual_seed(0)
    losses = losses_while_learning(SMALL(2), clips=2, steps=5, learning_rate=0.003)
    assert losses[-1] < 0.2 * losses[0]


def test_its_filters_are_probed_and_not_merged(network):
    assert probing.response_matrix(network, torch.tensor([300.0, 9_000.0]), num_frames=3).shape == (96, 2)
    with pytest.raises(ValueError, match="cannot be merged"):
        probing.composite_kernels(network)


def test_predict_and_loaders_resample_to_44_100_hz(network, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    clips = load_clips(str(write_set(tmp_path / "data")), sample_rate=WaveMsNet.input_format.sample_rate)
    assert clips.sample_rate == 44_100 and clips.samples.shape == (24, 5 * 44_100)  # of 5 s, as those of ESC-50
    monkeypatch.setitem(NETWORKS, "wavemsnet", SMALL)
    torch.save(SMALL(2).state_dict(), tmp_path / "weights.pt")
    soundfile.write(tmp_path / "sound.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 8_000), 8_000)
    told = ["--weights", str(tmp_path / "weights.pt"), "--network", "wavemsnet"]
    assert main(["predict", str(tmp_path / "sound.wav"), *told]) == 0
    assert "sound.wav: class" in capsys.readouterr().out
