"""No float64 reaches a device that has none: everything that trains runs on a GPU that is pretended to lack it."""

from contextlib import nullcontext

import pytest
import torch
from tiny import TinyNet
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from envnet_tutorial import augment, formats
from envnet_tutorial.audio import levels
from envnet_tutorial.formats import in_float64, precision_context, widest_float
from envnet_tutorial.models import EnvNet, PooledNormEnvNet
from envnet_tutorial.models.folding import window_moments
from envnet_tutorial.settings import ENVNET_INPUT
from envnet_tutorial.training import PRESETS
from envnet_tutorial.training.batches import DeviceClips, draw_batch

CPU, MPS = torch.device("cpu"), torch.device("mps")
#: Stands for an Apple GPU: tensors there have shapes and formats, and no numbers.
GPU = torch.device("meta")


class NoFloat64(TorchDispatchMode):
    """Refuse float64 on the GPU, as torch does on an Apple GPU."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, torch.Tensor) and value.device.type == GPU.type:
                assert value.dtype not in (torch.float64, torch.complex128), f"{function} makes {value.dtype}"
        return result


@pytest.fixture
def pretence(monkeypatch):
    """Pretend that there is a GPU without float64; what comes from there to the processor is zero."""
    monkeypatch.setattr(formats, "WITHOUT_FLOAT64", (GPU.type,))
    monkeypatch.setattr(torch.Tensor, "cpu", lambda tensor: torch.zeros(tensor.shape, dtype=tensor.dtype))
    with NoFloat64():
        yield


def clips():
    samples = torch.empty(6, 30_000, dtype=torch.int16, device=GPU)
    labels = torch.empty(6, dtype=torch.long, device=GPU)
    return DeviceClips(samples, labels, augment.sound_span(samples), 3)


def waveforms():
    return torch.rand(4, ENVNET_INPUT.num_samples, device=GPU)


def test_the_pretence_refuses_what_such_a_gpu_refuses(pretence):
    with pytest.raises(AssertionError, match="float64"):
        waveforms().double()
    with pytest.raises(AssertionError, match="float64"):
        torch.rand(3, device=GPU, dtype=torch.float64)
    waveforms().cpu().double()


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("mix", ["none", "bc"])
def test_batches_are_drawn_without_float64(name, mix, pretence):
    recipe = PRESETS[name].strong()
    recipe = recipe.between_class() if mix == "bc" else recipe
    rows = (torch.zeros(4, dtype=torch.long, device=GPU),) * (2 if mix == "bc" else 1)
    heard, targets = draw_batch(clips(), rows, recipe, ENVNET_INPUT, None)
    assert (heard.device.type, heard.dtype, tuple(heard.shape)) == (GPU.type, torch.float32, (4, 1, 24_014))
    assert (targets.dtype, tuple(targets.shape)) == (torch.float32, (4, 3))


def test_loudness_is_measured_without_float64_there(pretence):
    assert levels.a_weighted_level(waveforms(), 16_000).dtype == torch.float32
    assert in_float64(waveforms()).device == CPU


@pytest.mark.parametrize("network", [EnvNet, PooledNormEnvNet, TinyNet], ids=lambda network: network.__name__)
def test_networks_need_no_float64_there(network, pretence):
    with GPU:
        model = network(3)
    logits = model(torch.rand(2, 1, model.input_format.num_samples, device=GPU))
    assert logits.device.type == GPU.type


def test_moments_are_as_exact_there(pretence):
    mean, covariance, _ = window_moments(waveforms(), 8)
    assert (mean.dtype, covariance.dtype) == (torch.float64, torch.float64)


def test_float64_stays_where_there_is_one():
    numbers = torch.tensor([1.0, 1e-9])
    assert in_float64(numbers).dtype == widest_float(CPU) == widest_float(torch.device("cuda")) == torch.float64
    assert widest_float(MPS) == torch.float32


def test_a_draw_below_one_stays_below_the_number_that_it_is_multiplied_with():
    """The largest float32 below 1 times n is never rounded up to n, so a row or a place drawn in it exists."""
    counts = torch.arange(1, 2**18)
    assert torch.all((torch.tensor(1 - 2**-24) * counts).long() == counts - 1)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_products_have_the_format_that_is_asked_for(precision):
    product = torch.ones(2, 2) @ torch.ones(2, 2)
    with precision_context(CPU, precision):
        assert (product @ product).dtype == getattr(torch, precision)
    with torch.autocast("cpu", dtype=torch.bfloat16), precision_context(CPU, "float32"):
        assert (product @ product).dtype == torch.float32


def test_a_device_without_autocast_computes_in_float32_and_refuses_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.amp, "is_autocast_available", lambda kind: False)
    assert isinstance(precision_context(MPS, "float32"), nullcontext)
    with pytest.raises(RuntimeError):
        precision_context(torch.device("meta"), "bfloat16")
