"""Fisher's ratio and discriminants against loops, NumPy's and SciPy's own algebra, and planted classes."""

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import nn

from envnet_tutorial import probing
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.settings import ENVNET_INPUT


def planted(seed=0, counts=(7, 12, 9, 20), features=5):
    """Draw classes of different sizes and means, all with one slanted scatter."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)) * 3, counts)  # names of classes need not be 0, 1, 2
    slant = random.normal(size=(features, features))
    means = 3 * random.normal(size=(len(counts), features))
    values = means[labels // 3] + random.normal(size=(len(labels), features)) @ slant
    return values, labels


def slow_scatters(values, labels):
    between = within = np.zeros((values.shape[1],) * 2)
    for label in np.unique(labels):
        own = values[labels == label]
        apart = own.mean(0) - values.mean(0)
        between = between + len(own) * np.outer(apart, apart)
        within = within + sum(np.outer(row - own.mean(0), row - own.mean(0)) for row in own)
    return between, within


def as_tensors(values, labels):
    return torch.tensor(values), torch.tensor(labels)


def test_the_ratio_is_that_of_two_traces():
    values, labels = planted()
    between, within = slow_scatters(values, labels)
    expected = np.trace(between) / np.trace(within)
    assert probing.fisher_ratio(*as_tensors(values, labels)) == pytest.approx(expected)
    assert expected > 0.1


def test_the_ratio_of_two_classes_that_one_can_do_in_the_head():
    """Means 0 and 4 about the mean 2; each point lies 1 from its own: 4 / 1."""
    features = torch.tensor([[-1.0], [1.0], [3.0], [5.0]])
    labels = torch.tensor([0, 0, 1, 1])
    assert probing.fisher_ratio(features, labels) == pytest.approx(4)
    # Means 2 and 2: the classes differ in nothing.
    assert probing.fisher_ratio(features, torch.tensor([0, 1, 1, 0])) == pytest.approx(0)


def test_moving_turning_and_scaling_changes_nothing():
    values, labels = planted(1)
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))
    moved = 0.01 * values @ turn - 30
    found = [probing.fisher_ratio(*as_tensors(which, labels)) for which in (values, moved)]
    assert found[0] == pytest.approx(found[1], rel=1e-8)


def test_classes_without_difference_have_the_ratio_of_chance():
    generator = torch.Generator().manual_seed(3)
    features, labels = torch.randn(60, 2_000, generator=generator), torch.arange(60) % 10
    assert probing.fisher_ratio(features, labels) == pytest.approx(9 / 50, rel=0.05)


def test_the_axis_between_two_classes_is_fishers_own():
    """Fisher 1936: the within-class scatter's inverse times the difference of the means."""
    values, labels = planted(4, counts=(30, 25))
    _, within = slow_scatters(values, labels)
    expected = np.linalg.solve(within, values[labels == 3].mean(0) - values[labels == 0].mean(0))
    found = probing.discriminant_axes(*as_tensors(values, labels), 1, shrinkage=0)[:, 0].numpy()
    assert abs(found @ expected) == pytest.approx(np.linalg.norm(found) * np.linalg.norm(expected))


def test_the_axes_of_many_classes_solve_the_eigenvalue_problem():
    values, labels = planted(5)
    between, within = slow_scatters(values, labels)
    within = within / len(labels)
    shrunk = 0.7 * within + 0.3 * np.trace(within) / 5 * np.eye(5)
    found = probing.discriminant_axes(*as_tensors(values, labels), 3, shrinkage=0.3).numpy()
    _, vectors = scipy.linalg.eigh(between, shrunk)  # rising
    for axis, expected in zip(found.T, vectors.T[::-1], strict=False):
        np.testing.assert_allclose(axis * np.sign(axis @ expected), expected, atol=1e-8)
    np.testing.assert_allclose(found.T @ shrunk @ found, np.eye(3), atol=1e-8)


def test_more_features_than_windows_separate_any_labels_where_they_were_fitted_only():
    generator = torch.Generator().manual_seed(6)
    noise, labels = torch.randn(120, 500, generator=generator), torch.arange(120) % 3
    axes = probing.discriminant_axes(noise[:60], labels[:60], shrinkage=0.01)
    seen, fresh = (probing.fisher_ratio(part.double() @ axes, labels[:60]) for part in (noise[:60], noise[60:]))
    assert seen > 20 and fresh < 0.3


def test_what_has_no_classes_or_too_few_is_refused():
    features = torch.randn(6, 3)
    with pytest.raises(ValueError, match="two classes"):
        probing.fisher_ratio(features, torch.zeros(6, dtype=torch.long))
    with pytest.raises(ValueError, match="label a window"):
        probing.fisher_ratio(features, torch.arange(5))
    with pytest.raises(ValueError, match="fewer than 2 directions"):
        probing.discriminant_axes(features, torch.arange(6) % 2)


@pytest.mark.parametrize(("name", "layer"), [("envnet-pooled-norm", "fc7"), ("compact-pooled-norm", "fc11")])
def test_the_features_before_the_last_layer_give_the_logits(name, layer):
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = NETWORKS[name](3)
    waveforms = 0.1 * torch.randn(3, ENVNET_INPUT.num_samples, generator=torch.Generator().manual_seed(8))
    last = getattr(model.classifier, layer)
    features = probing.features_before(model, last, waveforms, batch_size=2)
    assert model.training and not last._forward_pre_hooks
    with torch.no_grad():
        torch.testing.assert_close(last(features), model.eval()(waveforms[:, None]), rtol=1e-4, atol=1e-5)


def test_a_layer_of_another_network_is_refused():
    with pytest.raises(ValueError, match="nothing of this network"):
        probing.features_before(NETWORKS["compact"](2), nn.Linear(2, 2), torch.zeros(1, ENVNET_INPUT.num_samples))
