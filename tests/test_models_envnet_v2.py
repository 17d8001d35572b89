"""EnvNet-v2: the paper's shapes and sizes, its probes, and what its longer filters resolve."""

import copy
import math

import pytest
import torch
from tiny import parameters_of
from torch import nn

from envnet_tutorial import probing
from envnet_tutorial.models import EnvNet, EnvNetV2, WaveformNetwork
from envnet_tutorial.settings import ENVNET_INPUT
from envnet_tutorial.shapes import conv_output_length

RATE, NUM_SAMPLES = EnvNetV2.input_format.sample_rate, EnvNetV2.input_format.num_samples
STEP = 4  # samples from one output of conv2 to the next
NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")

#: Section by section as the paper lists them: name, filters, (height, width), (vertical, horizontal) stride.
LAYERS = [
    ("feature_conv.conv1", 32, (1, 64), (1, 2)),
    ("feature_conv.conv2", 64, (1, 16), (1, 2)),
    ("feature_conv.pool2", None, (1, 64), (1, 64)),
    ("classifier.conv3", 32, (8, 8), (1, 1)),
    ("classifier.conv4", 32, (8, 8), (1, 1)),
    ("classifier.pool4", None, (5, 3), (5, 3)),
    ("classifier.conv5", 64, (1, 4), (1, 1)),
    ("classifier.conv6", 64, (1, 4), (1, 1)),
    ("classifier.pool6", None, (1, 2), (1, 2)),
    ("classifier.conv7", 128, (1, 2), (1, 1)),
    ("classifier.conv8", 128, (1, 2), (1, 1)),
    ("classifier.pool8", None, (1, 2), (1, 2)),
    ("classifier.conv9", 256, (1, 2), (1, 1)),
    ("classifier.conv10", 256, (1, 2), (1, 1)),
    ("classifier.pool10", None, (1, 2), (1, 2)),
]


