"""The variant that normalises after pooling, and the reordered EnvNet, against autograd of what they stand for."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from envnet_tutorial.models import EnvNet, LinearBlock, pooled_norm
from envnet_tutorial.models.folding import window_moments
from envnet_tutorial.models.pooled_norm import PooledNormEnvNet
from envnet_tutorial.models.reordered import ReorderedEnvNet
from envnet_tutorial.settings import ENVNET_INPUT


def plain_variant(features):
    """Write the variant as its definition reads: conv1, norm, ReLU, conv2, pool, norm, ReLU, all under autograd."""

    def forward(x):
        conv1, norm1, _ = features.conv1.module
        conv2, norm2, _ = features.conv2.module
        pooled = functional.max_pool2d(conv2(norm1(conv1(x)).relu()), features.pool2.kernel_size)
        return norm2(pooled).relu().transpose(1, 2)

    return forward


def two_alike(build, build_plain, dtype):
    """Return two networks with the same weights, whose batch norms have scales of both signs and offsets."""
    pair = []
    for make in (build, build_plain):
        torch.manual_seed(0)
        with torch.device("meta"):
            network = make(3, dropout=0.0)
            network.classifier.fc5 = LinearBlock(50 * 11 * 14, 4, dropout=0.0)  # the 48 million weights of the head
            network.classifier.fc6 = LinearBlock(4, 4096, dropout=0.0)  # take seconds to draw and are not at stake
        network.to_empty(device="cpu")
        for module in network.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias)
        pair.append(network.to(dtype))
    pair[1].load_state_dict(pair[0].state_dict(), strict=True)
    return pair


def assert_alike(ours, plain, forwards, x, tolerance):
    """Compare outputs, gradients of the input and of all parameters, and running statistics."""
    everything = []
    for part, forward in zip((ours, plain), forwards, strict=True):
        part.zero_grad()
        signal = x.clone().requires_grad_()
        output = forward(signal)
        torch.manual_seed(1)
        (output * torch.randn(output.shape)).sum().backward()
        everything.append([output, signal.grad, *(p.grad for p in part.parameters()), *part.buffers()])
    for mine, truth in zip(*everything, strict=True):
        assert (mine - truth).abs().max() <= tolerance * truth.abs().max()


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("shape", [(2, 1, 1, 974), (1, 1, 1, 1_000), (3, 1, 1, 174), (2, 1, 1, 333)], ids=str)
def test_variant_has_the_values_and_gradients_of_autograd(shape, training):
    ours, plain = two_alike(PooledNormEnvNet, EnvNet, torch.float64)
    ours, plain = ours.feature_conv.train(training), plain.feature_conv.train(training)
    x = 0.3 * torch.randn(shape, dtype=torch.float64) + 0.1
    for _ in range(
        2
    ):  # running statistics start at 0 and 1, which one update alone could not tell from a wrong momentum
        assert_alike(ours, plain, (ours, plain_variant(plain)), x, 1e-10)


def test_variant_in_float32_is_autograds_to_rounding():
    ours = two_alike(PooledNormEnvNet, EnvNet, torch.float32)[0]
    exact = two_alike(PooledNormEnvNet, EnvNet, torch.float64)[1].feature_conv
    x = 0.3 * torch.randn(2, 1, 1, 8_014)
    output, truth = ours.feature_conv(x), plain_variant(exact)(x.double())
    weights = torch.randn(truth.shape, dtype=torch.float64)
    (output * weights.float()).sum().backward()
    (truth * weights).sum().backward()
    assert (output - truth).abs().max() <= 4e-6 * truth.abs().max()
    for mine, other in zip(ours.feature_conv.parameters(), exact.parameters(), strict=True):
        assert (mine.grad - other.grad).abs().max() <= 4e-6 * other.grad.abs().max()


@pytest.mark.parametrize(("scanned", "taken_back"), [(1, (1, 1)), (4, (7, 3)), (2_400, (40, 8_192))], ids=str)
def test_pieces_of_any_size_give_the_same(scanned, taken_back, monkeypatch):
    """The last pair is what a GPU gets."""
    ours, plain = two_alike(PooledNormEnvNet, EnvNet, torch.float64)
    monkeypatch.setattr(pooled_norm, "frames_per_piece", lambda signal: scanned)
    monkeypatch.setattr(pooled_norm, "winners_per_piece", lambda signal, filters: taken_back)
    forwards = (ours.feature_conv, plain_variant(plain.feature_conv))
    assert_alike(ours.feature_conv, plain.feature_conv, forwards, torch.randn(2, 1, 1, 974).double(), 1e-10)


@pytest.mark.parametrize(
    "sound",
    [torch.zeros(974), torch.ones(974), torch.arange(974) % 32 / 32.0, torch.cat([torch.zeros(600), torch.ones(374)])],
    ids=["silence", "constant", "period of 32 samples", "silence, then a step"],
)
def test_where_windows_tie_the_weights_get_autograds_gradients(sound):
    ours, plain = two_alike(PooledNormEnvNet, EnvNet, torch.float64)
    ours, plain = ours.feature_conv, plain.feature_conv
    x = torch.stack([sound.double(), 0.1 * torch.randn(974, dtype=torch.float64)])[:, None, None]
    for part, forward in ((ours, ours), (plain, plain_variant(plain))):
        output = forward(x)
        (output * torch.linspace(-1, 1, output.numel()).view_as(output)).sum().backward()
        assert all(p.grad is not None for p in part.parameters())
    for mine, truth in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, truth.grad, rtol=1e-9, atol=1e-9)


def test_in_eval_mode_positive_scales_give_the_papers_network_and_negative_ones_do_not():
    ours, paper = two_alike(PooledNormEnvNet, EnvNet, torch.float64)
    x = torch.randn(2, 1, 1, 974, dtype=torch.float64)
    for network in (ours.eval(), paper.eval()):
        network.feature_conv.conv2.module[1].weight.data.abs_()
        network.feature_conv.conv2.module[1].bias.data.fill_(1)
    torch.testing.assert_close(ours.feature_conv(x), paper.feature_conv(x))
    for network in (ours, paper):
        network.feature_conv.conv2.module[1].weight.data[7] *= -1
    differs = (ours.feature_conv(x) - paper.feature_conv(x)).abs().amax(dim=(0, 1, 3)) > 1e-3
    assert differs.nonzero().flatten().tolist() == [7]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_reordered_network_has_the_papers_values_and_gradients(training):
    ours, paper = two_alike(ReorderedEnvNet, EnvNet, torch.float64)
    x = 0.3 * torch.randn(2, 1, 1, 974, dtype=torch.float64)
    ours.feature_conv.train(training), paper.feature_conv.train(training)
    assert_alike(ours.feature_conv, paper.feature_conv, (ours.feature_conv, paper.feature_conv), x, 1e-10)
    head, paper_head = (nn.Sequential(network.classifier).train(training) for network in (ours, paper))
    picture = torch.randn(2, 1, 40, 150, dtype=torch.float64)
    assert_alike(head, paper_head, (head, paper_head), picture, 1e-10)


@pytest.mark.parametrize("build", [PooledNormEnvNet, ReorderedEnvNet])
def test_variants_keep_the_interface_and_the_published_keys(build):
    with torch.device("meta"):
        ours, paper = build(50), EnvNet(50)
    assert list(ours.state_dict()) == list(paper.state_dict())
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in paper.state_dict().items()}
    assert ours.input_format == ENVNET_INPUT


def test_window_moments_are_those_of_all_windows():
    x = torch.randn(3, 50) + 5
    windows = x.double().unfold(1, 8, 1).reshape(-1, 8)  # (window, taps)
    mean, covariance, count = window_moments(x, 8)
    torch.testing.assert_close(mean, windows.mean(dim=0))
    torch.testing.assert_close(covariance, windows.T.cov(correction=0))
    assert count == len(windows)


def test_variance_behind_a_high_pass_filter_survives_a_large_offset():
    x = 100 + 1e-3 * torch.randn(2, 4_000)
    taps = torch.tensor([1.0, -1.0, 0, 0, 0, 0, 0, 0], dtype=torch.float64)
    _, covariance, _ = window_moments(x, 8)
    truth = (x.double()[:, :-7] - x.double()[:, 1:-6]).var(correction=0)
    torch.testing.assert_close(taps @ covariance @ taps, truth, rtol=1e-3, atol=0)
