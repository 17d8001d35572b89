"""The contract of networks: what each declares is true, and a foreign one needs nothing else to go through it all."""

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from torch import nn

from envnet_tutorial import costs, probing
from envnet_tutorial.__main__ import main
from envnet_tutorial.models import NETWORKS, WaveformNetwork
from envnet_tutorial.models.base import FeatureConvNetwork
from envnet_tutorial.results import Result, views
from envnet_tutorial.settings import InputFormat
from envnet_tutorial.trained import load_trained
from experiments import record
from experiments.program import call

RATE = 4_000


class Foreign(WaveformNetwork, name="foreign"):
    """Nothing of EnvNet's: one axis, another rate, an average over whatever length there is."""

    title = "Foreign"
    input_format = InputFormat(sample_rate=RATE, num_samples=1_000)
    receptive_field, hop = 32 + 15 * 4, 64
    min_samples = 512

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.ear = nn.Sequential(nn.Conv1d(1, 8, 32, stride=4), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(16))
        self.pool, self.flatten = nn.AdaptiveAvgPool1d(1), nn.Flatten()
        self.head = nn.Linear(8, num_classes)

    @property
    def frontend_module(self):
        return self.ear

    def features(self, waveform):
        return self.ear(waveform)  # (batch, 8, frame)

    def classify(self, features):
        return self.head(self.flatten(self.pool(features)))


@pytest.fixture(params=sorted({"foreign", *NETWORKS}))
def network(request):
    """Build each network without the weights of its head, which take seconds to draw and are not at stake."""
    if not issubclass(NETWORKS[request.param], FeatureConvNetwork):
        return NETWORKS[request.param](2).eval()
    with torch.device("meta"):
        model = NETWORKS[request.param](2)
    model.classifier = nn.Identity()
    model.to_empty(device="cpu")
    torch.manual_seed(0)
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return model.eval()


def test_a_frame_sees_as_many_samples_as_declared_and_the_next_one_begins_a_hop_later(network):
    # A pool passes the gradient to its winner only: of many sounds together, the winners are everywhere.
    waveforms = torch.randn(64, 1, network.samples_for(2), generator=torch.Generator().manual_seed(0))
    for frame in (0, 1):
        waveforms = waveforms.detach().requires_grad_()
        network.frontend(waveforms)[:, :, frame].sum().backward()
        touched = (waveforms.grad != 0).any(dim=0)[0].nonzero().flatten() - frame * network.hop
        slack = network.receptive_field // 10
        assert 0 <= touched.min() <= slack
        assert network.receptive_field - 1 - slack <= touched.max() <= network.receptive_field - 1


def test_so_many_samples_give_so_many_frames(network):
    for frames in (1, 3):
        length = network.samples_for(frames)
        assert network.frontend(torch.zeros(1, 1, length)).shape[-1] == frames
        if frames > 1:
            assert network.frontend(torch.zeros(1, 1, length - 1)).shape[-1] == frames - 1
    with pytest.raises(ValueError, match=f"at least {network.receptive_field}"):
        network.frontend(torch.zeros(1, 1, network.receptive_field - 1))


def test_any_length_from_its_minimum_where_a_network_says_so():
    model = Foreign(3).eval()
    assert model(torch.zeros(2, 1, 512)).shape == model(torch.zeros(2, 1, 5_000)).shape == (2, 3)
    with pytest.raises(ValueError, match="at least 512 samples"):
        model(torch.zeros(1, 1, 511))


def test_a_name_belongs_to_one_network():
    with pytest.raises(ValueError, match="'foreign' already"):
        type("Other", (WaveformNetwork,), {"__module__": "elsewhere"}, name="foreign")
    assert NETWORKS["foreign"] is Foreign


def test_what_is_not_declared_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        type("Half", (WaveformNetwork,), {})(3)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Write 24 noisy tones in two folds as a folder in ESC-50's layout."""
    folder, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    (folder / "audio").mkdir()
    (folder / "meta").mkdir()
    rows = []
    for clip in range(24):
        target, fold = clip % 2, 1 + clip // 2 % 2
        tone = 0.3 * np.sin(2 * np.pi * (300 + 900 * target) * np.arange(4 * RATE) / RATE)
        soundfile.write(folder / "audio" / f"{clip}.wav", tone + 0.05 * random.standard_normal(tone.shape), RATE)
        rows.append((f"{clip}.wav", fold, target, ("low", "high")[target], clip))
    table = pd.DataFrame(rows, columns=["filename", "fold", "target", "category", "src_file"])
    table.to_csv(folder / "meta" / "esc50.csv", index=False)
    return folder


def test_a_foreign_network_goes_through_everything(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path / "cache"))
    run = tmp_path / "run"
    told = ["--network", "foreign", "--data", str(data), "--epochs", "20", "--keep-filters", "10", "--quiet"]
    assert main(["train", *told, "--out", str(run)]) == 0
    assert main(["evaluate", str(run)]) == 0
    assert "as recorded" in capsys.readouterr().out
    assert main(["probe", "--weights", str(run), "--out", str(tmp_path / "probe.png")]) == 0
    assert len(pd.read_csv(tmp_path / "probe.csv")) == 8
    assert main(["predict", str(data / "audio" / "0.wav"), str(data / "audio" / "1.wav"), "--weights", str(run)]) == 0
    low, high = capsys.readouterr().out.splitlines()[-2:]
    assert "0.wav: low" in low and "1.wav: high" in high
    assert call(lambda: record.main([str(run), "--out", str(tmp_path / "result")])) == 0
    recorded = Result.load(tmp_path / "result")
    assert views.by_fold(recorded)["correct"].tolist() == [12, 12]
    assert views.film(recorded).responses.shape[1:] == (8, record.NUM_TONES) and views.film(recorded).kernels is None
    model = load_trained(run).network
    window = torch.from_numpy(soundfile.read(data / "audio" / "0.wav", dtype="float32")[0][None, :1_000])
    assert probing.occlusion_importance(model, window, 0, width=3).shape == (15,)
    assert probing.gradient_importance(model, window, 0).shape == (15,)
    with pytest.raises(ValueError, match="cannot be merged"):
        probing.composite_kernels(model)


def test_a_foreign_network_has_a_price_and_an_unknown_layer_none():
    passes = costs.training_passes(Foreign, 2)
    forward = passes[(passes["pass"] == "forward") & (passes["kind"] == "conv")]
    assert forward["operations"].tolist() == [2 * 8 * 243 * 32]  # 243 places of 32 taps, 8 filters

    class Stranger(Foreign):
        def __init__(self, num_classes):
            super().__init__(num_classes)
            self.flatten = nn.Softsign()

    with pytest.raises(ValueError, match="Softsign"):
        costs.training_passes(Stranger, 2)
