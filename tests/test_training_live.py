"""What a lesson decides by the machine: how long it trains, what it forecasts, where its state goes."""

import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from tiny import RECIPE, TinyNet, tones, train_tiny, weights_of

from envnet_tutorial import training
from envnet_tutorial.errors import InputError
from envnet_tutorial.training import live

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("data", "device", "expected"),
    [
        ("synthetic", "cpu", training.LESSON),
        ("synthetic", "cuda", training.LESSON),
        ("esc10", "cpu", training.LESSON),
        ("esc10", "cuda", training.SHORT),
        ("esc50", "mps", training.SHORT),
    ],
)
def test_real_sounds_on_a_gpu_are_trained_longer(data, device, expected, monkeypatch):
    monkeypatch.setattr(live, "choose_device", lambda: torch.device(device))
    assert live.live_recipe(data) is expected
    assert live.live_recipe("synthetic", RECIPE) is RECIPE


class SlowNet(TinyNet, name="slow"):
    """Takes 50 ms and more for a step, 300 ms for the first."""

    calls = 0

    def forward(self, waveform):
        type(self).calls += 1
        time.sleep(0.3 if type(self).calls == 1 else 0.05)
        return super().forward(waveform)


def test_the_forecast_is_what_the_steps_took_without_the_first():
    SlowNet.calls = 0
    recipe = replace(RECIPE, batch_size=4, epochs=6)  # 40 clips
    found = live.outlook(SlowNet, tones(), recipe, device="cpu", steps=3)
    assert SlowNet.calls == 4
    assert (found.epochs, found.steps) == (6, 10)
    assert 0.05 < found.seconds < 0.15
    assert found.total_seconds == pytest.approx(60 * found.seconds)


@pytest.mark.parametrize(("batch_size", "calls"), [(40, 1), (20, 2)])
def test_an_epoch_of_fewer_steps_is_enough(batch_size, calls):
    SlowNet.calls = 0
    found = live.outlook(SlowNet, tones(), replace(RECIPE, batch_size=batch_size), device="cpu")
    assert SlowNet.calls == calls and found.steps == calls
    assert found.seconds > (0.3 if calls == 1 else 0.05)


def test_a_forecast_changes_nothing_of_the_training():
    model, history = train_tiny()
    before = torch.random.get_rng_state()
    live.outlook(TinyNet, tones(), RECIPE, device="cpu")
    assert torch.equal(torch.random.get_rng_state(), before)
    again, later = train_tiny()
    assert torch.equal(weights_of(again), weights_of(model))
    assert history.epochs.loss.tolist() == later.epochs.loss.tolist()


def test_a_forecast_names_machine_time_and_memory(monkeypatch):
    short, long = live.Outlook("T4 with 15 GiB", 5, 20, 0.9, 2**31), live.Outlook("cpu", 40, 50, 0.9, float("nan"))
    assert str(short) == "T4 with 15 GiB\nabout 90 seconds for 5 epochs of 20 steps; 2.0 GiB in use"
    assert str(long) == "cpu\nabout 30 minutes for 40 epochs of 50 steps"
    count = torch.get_num_threads()
    assert live._machine(torch.device("cpu")).endswith(f"{count} {'thread' if count == 1 else 'threads'}, no GPU")
    properties = SimpleNamespace(total_memory=15 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla T4")
    assert live._machine(torch.device("cuda")) == "Tesla T4 with 15 GiB"


def test_clips_at_another_rate_are_refused():
    with pytest.raises(InputError):
        live.outlook(TinyNet, replace(tones(), sample_rate=1), RECIPE, device="cpu")


def test_a_training_goes_on_from_the_folder_that_is_named(tmp_path):
    assert live.checkpoint_file("", "a") is None
    path = live.checkpoint_file(str(tmp_path / "new" / "folder"), "a")
    assert path == tmp_path / "new" / "folder" / "a.pt"
    whole, _ = train_tiny(checkpoint=path, resume=True)
    again, history = train_tiny(checkpoint=path, resume=True)
    assert torch.equal(weights_of(again), weights_of(whole)) and len(history.epochs) == RECIPE.epochs
    with pytest.raises(InputError, match="run with other seed"):
        train_tiny(seed=1, checkpoint=path, resume=True)
    path.parent.joinpath("file").write_text("")
    with pytest.raises(InputError, match="cannot hold checkpoints"):
        live.checkpoint_file(path.parent / "file", "a")


@pytest.mark.parametrize("is_mounted", [False, True])
def test_google_drive_is_mounted_once(is_mounted, tmp_path, monkeypatch):
    drive, mounted = tmp_path / "drive", []
    if is_mounted:
        drive.mkdir()
    monkeypatch.setattr(live, "DRIVE", drive)
    monkeypatch.setitem(sys.modules, "google.colab.drive", SimpleNamespace(mount=mounted.append))
    monkeypatch.chdir(tmp_path)
    assert live.checkpoint_file("drive/MyDrive/envnet", "a") == drive / "MyDrive" / "envnet" / "a.pt"
    assert mounted == ([] if is_mounted else [str(drive)])
    live.checkpoint_file("elsewhere", "a")
    assert len(mounted) == (not is_mounted)
