"""What the layers of a network answer is kept as they answered it, up to 8 bits, and its pools follow from it."""

import numpy as np
import pytest
import torch

from envnet_tutorial import training
from envnet_tutorial.audio.levels import compress_levels
from envnet_tutorial.errors import InputError
from envnet_tutorial.explorers.hearing import sample_sounds
from envnet_tutorial.models import EnvNet
from envnet_tutorial.models.pooled_norm import PooledNormEnvNet
from envnet_tutorial.results import Result, load_result
from envnet_tutorial.run_folder import RunFolder, RunSettings
from experiments import activations
from experiments.program import call

CLASSES = ("a", "b", "c")


@pytest.fixture(scope="module")
def network():
    """Make a network whose batch norms do something: statistics, scales and offsets at random, scales positive."""
    network, random = training.build_model(PooledNormEnvNet, len(CLASSES), seed=0), torch.Generator().manual_seed(1)
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            for values in (part.weight.data, part.running_var):
                values.uniform_(0.5, 2, generator=random)
            for values in (part.bias.data, part.running_mean):
                values.uniform_(-0.2, 0.2, generator=random)
    return network.eval()


@pytest.fixture
def run(tmp_path, monkeypatch, network):
    settings = RunSettings(
        data="x", network="envnet-pooled-norm", recipe=training.FAST, seed=5, folds=(2, 4), classes=CLASSES
    )
    folder = RunFolder.create(tmp_path / "run", settings, {"data": "tones", "command": "python -m x"})
    monkeypatch.setattr(RunFolder, "load_network", lambda self, fold: network)
    return folder.path


def hooked(network, window):
    """Return the output of every layer as hooks see it in the paper's network with the same weights."""
    paper, seen = EnvNet(network.num_classes), {}
    paper.load_state_dict(network.state_dict())
    for part in (paper.feature_conv, paper.classifier):
        for name, block in part.named_children():
            block.register_forward_hook(lambda *given, name=name: seen.update({name: given[2][0].numpy()}))
    with torch.inference_mode():
        paper.eval()(window[None])
    return seen


def test_a_run_becomes_what_its_layers_answer(run, network, tmp_path, capsys):
    assert call(lambda: activations.main([str(run), "--fold", "4", "--out", str(tmp_path / "result")])) == 0
    assert capsys.readouterr().out.count("%") == 3
    result = Result.load(tmp_path / "result")
    settings, places = result.settings, result.tables["sounds"]
    assert (settings["kind"], settings["folds"], settings["seeds"]) == ("activations", [4], [5])
    assert settings["commands"] == ["python -m x", "python -m experiments.activations run --fold 4 --out result"]
    rows = result.tables["layers"].set_index(["sound", "layer"])
    place = places.iloc[1]
    sound = torch.round(sample_sounds()[place.sound] * 32768) / 32768
    window = compress_levels(sound[:, place.start : place.start + 24_014], 2.5)
    seen = hooked(network, window)
    full = {
        "conv1": torch.from_numpy(seen["conv1"][..., :24_000]).unflatten(-1, (150, 160)).amax(-1).numpy(),
        "conv2": seen["pool2"],
        "conv3": torch.from_numpy(seen["conv3"]).unflatten(-1, (46, 3)).amax(-1).numpy(),
        "conv4": seen["conv4"],
        "fc5": seen["fc5"],
        "fc6": seen["fc6"],
    }
    full["conv1"][..., -1] = np.maximum(full["conv1"][..., -1], seen["conv1"][..., 24_000:].max(-1))
    for name in ("conv1", "conv2"):
        full[f"{name}_near"] = seen[name][:, 0, 160 * place.step : 160 * (place.step + 1)]
    for name, values in full.items():
        row = rows.loc[(place.sound, name.removesuffix("_near"))]
        kept = result.arrays[name][1] / 255 * (row.largest - row.lowest) + row.lowest
        assert kept.shape == values.shape
        assert abs(kept - values).max() <= (row.largest - row.lowest) / 510 + 1e-4, name
    np.testing.assert_allclose(result.arrays["logits"][1], seen["fc7"], atol=1e-4)
    for name, values in seen.items():
        row = rows.loc[(place.sound, name)]
        assert row["shape"] == " x ".join(map(str, values.shape)) and row["values"] == values.size
        assert row.zeros == pytest.approx((values == 0).mean(), abs=1e-3)
        assert row.largest == pytest.approx(values.max(), abs=1e-4)


def test_rounding_loses_half_a_step_at_most():
    values = np.random.default_rng(0).uniform(-3, 5, 10_000)
    kept = activations.quantise(values, -3, 5)
    assert kept.dtype == np.uint8 and {0, 255} <= set(kept.tolist())
    error = abs(kept / 255 * 8 - 3 - values).max()
    assert 0.9 * 8 / 510 < error <= 8 / 510 + 1e-9
    assert (activations.quantise(np.zeros(3), 0, 0) == 0).all()


def test_columns_have_the_maximum_and_the_last_takes_the_rest():
    assert activations.highest(np.array([[1, 5, 2, 2, 0, 9, 7]]), 3).tolist() == [[5, 9]]
    assert activations.highest(np.array([[1, 5]]), 3).tolist() == [[5]]


def test_what_is_not_envnet_is_not_drawn_as_such(network):
    with pytest.raises(InputError, match="other layers"):
        activations.in_paper_order(Other(3))
    turned = training.build_model(PooledNormEnvNet, 3, seed=0)
    turned.feature_conv.conv2.module[1].weight.data[7] = -1
    with pytest.raises(InputError, match="negative scale"):
        activations.in_paper_order(turned)
    with pytest.raises(InputError, match="from those of the network"):
        activations.check_same(network, torch.zeros(1, 24_014), np.array([9, 0, 0], np.float32))


class Other(torch.nn.Linear):
    def __init__(self, num_classes):
        super().__init__(2, num_classes)
        self.num_classes = num_classes


def test_the_shipped_result_is_of_todays_sounds():
    result = load_result("esc50-activations")
    assert result.tables["sounds"]["sound"].tolist() == list(sample_sounds())
    assert result.settings["provenance"][0]["commit"] and result.settings["data"] == "ESC-50"
    for place in result.tables["sounds"].itertuples():
        clip = np.rint(sample_sounds()[place.sound][0].numpy() * 32768) / 32768
        energy = [np.square(clip[at : at + 24_014]).sum() for at in range(0, len(clip) - 24_013, 160)]
        assert place.start == 160 * int(np.argmax(energy))
        window = compress_levels(torch.from_numpy(clip[None, place.start : place.start + 24_014]).float(), 2.5)[0]
        top = float(window.abs().max())
        columns = window[:24_000].unflatten(0, (150, 160))
        kept = result.arrays["input"][place.Index] / 127.5 * top - top
        assert abs(kept[0, :-1] - columns.amin(1).numpy()[:-1]).max() < top / 200
        assert abs(kept[1, :-1] - columns.amax(1).numpy()[:-1]).max() < top / 200
