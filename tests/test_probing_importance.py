"""Importance over time against read-outs and sounds whose answer is known (lesson 5)."""

import copy
import functools

import pytest
import torch
from torch import nn

from envnet_tutorial import probing
from envnet_tutorial.models import EnvNet, PooledNormEnvNet
from envnet_tutorial.models.reordered import ReorderedEnvNet
from envnet_tutorial.settings import ENVNET_INPUT

FRAMES, HOP = 150, 160
METHODS = [probing.occlusion_importance, probing.gradient_importance]


class Readout(nn.Module):
    """Score of class 1 is a weighted sum over the picture; the other two classes always score 0."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight)  # (filter, frame)

    def forward(self, pictures):
        score = (pictures[:, 0] * self.weight).sum(dim=(1, 2))
        return torch.stack([0 * score, score, 0 * score], dim=1)


@functools.cache
def untrained(kind):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = kind(3)
    for norm in (m for m in model.feature_conv.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.constant_(norm.bias, 0.2)  # silence has a level of its own
    classifier, model.classifier = model.classifier, None
    return model, classifier


def network(kind=EnvNet, classifier=None):
    """Make a network in float64 with a planted classifier, or in float32 with its own."""
    model, own_classifier = untrained(kind)
    model = copy.deepcopy(model)
    model.classifier = copy.deepcopy(own_classifier) if classifier is None else classifier
    return model if classifier is None else model.double()


def steps(first, last):
    """Read out all filters of some steps, each with a weight of its own."""
    weight = torch.zeros(40, FRAMES)
    weight[:, first:last] = torch.rand(40, last - first, generator=torch.Generator().manual_seed(7))
    return Readout(weight)


def noise(seed=1):
    return 0.3 * torch.randn(1, ENVNET_INPUT.num_samples, generator=torch.Generator().manual_seed(seed))


def event(first, last):
    """Silence but for noise whose samples are those of some steps alone, the filters' 15 taps included."""
    sound = torch.zeros(1, ENVNET_INPUT.num_samples)
    span = slice(first * HOP + 14, last * HOP)
    sound[:, span] = noise()[:, span]
    return sound


@pytest.mark.parametrize("kind", [EnvNet, PooledNormEnvNet, ReorderedEnvNet])
@pytest.mark.parametrize("method", METHODS)
def test_the_steps_that_a_planted_readout_uses_are_found_exactly(kind, method):
    options = {"width": 1} if method is probing.occlusion_importance else {}
    found = method(network(kind, steps(60, 72)), noise(), 1, **options)
    assert found.shape == (FRAMES,)
    assert found.dtype == torch.float32
    assert found.abs().gt(1e-6).nonzero().flatten().tolist() == list(range(60, 72))


def test_wide_gaps_spread_by_their_width_and_no_further():
    model = network(classifier=steps(60, 72))
    wide = probing.occlusion_importance(model, noise(), 1, width=5)
    assert wide.abs().gt(1e-6).nonzero().flatten().tolist() == list(range(56, 76))
    # for a linear read-out a gap's fall is the sum of its steps', so the mean over 5 gaps weighs 1 2 3 4 5 4 3 2 1
    narrow = probing.occlusion_importance(model, noise(), 1, width=1)
    weights = torch.tensor([1.0, 2, 3, 4, 5, 4, 3, 2, 1])[None, None] / 5
    expected = nn.functional.conv1d(narrow[None, None], weights, padding=4)[0, 0]
    torch.testing.assert_close(wide[4:-4], expected[4:-4], atol=1e-4, rtol=1e-4)