@pytest.fixture(scope="module")
def network():
    """Build the 101 million parameters once; the tests of this file leave them as they are, or copy the front end."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return EnvNetV2(50).eval()


class FrontEnd(EnvNetV2):
    """EnvNet-v2 without its classifier, which is nearly all of its size."""

    def __init__(self, feature_conv: nn.Module):
        WaveformNetwork.__init__(self, 1)
        self.feature_conv = feature_conv


@pytest.fixture
def front(network):
    """Copy the front end, free to change, with batch norms that do something."""
    front = FrontEnd(copy.deepcopy(network.feature_conv))
    with torch.random.fork_rng():
        torch.manual_seed(11)
        for norm in (m for m in front.modules() if isinstance(m, nn.BatchNorm2d)):
            nn.init.uniform_(norm.running_mean, -0.1, 0.1)
            nn.init.uniform_(norm.running_var, 0.01, 0.3)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.5, 0.5)
    return front.eval()


def expected_shapes():
    """Follow the table of layers by arithmetic, the axes swapped after pool2."""
    channels, height, width = 1, 1, NUM_SAMPLES
    for name, filters, kernel, stride in LAYERS:
        channels = filters or channels
        height, width = map(conv_output_length, (height, width), kernel, stride)
        yield name, (1, channels, height, width)
        if name.endswith("pool2"):
            channels, height = height, channels


def linear_pair(network: nn.Module) -> nn.Sequential:
    """Return conv1 and conv2 with their batch norms and without their ReLUs, in float64."""
    blocks = (network.feature_conv.conv1, network.feature_conv.conv2)
    layers = [layer for block in blocks for layer in (block.module[0], block.module[1])]
    return nn.Sequential(*layers).double().eval()


def answer(network: nn.Module, waveforms: torch.Tensor) -> torch.Tensor:
    """Return what the linear pair makes of waveforms (batch, time) but for its constant part: (batch, filter, time)."""
    pair, lifted = linear_pair(network), waveforms.double()[:, None, None]
    with torch.no_grad():
        return (pair(lifted) - pair(torch.zeros_like(lifted[:1])))[:, :, 0]


def test_every_layer_has_the_shape_that_arithmetic_gives(network):
    seen, hooks = {}, []
    for name, *_ in LAYERS:
        hook = network.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, name=name: seen.update({name: tuple(output.shape)})
        )
        hooks.append(hook)
    with torch.inference_mode():
        scores = network(torch.zeros(1, 1, NUM_SAMPLES))
    for hook in hooks:
        hook.remove()
    assert seen == dict(expected_shapes())
    assert math.prod(seen["classifier.pool10"]) == 20_480 == network.classifier.fc11.module[0].in_features
    assert scores.shape == (1, 50)


def test_number_of_parameters_is_the_sum_over_the_table(network):
    convolutional, channels = 0, 1
    for name, filters, (height, width), _ in LAYERS:
        if filters:
            convolutional += filters * channels * height * width + 2 * filters  # a batch norm scales and shifts
            channels = filters
        if name.endswith("pool2"):
            channels = 1
    linear = sum(inputs * outputs + outputs for inputs, outputs in [(20_480, 4096), (4096, 4096), (4096, 50)])
    assert (convolutional, linear) == (374_848, 100_876_338)
    assert parameters_of(network) == convolutional + linear


def test_keys_follow_the_scheme_and_load_strictly(network):
    keys = []
    for name in (name for name, filters, *_ in LAYERS if filters):
        keys += [f"{name}.module.0.weight"] + [f"{name}.module.1.{part}" for part in NORM]
    for name in ("classifier.fc11", "classifier.fc12"):
        keys += [f"{name}.module.0.weight", f"{name}.module.0.bias"]
    keys += ["classifier.fc13.weight", "classifier.fc13.bias"]
    state = network.state_dict()
    assert list(state) == keys
    assert network.load_state_dict({key: state[key] for key in keys}, strict=True).unexpected_keys == []
    with pytest.raises(RuntimeError, match=r"fc13\.bias"):
        network.load_state_dict({key: state[key] for key in keys[:-1]}, strict=True)


def test_linear_weights_are_normal_with_variance_one_over_inputs(network):
    for linear in (network.classifier.fc11.module[0], network.classifier.fc12.module[0], network.classifier.fc13):
        weight = linear.weight.detach()[:50]  # at least 204,800 values: their spread is known to 0.5 %
        assert weight.std().item() == pytest.approx(math.sqrt(1 / linear.in_features), rel=0.01)
        kurtosis = ((weight - weight.mean()) ** 4).mean() / weight.var() ** 2
        assert kurtosis.item() == pytest.approx(3, abs=0.1)  # a uniform distribution has 1.8


@pytest.mark.parametrize(
    "shape",
    [(NUM_SAMPLES,), (1, NUM_SAMPLES), (1, 2, NUM_SAMPLES), (1, 1, 1, NUM_SAMPLES)],
    ids=["vector", "no channel", "stereo", "four axes"],
)
def test_wrong_input_is_refused_with_the_shape_that_is_wanted(network, shape):
    for method, fewest in ((network, "66,650"), (network.frontend, "346")):
        with pytest.raises(ValueError, match=rf"EnvNet-v2.*\(batch, 1, time\).*{fewest} samples; got \("):
            method(torch.zeros(shape))


def test_too_long_a_window_and_no_class_are_refused(network):
    with pytest.raises(ValueError, match=r"EnvNet-v2.*crop it first"):
        network(torch.zeros(1, 1, NUM_SAMPLES + 1))
    with pytest.raises(ValueError, match=r"at least 66,650 samples"):
        network(torch.zeros(1, 1, NUM_SAMPLES - 1))
    with pytest.raises(ValueError, match="num_classes"):
        EnvNetV2(0)


def test_frontend_takes_longer_sounds_frame_by_frame(front):
    waveform = torch.randn(1, 1, NUM_SAMPLES + 2 * 256, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        longer, window = front.frontend(waveform), front.frontend(waveform[..., :NUM_SAMPLES])
    assert (window.shape, longer.shape) == ((1, 64, 260), (1, 64, 262))
    torch.testing.assert_close(longer[..., :260], window)


def test_probes_fit_the_window_and_every_filter_answers(front):
    assert front.samples_for(260) == NUM_SAMPLES
    assert front.samples_for(3) == 3 * 256 + 90
    frequencies = torch.tensor([220.0, 880.0, 5000.0, 12_000.0, 21_000.0])
    matrix = probing.response_matrix(front, frequencies)
    assert matrix.shape == (64, 5)
    recorder = probing.ProbeRecorder(frequencies, every=5)
    recorder.record(0, front)
    recorder(5, front)
    assert recorder.film.shape == (2, 64, 5)
    torch.testing.assert_close(recorder.film[1], recorder.film[0])


@pytest.mark.parametrize("strides", [(1, 1), (1, 3), (2, 1), (2, 2), (3, 2)])
def test_the_pair_is_one_filter_whatever_its_strides(front, strides):
    for block, stride in zip((front.feature_conv.conv1, front.feature_conv.conv2), strides, strict=True):
        block.module[0].stride = (1, stride)
    noise = torch.randn(2, 700, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    kernels = probing.composite_kernels(front)
    assert kernels.shape == (64, 64 + 15 * strides[0])
    windows = noise.unfold(1, kernels.shape[-1], strides[0] * strides[1])  # (batch, time, taps)
    torch.testing.assert_close(windows @ kernels.T, answer(front, noise).transpose(1, 2), atol=1e-5, rtol=1e-5)


def test_frequency_response_of_a_strided_pair_agrees_with_torch_fft(front):
    kernels = probing.composite_kernels(front)
    bins = torch.fft.rfftfreq(1024, 1 / RATE).double()
    expected = torch.fft.rfft(kernels, n=1024).abs()
    torch.testing.assert_close(probing.frequency_response(kernels, bins, RATE), expected, atol=1e-9, rtol=1e-9)
    # The spread taps of conv2 hear f and 22,050 Hz - f alike: what tells the two apart is conv1 alone.
    spread = torch.zeros(1, 31, dtype=torch.float64)
    spread[0, ::2] = torch.randn(16, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    one, other = probing.frequency_response(spread, torch.tensor([3000.0, RATE / 2 - 3000.0]), RATE)[0]
    assert one.item() == pytest.approx(other.item(), rel=1e-9)


def test_tones_come_out_with_the_amplitude_of_the_frequency_response(front):
    """The outputs are 64 samples at 11,025 Hz of tones up to 22 kHz; an odd k puts them on 64 phases of the tone."""
    odd = torch.tensor([1, 7, 19, 31, 33, 45, 63, 65, 83, 101, 127])
    frequencies = odd.double() / 64 * RATE / STEP
    assert frequencies[-1] > 21_000
    time = torch.arange(front.samples_for(1), dtype=torch.float64) / RATE
    outputs = answer(front, 0.5 * torch.sin(2 * math.pi * frequencies[:, None] * time + 1.0))  # (tone, filter, time)
    assert outputs.shape[-1] == 64
    expected = 0.5 * probing.frequency_response(probing.composite_kernels(front), frequencies, RATE).T
    torch.testing.assert_close(math.sqrt(2) * outputs.square().mean(-1).sqrt(), expected, atol=1e-5, rtol=1e-4)
    shares = outputs.amax(-1) / expected
    assert shares.max() < 1 + 1e-4
    assert shares.min() > math.cos(math.pi / 64) - 1e-4


def test_a_tone_at_the_rate_of_the_outputs_stands_still(front):
    time = torch.arange(front.samples_for(1), dtype=torch.float64) / RATE
    outputs = answer(front, torch.sin(2 * math.pi * RATE / STEP * time)[None])[0]
    assert outputs.std(dim=-1).max() < 1e-9
    assert outputs.abs().max() > 1e-3


def plant(front: nn.Module, kernels: torch.Tensor, delay: int) -> None:
    """Put kernels (filter, 64) into conv1 and let conv2 delay each; batch norm keeps its identity."""
    conv1, conv2 = front.feature_conv.conv1.module[0], front.feature_conv.conv2.module[0]
    with torch.no_grad():
        conv1.weight.zero_()
        conv2.weight.zero_()
        conv1.weight[: len(kernels), 0, 0] = kernels.float()
        conv2.weight[range(32), range(32), 0, delay] = 1
    for block in (front.feature_conv.conv1, front.feature_conv.conv2):
        block.module[1].reset_parameters()
        block.module[1].reset_running_stats()


def test_planted_filters_come_out_with_their_centre_and_bandwidth(front):
    planted = torch.tensor([1000.0, 1700.0, 4000.0, 9000.0], dtype=torch.float64)
    time = torch.arange(64, dtype=torch.float64) - 31.5
    envelope = torch.exp(-0.5 * (time / 16) ** 2)
    plant(front, envelope / envelope.sum() * torch.cos(2 * math.pi * planted[:, None] * time / RATE), delay=5)
    kernels = probing.composite_kernels(front)[:4]
    assert kernels[:, :10].abs().max() == 0  # 5 taps of conv2 are 10 samples
    frequencies = probing.probe_frequencies(200, 50, 11_000, scale="linear")
    matrix = probing.response_matrix(front, frequencies, num_frames=2)[:4]
    exact = probing.frequency_response(kernels, frequencies, RATE)
    spacing = (frequencies[1] - frequencies[0]).item()
    torch.testing.assert_close(probing.centre_frequencies(matrix, frequencies), planted, atol=2 * spacing, rtol=0)
    widths = probing.bandwidths(exact, frequencies)
    # A Gaussian of 16 samples is one of rate / (2 pi 16) Hz, 2.355 of which is its width at half its height; the ends
    # that 64 taps cut off make it a little wider.
    assert widths.median().item() == pytest.approx(2.355 * RATE / (2 * math.pi * 16), rel=0.1)
    torch.testing.assert_close(probing.bandwidths(matrix, frequencies), widths, atol=spacing, rtol=0)


def power_between(taps: int, rate: int, tones: tuple[float, float]) -> float:
    """Let filters of some length listen to two tones at once: power halfway between them over power at the lower."""
    time = torch.arange(rate, dtype=torch.float64) / rate
    sound = sum(torch.sin(2 * math.pi * tone * time) for tone in tones)
    places = torch.tensor([tones[0], sum(tones) / 2], dtype=torch.float64)
    angle = 2 * math.pi * places[:, None] * time[:taps]
    filters = torch.polar(torch.ones_like(angle), angle)  # the longest memory that these taps allow
    lower, middle = (sound.unfold(0, taps, 5).to(filters.dtype) @ filters.T).abs().square().mean(dim=0)
    return (middle / lower).item()


def test_two_tones_700_hz_apart_are_two_for_v2_and_one_for_envnet(front):
    short = probing.composite_kernels(EnvNet(1)).shape[-1], ENVNET_INPUT.sample_rate
    first, both = front.feature_conv.conv1.module[0].kernel_size[-1], probing.composite_kernels(front).shape[-1]
    assert (short, first, both) == ((15, 16_000), 64, 94)
    tones = (3000.0, 3700.0)
    assert power_between(*short, tones) > 1.1  # one hump over both tones: 16,000 / 15 Hz = 1,067 Hz
    assert power_between(first, RATE, tones) < 0.9  # 689 Hz
    assert power_between(both, RATE, tones) < 0.25  # 469 Hz
