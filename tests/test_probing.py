"""Probes against equations, the FFT and planted filters (lesson 5)."""

import math
import time

import pytest
import torch
from torch import nn

from envnet_tutorial import probing
from envnet_tutorial.models import ConvBlock, EnvNet, PooledNormEnvNet
from envnet_tutorial.probing.responses import probe_length
from envnet_tutorial.settings import ENVNET_INPUT, InputFormat

RATE = ENVNET_INPUT.sample_rate


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = EnvNet(10)
        for norm in (m for m in network.feature_conv.modules() if isinstance(m, nn.BatchNorm2d)):
            nn.init.uniform_(norm.running_mean, -0.1, 0.1)
            nn.init.uniform_(norm.running_var, 0.01, 0.3)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
    return network


def plant(network: EnvNet, kernels: torch.Tensor) -> None:
    """Put kernels into conv1 and let conv2 pass each channel on unchanged; batch norm keeps its identity."""
    with torch.no_grad():
        conv1, conv2 = network.feature_conv.conv1.module[0], network.feature_conv.conv2.module[0]
        conv1.weight.zero_()
        conv2.weight.zero_()
        conv1.weight[: len(kernels), 0, 0] = kernels.float()
        conv2.weight[:, :, 0, 0] = torch.eye(40)
        for block in (network.feature_conv.conv1, network.feature_conv.conv2):
            block.module[1].reset_parameters()
            block.module[1].reset_running_stats()


def gabor(frequency: float, phase: float = 0.0) -> torch.Tensor:
    time = torch.arange(8, dtype=torch.float64) - 3.5
    envelope = torch.exp(-0.5 * (time / 2) ** 2)
    return envelope * torch.cos(2 * math.pi * frequency * time / RATE + phase)


@pytest.mark.parametrize("scale", ["mel", "log", "linear"])
def test_frequencies_reach_both_ends_and_rise(scale):
    frequencies = probing.probe_frequencies(64, 50, 7900, scale=scale)
    assert len(frequencies) == 64
    torch.testing.assert_close(frequencies[[0, -1]], torch.tensor([50.0, 7900.0], dtype=torch.float64))
    assert (frequencies.diff() > 0).all()


def test_mel_scale_agrees_with_torchaudio():
    from torchaudio.functional import melscale_fbanks

    bank = melscale_fbanks(8001, 0.0, 8000.0, 6, 16_000)  # triangles of 1 Hz resolution
    edges = probing.probe_frequencies(8, 0, 8000)
    peaks = bank.argmax(dim=0).double()
    torch.testing.assert_close(peaks, edges[1:-1], atol=1.0, rtol=0)


@pytest.mark.parametrize(
    ("arguments", "scale"), [((1, 10, 20), "mel"), ((8, 20, 10), "mel"), ((8, 0, 20), "log"), ((8, 1, 20), "bark")]
)
def test_impossible_frequencies_are_refused(arguments, scale):
    with pytest.raises(ValueError, match=r"scale|space"):
        probing.probe_frequencies(*arguments, scale=scale)


def test_tones_follow_the_equation_and_alias_above_half_the_rate():
    tones = probing.sine_probes(torch.tensor([1000.0, 9000.0, 7000.0]), 32, RATE, amplitude=0.25, num_phases=4)
    assert tones.shape == (3, 4, 32)
    assert tones[0, 0, 4] == pytest.approx(0.25 * math.sin(2 * math.pi * 1000 * 4 / RATE), abs=1e-6)
    assert tones[0, 1, 0] == pytest.approx(0.25, abs=1e-6)
    # sin(2 pi 9000 n / 16000) = -sin(2 pi 7000 n / 16000): the samples cannot tell the two apart
    torch.testing.assert_close(tones[1, 0], -tones[2, 0], atol=1e-5, rtol=0)


def test_short_probes_equal_long_ones_where_the_period_divides_a_frame(network):
    frequencies = torch.tensor([100.0, 800.0, 3000.0, 7900.0])
    short = probing.response_matrix(network, frequencies, num_frames=3)
    network.eval()
    tones = probing.sine_probes(frequencies, ENVNET_INPUT.num_samples, RATE, amplitude=0.5, num_phases=4)
    with torch.no_grad():
        maps = network.frontend(tones.flatten(0, 1).unsqueeze(1))  # (tone, filter, 150)
    assert maps.shape[-1] == 150
    torch.testing.assert_close(short, maps.mean(-1).unflatten(0, (4, 4)).mean(1).T, atol=1e-5, rtol=1e-4)


def test_probe_length_is_the_shortest_that_gives_the_frames(network):
    length = probe_length(network.feature_conv, 3)
    assert length == 3 * 160 + 14
    assert network.eval().feature_conv(torch.zeros(1, 1, 1, length)).shape[-1] == 3
    assert network.feature_conv(torch.zeros(1, 1, 1, length - 1)).shape[-1] == 2


