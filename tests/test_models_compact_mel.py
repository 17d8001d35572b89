"""The compact mel CNN: the mel CNN's picture before the compact network's classifier."""

import pytest
import torch
from tiny import losses_while_learning, parameters_of, with_small_head

from envnet_tutorial import costs, probing
from envnet_tutorial.models import NETWORKS, CompactEnvNet, CompactMel, MelCNN
from envnet_tutorial.settings import ENVNET_INPUT

pytestmark = pytest.mark.usefixtures("one_thread")


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_its_picture_is_the_mel_cnns():
    sound = 0.1 * noise(2, 1, ENVNET_INPUT.num_samples)
    mel, compact = with_small_head(MelCNN, 3).eval(), CompactMel(3).eval()
    assert torch.equal(compact.window_features(sound), mel.window_features(sound))
    for name in ("input_format", "receptive_field", "hop", "padding"):
        assert getattr(CompactMel, name) == getattr(MelCNN, name)


def test_all_behind_it_is_the_compact_networks_with_the_same_weights():
    torch.manual_seed(3)
    compact = CompactEnvNet(50)
    torch.manual_seed(3)
    mel = CompactMel(50)
    pairs = zip(compact.classifier.state_dict().items(), mel.classifier.state_dict().items(), strict=True)
    assert all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)
    assert repr(compact.classifier) == repr(mel.classifier)
    assert parameters_of(mel) == parameters_of(compact) - 13_280 == 126_906
    assert NETWORKS["compact-mel"] is CompactMel


def test_any_length_from_one_frame():
    network = CompactMel(2).eval()
    for length, frames in ((160, 1), (319, 1), (320, 2), (ENVNET_INPUT.num_samples, 150)):
        assert network.window_features(torch.zeros(1, 1, length)).shape == (1, 40, frames)
        assert network(torch.zeros(1, 1, length)).shape == (1, 2)
    with pytest.raises(ValueError, match="at least 160 samples"):
        network(torch.zeros(1, 1, 159))


def test_a_fixed_picture_goes_forward_only_and_costs_little():
    tables = {kind: costs.training_passes(kind) for kind in (CompactEnvNet, CompactMel)}
    picture = tables[CompactMel][tables[CompactMel]["layer"].isin(["log_mel", "norm"])]
    assert set(picture[picture["kind"] != "norm"]["pass"]) <= {"forward"}
    forward = [table[table["pass"] == "forward"]["operations"].sum() for table in tables.values()]
    assert 0.08 < forward[1] / forward[0] < 0.12  # "a tenth", says its docstring


def test_it_learns_and_its_filters_cannot_be_merged():
    torch.manual_seed(0)
    network = CompactMel(2)
    losses = losses_while_learning(network, num_samples=6_560, steps=20)
    assert losses[-1] < 0.2 * losses[0]
    assert list(network.feature_conv.parameters()) == []
    with pytest.raises(ValueError, match="cannot be merged"):
        probing.composite_kernels(network)
