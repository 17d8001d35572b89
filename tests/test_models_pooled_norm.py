"""The variant that normalises after pooling, and the reordered EnvNet, against autograd of what they stand for."""

from contextlib import nullcontext
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional

from envnet_tutorial.models import EnvNet, LinearBlock, winners
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


@pytest.mark.parametrize("frames", [1, 4, 2_400])
def test_pieces_of_any_size_give_the_same(frames, monkeypatch):
    """The last size is what a GPU gets."""
    ours, plain = two_alike(PooledNormEnvNet, EnvNet, torch.float64)
    monkeypatch.setattr(winners, "frames_per_piece", lambda signal: frames)
    forwards = (ours.feature_conv, plain_variant(plain.feature_conv))
    assert_alike(ours.feature_conv, plain.feature_conv, forwards, torch.randn(2, 1, 1, 974).double(), 1e-10)


def slopes(forward, part, x, precision):
    """Return output and gradients of all parameters, for a sum of the outputs weighted at random."""
    part.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        output = forward(x)
    weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(0))
    (output.to(x.dtype) * weights.to(x.dtype)).sum().backward()
    return [output.detach(), *(p.grad for p in part.parameters())]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_in_bfloat16_it_is_as_near_to_the_truth_as_torchs_autocast_of_plain_layers(training):
    ours, plain = two_alike(PooledNormEnvNet, EnvNet, torch.float32)
    exact = two_alike(PooledNormEnvNet, EnvNet, torch.float64)[1]
    ours, plain, exact = (network.feature_conv.train(training) for network in (ours, plain, exact))
    x = 0.3 * torch.randn(4, 1, 1, 16_014) + 0.1
    truth = slopes(plain_variant(exact), exact, x.double(), "float64")

    def distances(found):
        return torch.stack([(mine - t).norm() / t.norm() for mine, t in zip(found, truth, strict=True)])

    mine = distances(slopes(ours, ours, x, "bfloat16"))
    torchs = distances(slopes(plain_variant(plain), plain, x, "bfloat16"))
    assert (torchs > 1e-3).all() and (mine / torchs).mean() < 1.25


@pytest.mark.parametrize("frames", [1, 3, 2_400])
def test_bfloat16_is_exact_where_its_eight_digits_suffice(frames, monkeypatch):
    monkeypatch.setattr(winners, "frames_per_piece", lambda signal: frames)
    whole = partial(torch.randint, generator=torch.Generator().manual_seed(0))
    signal, weight1 = whole(-3, 4, (7 * 160 + 15,)).float(), whole(-1, 2, (40, 8)).float().requires_grad_()
    bias, weight2 = whole(-2, 3, (40,)).float().requires_grad_(), whole(-1, 2, (40, 8, 40)).float()
    weight2 = (weight2 * (whole(0, 10, weight2.shape) == 0)).requires_grad_()  # (filter2, places, filter), mostly zeros
    given = (signal.requires_grad_(), weight1, bias, weight2)
    matrix = winners.toeplitz(weight1, bias, 8).flatten(1)
    ours = winners.PooledPair.apply(signal, matrix, weight2.flatten(1), 160, torch.bfloat16)  # (filter2, frame)
    hidden = functional.conv1d(signal[None, None], weight1[:, None], bias).relu()
    plain = functional.max_pool1d(functional.conv1d(hidden, weight2.mT), 160)[0]
    slope = whole(-2, 3, plain.shape).float()
    assert 50 < ours.max() <= 256 and torch.equal(ours, plain) and ours.dtype == torch.float32
    for mine, truth in zip(*(torch.autograd.grad(found, given, slope) for found in (ours, plain)), strict=True):
        assert torch.equal(mine, truth) and mine.dtype == torch.float32


def test_winners_found_in_bfloat16_are_almost_the_largest():
    signal, weight1, bias = torch.randn(8_015), torch.randn(40, 8), torch.randn(40)
    weight2 = torch.randn(40, 8, 40)  # (filter2, places, filter)
    matrix = winners.toeplitz(weight1, bias, 8).flatten(1)
    rows = winners.append_ones(signal.unfold(0, 15, 8))
    values, places = winners.scan(*(x.bfloat16() for x in (rows, matrix, weight2.flatten(1))), 160)
    hidden = functional.conv1d(signal.double()[None, None], weight1.double()[:, None], bias.double()).relu()
    kernel2 = weight2.mT.double()  # (filter2, filter, places)
    dense = functional.conv1d(hidden, kernel2)[0]  # (filter2, time)
    rounded = 2**-8 * functional.conv1d(hidden, kernel2.abs())[0].amax()  # of two factors, each by a part in 512
    assert (values - dense.gather(1, places)).abs().max() < rounded
    largest = dense[:, : 50 * 160].unflatten(1, (50, 160)).amax(dim=2)
    assert (places // 160 == torch.arange(50)).all()
    behind = largest - dense.gather(1, places)
    assert (behind >= 0).all() and 1e-3 < behind.max() < 2 * rounded + 2**-8 * largest.max()


@pytest.mark.parametrize(
    ("context", "is_exact"),
    [
        (torch.autocast("cpu", torch.bfloat16, enabled=False), True),
        (torch.autocast("cpu", torch.float16), True),
        (torch.autocast("cpu", torch.bfloat16), False),
    ],
    ids=["off", "float16", "bfloat16"],
)
def test_only_autocast_to_bfloat16_changes_a_bit(context, is_exact):
    features = two_alike(PooledNormEnvNet, EnvNet, torch.float32)[0].feature_conv
    x, seen = 0.3 * torch.randn(2, 1, 1, 1_934), []
    for surrounding in (nullcontext(), context):
        features.zero_grad()
        with surrounding:
            output = features(x)
        output.square().sum().backward()
        seen.append([output, *(p.grad for p in features.parameters())])
    assert all(torch.equal(*both) == is_exact for both in zip(*seen, strict=True))
    assert output.dtype == torch.float32


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