def test_probing_leaves_the_network_as_it_was(network):
    network.train()
    network.feature_conv.conv1.eval()
    modes = [m.training for m in network.modules()]
    state = {key: value.clone() for key, value in network.state_dict().items()}
    random_state = torch.get_rng_state()
    probing.response_matrix(network, torch.tensor([440.0, 880.0]))
    assert [m.training for m in network.modules()] == modes
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in network.parameters())
    assert torch.equal(torch.get_rng_state(), random_state)


def test_linear_network_agrees_with_its_frequency_response(network):
    linear = nn.Sequential(
        *(
            nn.Sequential(block.module[0], block.module[1])
            for block in (network.feature_conv.conv1, network.feature_conv.conv2)
        )
    ).eval()
    frequencies = probing.probe_frequencies(24, 50, 7900)
    amplitude, tones = 0.5, probing.sine_probes(frequencies, 814, RATE, amplitude=0.5, num_phases=1)
    with torch.no_grad():
        linear, tones = linear.double(), tones.double()
        outputs = linear(tones[:, :, None])[:, :, 0] - linear(torch.zeros_like(tones[:1, :, None]))[:, :, 0]
    time = torch.arange(outputs.shape[-1], dtype=torch.float64) / RATE
    angle = 2 * math.pi * frequencies[:, None] * time
    basis = torch.stack([angle.sin(), angle.cos()], dim=-1)  # (frequency, time, 2)
    fit = torch.linalg.lstsq(basis, outputs.transpose(1, 2)).solution  # (frequency, 2, filter)
    measured = fit.norm(dim=1).T / amplitude
    expected = probing.frequency_response(probing.composite_kernels(network), frequencies, RATE)
    torch.testing.assert_close(measured, expected, atol=1e-4, rtol=1e-4)


def test_frequency_response_agrees_with_torch_fft(network):
    kernels = probing.first_kernels(network)
    bins = torch.fft.rfftfreq(512, 1 / RATE).double()
    expected = torch.fft.rfft(kernels, n=512).abs()
    torch.testing.assert_close(probing.frequency_response(kernels, bins, RATE), expected, atol=1e-9, rtol=1e-9)


def test_planted_filters_come_out_where_they_were_planted(network):
    planted = torch.tensor([2500.0, 4000.0, 5500.0, 6500.0])  # 8 taps are too short for much lower bands
    plant(network, torch.stack([gabor(f) for f in planted]))
    frequencies = probing.probe_frequencies(200, 50, 7950, scale="linear")
    matrix = probing.response_matrix(network, frequencies, num_phases=8)[: len(planted)]
    found = probing.centre_frequencies(matrix, frequencies)
    exact = probing.frequency_response(probing.first_kernels(network)[: len(planted)], frequencies, RATE)
    # ReLU and max add harmonics, so a tenth of the band is the tolerance; the FFT gives the place itself.
    torch.testing.assert_close(found, frequencies[exact.argmax(dim=1)], atol=200, rtol=0)
    torch.testing.assert_close(found, planted.double(), atol=500, rtol=0)


def test_delays_constants_and_zeros_have_no_centre_of_their_own(network):
    delay, constant, zero = torch.zeros(8), torch.full((8,), 1 / 8), torch.zeros(8)
    delay[3] = 1
    plant(network, torch.stack([delay, constant, zero]))
    # frequencies whose period is a whole number of samples in a frame reach the same maximum
    frequencies = torch.tensor([100.0, 500.0, 1000.0, 2000.0])
    matrix = probing.response_matrix(network, frequencies, num_phases=1)[:3]
    torch.testing.assert_close(matrix[0], torch.full((4,), 0.5), atol=1e-4, rtol=0)  # a delay passes all alike
    assert probing.centre_frequencies(matrix, frequencies)[1] == 100.0  # the mean is a low-pass filter
    assert math.isnan(probing.centre_frequencies(matrix, frequencies)[2])
    assert probing.sort_by_centre(matrix, frequencies)[-1] == 2


def test_responses_are_not_proportional_to_amplitude(network):
    frequencies = torch.tensor([500.0, 3000.0])
    quiet = probing.response_matrix(network, frequencies, amplitude=0.1)
    loud = probing.response_matrix(network, frequencies, amplitude=1.0)
    assert not torch.allclose(loud, 10 * quiet, rtol=0.05)


def test_levels_are_probes_of_their_own(network):
    frequencies = probing.probe_frequencies(4, 100, 7000)
    levels = probing.response_levels(network, frequencies, [0.01, 0.5], num_frames=3)
    assert levels.shape == (2, 40, 4)
    for level, amplitude in zip(levels, (0.01, 0.5), strict=True):
        alone = probing.response_matrix(network, frequencies, amplitude=amplitude, num_frames=3)
        torch.testing.assert_close(level, alone)
    assert not torch.equal(levels[0], levels[1])