def test_importance_of_a_linear_readout_is_complete_and_both_methods_agree():
    model = network(classifier=steps(0, FRAMES)).eval()
    gradient = probing.gradient_importance(model, noise(), 1)
    with torch.no_grad():
        picture = model.frontend(noise()[None].double())
        reference = picture.mean(dim=-1, keepdim=True).expand_as(picture)
        scores = [model.classifier(p.unsqueeze(1))[0, 1] for p in (picture, reference)]
    assert abs(gradient).sum() > 1
    torch.testing.assert_close(gradient.sum(), (scores[0] - scores[1]).float(), atol=1e-4, rtol=0)
    # the log odds against two classes of score 0 are the score minus log 2
    torch.testing.assert_close(gradient, probing.occlusion_importance(model, noise(), 1, width=1), atol=1e-4, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_an_event_in_silence_is_found_where_it_is(method):
    model = network(classifier=Readout(torch.ones(40, FRAMES)))
    model.classifier.weight.requires_grad_(False)
    found = method(model, event(70, 80), 1)
    assert set(found.topk(10).indices.tolist()) <= set(range(66, 84))
    inside = torch.zeros(FRAMES, dtype=torch.bool)
    inside[66:84] = True
    assert found[inside].sum() > 0
    # Silence is below the rows' mean: it speaks against the class, equally everywhere.
    torch.testing.assert_close(found[~inside][5:-5], found[20].expand(FRAMES - 28), atol=1e-4, rtol=0)
    assert found[20] < 0


def test_steps_that_equal_their_rows_mean_are_not_important():
    """Gaps of zeros would fail here: a steady sound's picture is not zero, but no step of it stands out."""
    model = network(classifier=steps(0, FRAMES))
    silence = torch.zeros(1, ENVNET_INPUT.num_samples)
    assert model.eval().frontend(silence[None].double()).mean() > 0.05
    for method in METHODS:
        torch.testing.assert_close(method(model, silence, 1), torch.zeros(FRAMES), atol=1e-6, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_a_classifier_that_ignores_time_makes_importance_move_with_the_sound(method):
    model = network(classifier=Readout(torch.ones(40, FRAMES)))
    sound = event(40, 50)
    found = method(model, sound, 1)
    moved = method(model, torch.roll(sound, 60 * HOP, dims=1), 1)
    assert found[40:50].sum() > 1
    torch.testing.assert_close(moved[65:145], found[5:85], atol=1e-4, rtol=1e-5)


def test_log_odds_do_not_level_off_where_the_network_is_certain():
    """The log probability would: its gradient is 0 once the score is far above the others."""
    readout = steps(60, 72)
    with torch.no_grad():
        readout.weight.mul_(100)
    found = probing.gradient_importance(network(classifier=readout), noise(), 1)
    assert found.abs().max() > 10


@pytest.mark.parametrize("method", METHODS)
def test_asking_leaves_the_network_as_it_was(method):
    model = network().train()
    model.feature_conv.conv1.eval()
    modes = [m.training for m in model.modules()]
    state = {key: value.clone() for key, value in model.state_dict().items()}
    random_state = torch.get_rng_state()
    options = {"width": 140, "batch_size": 4} if method is probing.occlusion_importance else {}
    first = method(model, noise(), 2, **options)
    assert torch.isfinite(first).all()
    assert not first.requires_grad
    assert [m.training for m in model.modules()] == modes
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert torch.equal(torch.get_rng_state(), random_state)
    torch.testing.assert_close(method(model, noise(), 2, **options), first)


@pytest.mark.parametrize("method", METHODS)
def test_what_does_not_suit_the_network_is_refused(method):
    model = network(classifier=steps(0, FRAMES))
    for wrong in (noise()[0], noise()[None], noise()[:, :-1], noise().expand(2, -1)):
        with pytest.raises(ValueError, match="one window of shape"):
            method(model, wrong, 1)
    for target in (-1, 3):
        with pytest.raises(ValueError, match="0 to 2"):
            method(model, noise(), target)


@pytest.mark.parametrize("width", [0, FRAMES])
def test_impossible_gaps_are_refused(width):
    with pytest.raises(ValueError, match="width"):
        probing.occlusion_importance(network(classifier=steps(0, FRAMES)), noise(), 1, width=width)
