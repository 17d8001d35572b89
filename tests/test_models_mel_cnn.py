"""The mel CNNs: the picture is the spectrogram of lesson 1, the classifier is EnvNet's, the filters are mel's."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from tiny import losses_while_learning, parameters_of, with_small_head
from torch import nn

from envnet_tutorial import costs, probing
from envnet_tutorial.audio.spectrograms import hz_to_mel, log_mel, log_mel_frames
from envnet_tutorial.models import NETWORKS, EnvNet, MelCNN, MelFixedFilters, MelStart
from envnet_tutorial.models.mel_cnn import BANDS, Decibels, PairPower, mel_pairs
from envnet_tutorial.settings import ENVNET_INPUT
from envnet_tutorial.shapes import walk

pytestmark = pytest.mark.usefixtures("one_thread")

FAMILY = {"mel-cnn": MelCNN, "mel-start": MelStart, "mel-fixed-filters": MelFixedFilters}
RATE, NUM_SAMPLES = ENVNET_INPUT.sample_rate, ENVNET_INPUT.num_samples
EPS = 1e-5  # of a batch norm that has seen nothing


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=FAMILY)
def network(request):
    return with_small_head(FAMILY[request.param], 3).eval()


def test_the_picture_is_the_spectrogram_of_lesson_1():
    network, sound = with_small_head(MelCNN, 3).eval(), 0.1 * noise(3, 1, NUM_SAMPLES)
    expected = log_mel(sound[:, 0], RATE) / math.sqrt(1 + EPS)
    torch.testing.assert_close(network.window_features(sound), expected)
    # Without zeros around it, a sound has the frames that lie within it: the first begins 120 samples later.
    inside = network.frontend(sound[..., 40:])
    torch.testing.assert_close(inside, expected[..., 1:149])


def test_the_picture_is_torchaudios_under_its_own_decibels(torchaudio):
    sound = 0.1 * noise(1, 8_000)
    mel = torchaudio.transforms.MelSpectrogram(RATE, n_fft=512, win_length=400, hop_length=160, n_mels=40, center=True)
    expected = torchaudio.functional.amplitude_to_DB(mel(sound), 10.0, 1e-10, 0.0) - 10 * math.log10(100**2)
    found = log_mel_frames(sound, RATE, hop=160, window=400)  # the first frame is centred on sample 200
    assert found.shape == (1, 40, 48)
    shifted = log_mel_frames(sound[:, 120:], RATE, hop=160, window=400)  # on sample 320, as torchaudio's third
    torch.testing.assert_close(shifted, expected[..., 2 : 2 + shifted.shape[-1]], atol=1e-3, rtol=1e-4)


def test_all_else_is_envnets(network):
    assert type(network).input_format == ENVNET_INPUT and network.hop == EnvNet.hop
    assert network.window_features(torch.zeros(1, 1, NUM_SAMPLES)).shape == (1, 40, 150)
    with torch.device("meta"):
        here, envnet = type(network)(50), EnvNet(50)
    assert repr(here.classifier) == repr(envnet.classifier)
    for length in (NUM_SAMPLES - 1, NUM_SAMPLES + 1):
        with pytest.raises(ValueError, match="24,014 samples"):
            network(torch.zeros(1, 1, length))


def test_a_seed_starts_the_same_classifier():
    weights = []
    for kind in (EnvNet, MelStart):
        torch.manual_seed(3)
        classifier = kind(2).classifier
        weights.append([classifier.conv3.module[0].weight, classifier.fc5.module[0].bias, classifier.fc7.weight])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


@pytest.mark.parametrize(
    ("name", "front", "learned"), [("mel-cnn", 0, 0), ("mel-start", 32_000, 32_000), ("mel-fixed-filters", 32_000, 0)]
)
def test_number_of_parameters(name, front, learned):
    with torch.device("meta"):
        network = NETWORKS[name](50)
    assert type(network) is FAMILY[name]
    envnet = 48_560_638 - 13_280  # without conv1, conv2 and their batch norms
    assert sum(p.numel() for p in network.parameters()) == envnet + front
    assert parameters_of(network) == envnet + learned
    assert front in (0, 2 * 40 * 400)


def test_pairs_have_unit_energy_and_mels_centres_and_widths(torchaudio):
    pairs = mel_pairs(BANDS, 400, RATE)
    torch.testing.assert_close(pairs.square().sum(dim=(1, 2)), torch.ones(BANDS, dtype=torch.float64))
    analytic = torch.complex(pairs[:, 0], pairs[:, 1])
    power = torch.fft.fft(analytic, n=16_000).abs().square()[:, :8_000]  # a bin is 1 Hz
    corners = torch.linspace(0, hz_to_mel(8_000).item(), BANDS + 2, dtype=torch.float64)
    found = hz_to_mel(power.argmax(dim=1).double())
    torch.testing.assert_close(found, corners[1:-1], atol=2.0, rtol=0)  # mel
    triangles = torchaudio.functional.melscale_fbanks(8_001, 0.0, 8_000.0, BANDS, RATE).T  # (band, Hz)
    widths = [(rows >= rows.amax(dim=1, keepdim=True) / 2).sum(dim=1) for rows in (power, triangles)]
    # A Hann window of 25 ms is 1.44 / 25 ms = 58 Hz wide, and widths of bells that are multiplied add up as squares.
    expected = torch.hypot(widths[1].double(), torch.tensor(57.6))
    torch.testing.assert_close(widths[0][:-1].double(), expected[:-1].double(), rtol=0.07, atol=0)


def test_fixed_filters_paint_the_picture_of_the_spectrogram():
    levels = 6 * torch.sin(2 * torch.pi * 3 * torch.arange(NUM_SAMPLES) / RATE)  # dB, three times a second
    sound = 0.1 * 10 ** (levels / 20) * noise(4, 1, NUM_SAMPLES)
    pictures = [with_small_head(kind, 2).eval().window_features(sound) for kind in (MelCNN, MelFixedFilters)]
    for band in range(BANDS):
        both = torch.stack([picture[:, band].flatten() for picture in pictures])
        assert torch.corrcoef(both)[0, 1] > 0.95, band
    unlike = torch.stack([pictures[0][:, 3].flatten(), pictures[1][:, 30].flatten()])
    assert torch.corrcoef(unlike)[0, 1] < 0.8  # they share the level, and nothing else


def test_white_noise_has_the_same_level_in_all_bands_and_silence_the_floor():
    picture = with_small_head(MelStart, 2).eval().window_features(noise(20, 1, NUM_SAMPLES)) * math.sqrt(1 + EPS)
    power = (10 ** (picture / 10)).mean(dim=(0, 2))
    torch.testing.assert_close(power, torch.ones(BANDS), rtol=0.15, atol=0)
    silence = with_small_head(MelStart, 2).eval().window_features(torch.zeros(1, 1, NUM_SAMPLES))
    torch.testing.assert_close(silence, torch.full_like(silence, -100 / math.sqrt(1 + EPS)))


def test_small_layers_by_hand():
    x = torch.tensor([3.0, 4.0, 1.0, 2.0]).reshape(1, 4, 1, 1)
    assert PairPower()(x).flatten().tolist() == [25.0, 5.0]
    assert Decibels()(torch.tensor([1.0, 0.01, 0.0])).tolist() == pytest.approx([0, -20, -100])


def test_every_layer_has_a_price_and_only_what_learns_goes_back():
    tables = {name: costs.training_passes(partial(with_small_head, kind)) for name, kind in FAMILY.items()}
    for name, table in tables.items():
        before = table[table["layer"].isin(["log_mel", "filters", "power", "pool", "level", "norm"])]
        assert set(before["pass"]) == (
            {"forward", "input gradient", "weight gradient", "optimiser"} if name == "mel-start" else {"forward"}
        )
    filters = tables["mel-start"][tables["mel-start"]["layer"] == "filters"]
    assert filters["operations"].tolist() == [2 * 80 * 3_000 * 400] * 2 + [0]
    assert filters["weights"].tolist() == [32_000, 32_000, 5 * 32_000]
    # conv3 needs no gradient of a picture that nothing before it learns from.
    for name, passes in (("mel-cnn", 2), ("mel-fixed-filters", 2), ("mel-start", 3)):
        conv3 = tables[name][(tables[name]["layer"] == "conv3") & (tables[name]["kind"] == "conv")]
        assert len(conv3[conv3["pass"] != "optimiser"]) == passes
    (spectrogram,) = tables["mel-cnn"][tables["mel-cnn"]["layer"] == "log_mel"].to_dict("records")
    # Window; 2.5 n log2 n of a real transform of 512; squares and their sum; 40 triangles over 257 bins.
    assert spectrogram["operations"] == 150 * (400 + 2.5 * 512 * 9 + 3 * 257 + 2 * 257 * 40)
    assert spectrogram["elements"] == NUM_SAMPLES + 240 + 40 * 150


@pytest.mark.parametrize("name", FAMILY)
def test_it_learns_and_only_filters_that_may_change_do(name):
    torch.manual_seed(0)
    network = with_small_head(FAMILY[name], 2)
    before = [parameter.clone() for parameter in network.feature_conv.parameters()]
    losses = losses_while_learning(network, clips=4, steps=6, learning_rate=0.01)
    assert losses[-1] < 0.2 * losses[0]
    changed = [not torch.equal(a, b) for a, b in zip(before, network.feature_conv.parameters(), strict=True)]
    assert changed == {"mel-cnn": [], "mel-start": [True], "mel-fixed-filters": [False]}[name]


def test_probes_find_the_mel_diagonal(network):
    frequencies = probing.probe_frequencies(60, 50, 7_900)
    matrix = probing.response_matrix(network, frequencies, num_phases=1, num_frames=3)
    assert probing.diagonality(10 ** (matrix / 10), frequencies) > 0.97
    centres = probing.centre_frequencies(matrix, frequencies).numpy()
    assert (np.diff(centres) >= 0).all()
    with pytest.raises(ValueError, match="cannot be merged"):
        probing.composite_kernels(network)


def test_walking_through_it_on_the_meta_device_changes_nothing():
    network, sound = with_small_head(MelCNN, 2).eval(), noise(1, 1, NUM_SAMPLES)
    before = network(sound)
    assert isinstance(network.feature_conv.norm, nn.BatchNorm2d)
    walk(network, (1, 1, NUM_SAMPLES))
    assert torch.equal(network(sound), before)
