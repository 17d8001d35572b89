"""Where and how a training runs: number format by hardware and network, memory that stays with the process."""

import json
import math
import platform
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
import torch
from tiny import RECIPE, TinyNet, TinyPooledNorm, tones, weights_of

from envnet_tutorial import training
from envnet_tutorial.__main__ import main
from envnet_tutorial.models import EnvNet, PooledNormEnvNet
from envnet_tutorial.training import device

CODE = """
    import resource, torch
    from envnet_tutorial.training.device import keep_memory

    def new_pages():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        totals = [torch.ones(10_000_000).sum().item() for _ in range(10)]  # 40 MB each
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, set(totals)

    new_pages()
    returned = new_pages()
    assert keep_memory()
    new_pages()
    kept = new_pages()
    assert returned[1] == kept[1] == {1e7}
    print(returned[0], kept[0])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")
def test_kept_memory_needs_no_new_pages_and_changes_no_number():
    shown = subprocess.run([sys.executable, "-c", textwrap.dedent(CODE)], check=True, capture_output=True, text=True)
    returned, kept = map(int, shown.stdout.split())
    assert 2 * kept < returned


def test_peak_memory_is_the_process_own_and_sees_the_larger_tensor():
    code = """if True:
        import torch
        from envnet_tutorial.training.device import peak_memory
        for megabytes in (100, 400):
            torch.ones(megabytes * 2**20, dtype=torch.uint8)
            print(peak_memory(torch.device("cpu")) / 2**20)
        """
    ballast = torch.ones(3 * 2**29, dtype=torch.uint8)  # of the parent, which must not count
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    small, large = map(float, shown.split())
    assert large < ballast.nbytes / 2**20
    assert large - small == pytest.approx(300, abs=30)


def test_a_gpu_tells_its_own_memory(monkeypatch):
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 3)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 4)
    assert (device.peak_memory(GPU), device.peak_memory(MPS)) == (3, 4)


CPU, GPU, MPS = torch.device("cpu"), torch.device("cuda"), torch.device("mps")


class Gaining(TinyNet, name="gaining"):
    gains_from_bfloat16 = True


@pytest.mark.parametrize(
    ("amx", "avx512", "expected"),
    [(False, False, "float32"), (True, False, "bfloat16"), (False, True, "bfloat16"), (True, True, "bfloat16")],
)
def test_a_processor_is_fast_in_bfloat16_with_either_instructions(amx, avx512, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512, raising=False)
    assert device.fast_precision(CPU) == expected


def test_a_torch_that_cannot_tell_stays_with_float32(monkeypatch):
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert device.fast_precision(CPU) == "float32"


@pytest.mark.parametrize(
    ("capability", "expected"), [((7, 5), "float32"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16"), ((12, 0), "bfloat16")]
)
def test_a_gpu_is_fast_in_bfloat16_from_ampere_on(capability, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert device.fast_precision(GPU) == expected


def test_an_apple_gpu_is_fast_in_float32():
    assert device.fast_precision(MPS) == "float32"


@pytest.fixture
def machine(monkeypatch):
    """Pretend that a machine has some devices, and that an Apple GPU trains to a loss."""
    usual = device._trial_loss

    def pretend(*present, loss=None):
        def trial(which):
            if which.type != "mps":
                return usual(which)
            if isinstance(loss, Exception):
                raise loss
            return usual(CPU) + loss

        device.computes_alike.cache_clear()
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in present)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in present)
        monkeypatch.setattr(device, "_trial_loss", trial)

    yield pretend
    device.computes_alike.cache_clear()


@pytest.mark.parametrize(
    ("present", "expected"), [((), "cpu"), (("mps",), "mps"), (("cuda",), "cuda"), (("cuda", "mps"), "cuda")]
)
def test_a_gpu_is_chosen_where_there_is_one(present, expected, machine):
    machine(*present, loss=1e-6)
    assert device.choose_device().type == expected
    assert device.choose_device("cpu") == CPU
    assert device.choose_device("cuda:1") == torch.device("cuda", 1)


@pytest.mark.parametrize("loss", [0.1, float("nan"), RuntimeError("not linked"), NotImplementedError("no such kernel")])
def test_an_apple_gpu_that_computes_otherwise_is_left_alone(loss, machine):
    machine("mps", loss=loss)
    assert device.choose_device() == CPU
    assert device.choose_device("mps") == MPS  # a wish is a wish


def test_the_trial_learns_and_leaves_the_random_numbers_alone():
    before = torch.random.get_rng_state()
    losses = {device._trial_loss(CPU) for _ in range(2)}
    assert torch.equal(torch.random.get_rng_state(), before)
    assert len(losses) == 1
    assert losses.pop() == pytest.approx(math.log(2), abs=0.2)  # two classes, and noise: little more than a guess


def test_an_apple_gpus_random_numbers_are_restored(monkeypatch):
    states = []
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: "before")
    monkeypatch.setattr(torch.mps, "set_rng_state", states.append)
    with pytest.raises(KeyboardInterrupt), device.global_seed(1, MPS):
        raise KeyboardInterrupt
    with device.global_seed(1, CPU):
        pass
    assert states == ["before"]


@pytest.mark.parametrize("fast", ["float32", "bfloat16"])
def test_only_a_network_that_gains_gets_the_fast_format(fast, monkeypatch):
    monkeypatch.setattr(device, "fast_precision", lambda which: fast)
    assert device.choose_precision(PooledNormEnvNet, CPU) == fast
    assert device.choose_precision(EnvNet, CPU) == "float32"


def test_resumed_in_bfloat16_it_ends_with_the_same_weights(tmp_path):
    def fit(precision="bfloat16", **options):
        model = training.build_model(TinyPooledNorm, 3, seed=0)
        recipe = replace(RECIPE, epochs=3, precision=precision)
        training.fit(model, tones(num_clips=16), recipe, progress=False, **options)
        return weights_of(model)

    def stop(step, model):
        if step == 3:  # in the second of three epochs
            raise KeyboardInterrupt

    path = tmp_path / "checkpoint.pt"
    with pytest.raises(KeyboardInterrupt):
        fit(callbacks=[stop], checkpoint=path, checkpoint_every=1)
    resumed = fit(checkpoint=path, resume=True)
    assert torch.equal(resumed, fit())
    assert not torch.equal(resumed, fit("float32"))


@pytest.fixture
def train(monkeypatch, tmp_path):
    """Train the tiny network on made clips; the device is fast in the format that is given first."""

    def call(fast, *arguments):
        monkeypatch.setattr(device, "fast_precision", lambda which: fast)
        common = ["--out", str(tmp_path / "run"), "--epochs", "1", "--folds", "1", "--preset", "lesson"]
        return main(["train", *common, *arguments])

    monkeypatch.setattr("envnet_tutorial.datasets.load_clips", lambda *arguments, **options: tones())
    return call


def recorded(folder):
    return json.loads((folder / "run" / "settings.json").read_text())["recipe"]["precision"]


@pytest.mark.parametrize(
    ("network", "wish", "expected"),
    [
        ("gaining", (), "bfloat16"),
        ("gaining", ("--precision", "auto"), "bfloat16"),
        ("gaining", ("--precision", "float32"), "float32"),
        ("tiny", (), "float32"),
        ("tiny", ("--precision", "bfloat16"), "bfloat16"),
    ],
)
def test_train_chooses_prints_and_records(network, wish, expected, train, tmp_path, capsys):
    assert train("bfloat16", "--network", network, *wish) == 0
    assert recorded(tmp_path) == expected
    assert f"1 epochs in {expected}\n" in capsys.readouterr().out


def test_a_run_that_goes_on_elsewhere_keeps_its_format(train, tmp_path, capsys):
    assert train("bfloat16", "--network", "gaining") == 0
    (tmp_path / "run" / "fold-1" / "weights.pt").unlink()
    capsys.readouterr()
    assert train("float32", "--network", "gaining", "--resume") == 0
    assert "1 epochs in bfloat16\n" in capsys.readouterr().out
    assert recorded(tmp_path) == "bfloat16"
    assert train("bfloat16", "--network", "gaining", "--resume", "--precision", "float32") == 2
    assert "other settings" in capsys.readouterr().err
