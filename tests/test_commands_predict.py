"""predict: averaged windows, short files, several files."""

import re

import numpy as np
import pytest
import soundfile
import torch
from torch.nn import functional

from envnet_tutorial.__main__ import main
from envnet_tutorial.models import EnvNet, PooledNormEnvNet
from envnet_tutorial.settings import ENVNET_INPUT
from envnet_tutorial.training import predict


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(3)
    network = EnvNet(4)
    path = tmp_path_factory.mktemp("weights") / "envnet.pt"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def noise(tmp_path):
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 50_000), ENVNET_INPUT.sample_rate)
    return path


@pytest.mark.parametrize(
    ("network", "preset"), [("envnet", None), ("envnet-pooled-norm", "fast"), ("envnet-reordered", "paper")]
)
def test_predict_averages_the_softmax_of_ten_windows(network, preset, weights, noise, capsys):
    """Against the same computed here: half a window of zeros on both sides, ten evenly spaced windows."""
    samples, _ = soundfile.read(noise, dtype="float32")
    length = ENVNET_INPUT.num_samples
    padded = functional.pad(torch.from_numpy(samples), (length // 2, length // 2))
    starts = [round(i * (len(padded) - length) / 9) for i in range(10)]
    windows = torch.stack([padded[s : s + length] for s in starts])
    if preset == "fast":
        level = 20 * windows.square().mean(dim=1, keepdim=True).sqrt().log10()
        windows = windows * 10 ** (((level + 20) / 2.5 - 20 - level) / 20)
    model = PooledNormEnvNet(4) if network == "envnet-pooled-norm" else EnvNet(4)
    model.load_state_dict(torch.load(weights, weights_only=True))
    with torch.no_grad():
        expected = model.eval()(windows.unsqueeze(1)).softmax(dim=1).mean(dim=0)
    options = ["--network", network] * (network != "envnet") + ["--preset", preset] * (preset is not None)
    assert main(["predict", str(noise), "--weights", str(weights), "--top", "4", *options]) == 0
    shown = dict(re.findall(r"class (\d) ([\d.]+)%", capsys.readouterr().out))
    assert len(shown) == 4
    for index, percent in shown.items():
        assert float(percent) == pytest.approx(100 * float(expected[int(index)]), abs=0.06)
    assert list(shown) == [str(i) for i in expected.argsort(descending=True).tolist()]


def test_predict_takes_short_files_and_several(weights, noise, tmp_path, capsys):
    short = tmp_path / "short.flac"
    soundfile.write(short, np.ones(100) / 2, 44_100)
    assert main(["predict", str(noise), str(short), "--weights", str(weights), "--top", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == [str(noise), str(short)]


@pytest.fixture
def pretrained(monkeypatch):
    """Two untrained networks in place of those of each kind that come with the package."""
    from test_pretrained import tiny_pretrained

    kinds = {"compact-pooled-norm": tiny_pretrained(), "compact-mel": tiny_pretrained("compact-mel")}
    monkeypatch.setattr("envnet_tutorial.pretrained.load_pretrained", kinds.__getitem__)
    return kinds


@pytest.mark.parametrize("network", [None, "compact-pooled-norm", "compact-mel"])
def test_without_weights_the_networks_of_the_package_answer_together(pretrained, network, noise, capsys):
    assert main(["predict", str(noise), *(["--network", network] if network else [])]) == 0
    pretrained = pretrained[network or "compact-pooled-norm"]
    answer, note = capsys.readouterr().out.splitlines()
    samples, _ = soundfile.read(noise, dtype="float32")
    both = [predict(pretrained.network(fold), samples[None], pretrained.preparation)[0] for fold in (1, 2)]
    expected = np.mean(both, axis=0)
    shown = re.findall(r"(\w) ([\d.]+)%", answer)
    assert [name for name, _ in shown] == [pretrained.classes[index] for index in expected.argsort()[::-1]]
    for name, percent in shown:
        assert float(percent) == pytest.approx(100 * expected[pretrained.classes.index(name)], abs=0.06)
    hint = " --network compact-mel is right for 7 of 8 clips (87.5%)."  # who has not chosen hears of the other
    assert note == pretrained.note([1, 2]) + ("" if network else hint)


def test_one_of_them_can_be_asked_alone(pretrained, noise, capsys):
    pretrained = pretrained["compact-mel"]
    assert main(["predict", str(noise), "--fold", "2", "--top", "1", "--network", "compact-mel"]) == 0
    answer, note = capsys.readouterr().out.splitlines()
    samples, _ = soundfile.read(noise, dtype="float32")
    (expected,) = predict(pretrained.network(2), samples[None], pretrained.preparation)
    best = int(expected.argmax())
    assert answer == f"{noise}: {pretrained.classes[best]} {expected[best]:.1%}"
    assert note == pretrained.note([2])


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["--fold", "3"], "there is no pretrained network for fold 3"),
        (["--preset", "fast"], "--preset is for a lone file of weights: give that with --weights"),
        (["--data", "x"], "--data is for a lone file of weights"),
    ],
)
def test_what_only_lone_weights_need_is_refused_without_them(pretrained, noise, typed, complaint, capsys):
    assert main(["predict", str(noise), *typed]) == 2
    assert complaint in capsys.readouterr().err


def test_what_would_be_ignored_is_refused(weights, noise, tmp_path, capsys):
    assert main(["predict", str(noise), "--weights", str(weights), "--fold", "7"]) == 2
    assert "--fold is for a run folder" in capsys.readouterr().err
    assert main(["predict", str(noise), "--weights", str(tmp_path), "--data", "x"]) == 2
    assert "--data is for a lone file of weights" in capsys.readouterr().err


def test_a_network_that_does_not_come_with_the_package_is_refused(noise, capsys):
    assert main(["predict", str(noise), "--network", "envnet"]) == 2
    assert (
        "no trained 'envnet' comes with the package; these do: compact-pooled-norm, compact-mel"
        in capsys.readouterr().err
    )