def test_sorting_is_stable_and_leaves_ties_in_order():
    frequencies = torch.tensor([1.0, 2.0, 3.0])
    matrix = torch.tensor([[0, 0, 1.0], [1.0, 0, 0], [0, 0, 2.0], [3.0, 0, 0], [1, 1, 1]])
    assert probing.sort_by_centre(matrix, frequencies).tolist() == [1, 3, 0, 2, 4]


def test_bandwidth_of_a_triangle_is_half_of_its_base():
    frequencies = torch.linspace(0, 1000, 1001)
    triangle = (1 - (frequencies - 500).abs() / 200).clamp(min=0)
    assert probing.bandwidths(triangle[None], frequencies)[0] == pytest.approx(200, abs=1e-6)
    assert math.isnan(probing.bandwidths(torch.ones(1, 1001), frequencies)[0])


def test_diagonality_of_known_matrices():
    frequencies = torch.linspace(100, 8000, 80)
    narrow = torch.eye(80)[::2]
    assert (
        probing.diagonality(narrow[torch.randperm(40, generator=torch.Generator().manual_seed(1))], frequencies) > 0.99
    )
    assert probing.diagonality(torch.ones(40, 80), frequencies) == 0
    noise = torch.rand(40, 80, generator=torch.Generator().manual_seed(2))
    assert 0 < probing.diagonality(noise, frequencies) < 0.15  # sorting alone makes a little
    same = torch.zeros(40, 80)
    same[:, 30] = 1
    assert probing.diagonality(same, frequencies) == pytest.approx(0, abs=1e-9)


def test_mel_fit_prefers_a_mel_filter_bank():
    centres = probing.probe_frequencies(42, 0, 8000)[1:-1]
    assert probing.mel_fit(centres, 0, 8000) == pytest.approx(1)
    linear = probing.probe_frequencies(42, 0, 8000, scale="linear")[1:-1]
    assert probing.mel_fit(linear, 0, 8000) < 0.8
    assert probing.mel_fit(torch.full((40,), 1000.0), 0, 8000) == float("-inf")


def test_recorder_probes_every_so_many_steps(network):
    recorder = probing.ProbeRecorder(probing.probe_frequencies(16, 50, 7900), every=3)
    recorder.record(0, network)
    for step in range(1, 8):
        recorder(step, network)
    assert recorder.steps == [0, 3, 6]
    assert recorder.film.shape == (3, 40, 16)
    torch.testing.assert_close(recorder.film[0], recorder.film[2])


def test_networks_of_other_rates_and_strides_can_be_probed():
    class Strided(nn.Module):
        input_format = InputFormat(44_100, 66_650)

        def __init__(self):
            super().__init__()
            self.feature_conv = nn.Sequential(ConvBlock(1, 6, (1, 64), stride=(1, 2)), nn.MaxPool2d((1, 64)))

        def frontend(self, waveform):
            return self.feature_conv(waveform.unsqueeze(2)).squeeze(2)

    class Transposed(Strided):
        def __init__(self):
            super().__init__()
            from envnet_tutorial.models import Transpose

            self.feature_conv.append(Transpose(1, 2))

    matrix = probing.response_matrix(Transposed(), torch.tensor([440.0, 880.0, 12_000.0]))
    assert matrix.shape == (6, 3)


def test_networks_without_a_front_end_are_refused():
    with pytest.raises(ValueError, match="feature_conv"):
        probing.response_matrix(nn.Linear(3, 2), torch.tensor([440.0]))


def test_peak_widths_are_those_of_planted_peaks():
    frequencies = torch.linspace(0, 1000, 101, dtype=torch.float64)
    triangle = (1 - (frequencies - 300).abs() / 80).clamp(min=0)  # half height 40 Hz to each side
    with_second = triangle + 0.8 * (1 - (frequencies - 700).abs() / 80).clamp(min=0)
    at_edge = (1 - frequencies / 80).clamp(min=0)
    flat = torch.ones_like(frequencies)
    widths = probing.peak_widths(torch.stack([triangle, with_second, at_edge, flat]), frequencies)
    torch.testing.assert_close(widths[:3], torch.tensor([80.0, 80.0, 40.0], dtype=torch.float64))
    assert widths[3].isnan()
    assert probing.bandwidths(with_second[None], frequencies) > 1.5 * widths[1]  # which counts the second peak too


def test_selectivity_of_a_single_tone_is_one_and_of_boxcars_what_they_leave_out():
    frequencies = torch.linspace(0, 1000, 101)
    boxcar = torch.zeros(3, 101)
    boxcar[0, 20:31], boxcar[1, :51], boxcar[2, 1:] = 1, 1, 1
    # each tone stands for 10 Hz, the two ends for 5 Hz; the first tone of a boxcar is its peak and is left out
    expected = torch.tensor([1 - 100 / 990, 1 - 500 / 995, 5 / 990], dtype=torch.float64)
    torch.testing.assert_close(probing.selectivity(boxcar, frequencies), expected, atol=1e-6, rtol=0)
    assert (probing.selectivity(torch.eye(101) + 3, frequencies) == 1).all()
    assert probing.selectivity(torch.full((2, 101), 4.0), frequencies).isnan().all()


def test_selectivity_does_not_depend_on_the_spacing_of_the_tones():
    found = []
    for scale in ("linear", "mel"):
        frequencies = probing.probe_frequencies(600, 0, 8000, scale=scale)
        bump = torch.exp(-0.5 * ((frequencies - 3000) / 400) ** 2)
        found.append(float(probing.selectivity(bump[None], frequencies)[0]))
    assert found[0] == pytest.approx(found[1], abs=2e-3)
    assert found[0] == pytest.approx(1 - 400 * math.sqrt(2 * math.pi) / 8000, abs=2e-3)  # area of the bell


def test_coverage_counts_the_filters_that_answer():
    frequencies = torch.arange(6.0)
    matrix = torch.tensor([[0, 1, 1, 0, 0, 0], [0, 0, 2, 1, 0.9, 0], [5, 5, 5, 5, 5, 5]])
    assert probing.coverage(matrix, frequencies).tolist() == [0, 1, 2, 1, 0, 0]
    with pytest.raises(ValueError, match="columns"):
        probing.coverage(matrix, frequencies[1:])


def test_mel_bank_is_triangles_at_equal_mel_steps():
    frequencies = probing.probe_frequencies(997, 0, RATE / 2, scale="linear")
    bank = probing.mel_bank(40, frequencies, RATE)
    corners = probing.probe_frequencies(42, 0, RATE / 2)  # in Hz
    left, peak, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    triangles = torch.minimum((frequencies - left) / (peak - left), (right - frequencies) / (right - peak)).clamp(min=0)
    torch.testing.assert_close(bank, triangles, atol=2e-3, rtol=0)
    with pytest.raises(ValueError, match="outside"):
        probing.mel_bank(40, torch.tensor([8001.0]), RATE)


def test_the_measures_know_a_mel_bank():
    frequencies = probing.probe_frequencies(512, 0, RATE / 2)
    bank = probing.mel_bank(40, frequencies, RATE)
    centres, step = probing.centre_frequencies(bank, frequencies), float(probing.hz_to_mel(RATE / 2)) / 41
    expected = step * torch.arange(1, 41, dtype=torch.float64)
    grid = float(probing.hz_to_mel(RATE / 2)) / 511
    torch.testing.assert_close(probing.hz_to_mel(centres), expected, atol=grid, rtol=0)
    assert probing.diagonality(bank, frequencies) > 0.998
    assert probing.mel_fit(centres, 0, RATE / 2) > 0.999
    assert probing.selectivity(bank, frequencies).min() > 0.9
    assert probing.coverage(bank, frequencies)[15:-15].unique().tolist() == [1, 2]  # neighbours meet at one half


def least_processor_seconds(work, repeats: int = 2) -> float:
    """Time work on one core by the processor's clock, which other programs disturb least."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    seconds = []
    try:
        for _ in range(repeats):
            start = time.process_time()
            work()
            seconds.append(time.process_time() - start)
    finally:
        torch.set_num_threads(threads)
    return min(seconds)


@pytest.mark.parametrize("kind", [EnvNet, PooledNormEnvNet])
def test_512_tones_take_less_than_two_seconds_on_two_cores(kind):
    network, frequencies = kind(2), probing.probe_frequencies(512, 50, 7900)
    assert least_processor_seconds(lambda: probing.response_matrix(network, frequencies), repeats=1) < 2 * 2.0


@pytest.mark.parametrize("kind", [EnvNet, PooledNormEnvNet])
def test_recording_every_tenth_step_costs_less_than_a_tenth_of_the_steps(kind):
    network = kind(10)
    recorder = probing.ProbeRecorder(probing.probe_frequencies(96, 50, 7900))
    windows, labels = torch.randn(8, 1, ENVNET_INPUT.num_samples), torch.arange(8)

    def learn():
        nn.functional.cross_entropy(network(windows), labels).backward()

    # A step on 64 windows takes no less than one on 8, and its optimiser comes on top: the true share is smaller.
    assert least_processor_seconds(lambda: recorder.record(0, network)) < least_processor_seconds(learn)
