"""Convolution arithmetic, and a walk through a network that notes the shape behind every layer (lessons 2 and 3).

The arithmetic follows V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning",
arXiv:1603.07285.
"""

from collections import Counter
from inspect import signature

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.func import functional_call

from envnet_tutorial.modes import evaluating
from envnet_tutorial.receptive_field import FieldTracker


def conv_output_length(
    length: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> int:
    """Count the positions at which a kernel fits along one axis (lesson 2).

    Parameters
    ----------
    length : int
        Input length in samples.
    kernel, stride, padding, dilation : int
        As `torch.nn.Conv1d` takes them; padding is added on both sides.

    Returns
    -------
    int
        ``floor((length + 2 padding - dilation (kernel - 1) - 1) / stride) + 1``

    Raises
    ------
    ValueError
        If an argument is out of range or the kernel does not fit once.
    """
    if min(length, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(
            "length, kernel, stride and dilation must be at least 1 and padding at "
            f"least 0; got length={length}, kernel={kernel}, stride={stride}, "
            f"padding={padding}, dilation={dilation}"
        )
    span = dilation * (kernel - 1) + 1
    if length + 2 * padding < span:
        room = f"{length} + 2 x {padding} samples"
        raise ValueError(f"a kernel that spans {span} samples does not fit into {room}")
    return (length + 2 * padding - span) // stride + 1


def conv_windows(length: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> np.ndarray:
    """List the inputs that each output of a convolution touches along one axis (lesson 2).

    Parameters
    ----------
    length, kernel, stride, padding, dilation : int
        As in `conv_output_length`, which also says what is refused.

    Returns
    -------
    ndarray of int, shape (output, kernel)
        Input indices; below 0 and from ``length`` on they lie in the padding.
    """
    outputs = np.arange(conv_output_length(length, kernel, stride, padding, dilation))
    return outputs[:, None] * stride - padding + np.arange(kernel) * dilation


def overlapping_samples_post_conv(num_sample: int, filter_size: int) -> int:
    """Estimate how many samples a convolution removes, as the original tutorial does.

    Parameters
    ----------
    num_sample : int
        Samples given, in the tutorial one second of them.
    filter_size : int
        Taps of the filter.

    Returns
    -------
    int
        ``num_sample // (num_sample // filter_size) - 1``

    Raises
    ------
    ValueError
        If the filter is empty or longer than the signal.

    Notes
    -----
    It equals the exact ``filter_size - 1`` only as long as the inner division leaves a
    small enough remainder: (16000, 8) gives 7, but (100, 30) gives 32 where the
    convolution removes 29 (lesson 3).
    """
    if not 1 <= filter_size <= num_sample:
        limits = f"1 and num_sample = {num_sample}"
        raise ValueError(f"filter_size must lie between {limits}, got {filter_size}")
    return num_sample // (num_sample // filter_size) - 1


def named_blocks(model: nn.Module) -> dict[str, nn.Module]:
    """Collect the layers of a network as its paper draws them: plain containers are opened, blocks stay whole.

    Parameters
    ----------
    model : Module
        Any network; `Sequential`, `ModuleList` and `ModuleDict` count as containers.

    Returns
    -------
    dict of str to Module
        By the last part of the path where that is unambiguous, else by the whole path.
    """
    containers = (nn.Sequential, nn.ModuleList, nn.ModuleDict)

    def visit(module: nn.Module, path: str):
        for name, child in module.named_children():
            if isinstance(child, containers):
                yield from visit(child, f"{path}{name}.")
            else:
                yield f"{path}{name}", child

    blocks = dict(visit(model, "")) or {"": model}
    short = Counter(path.rsplit(".", 1)[-1] for path in blocks)
    return {
        last if short[last := path.rsplit(".", 1)[-1]] == 1 and not last.isdigit() else path: block
        for path, block in blocks.items()
    }


def describe(module: nn.Module) -> str:
    """Write the call that makes a layer, without what has its default: ``ConvBlock(1, 40, (1, 8))``.

    The arguments are looked up in the layer and, for a block, in the layers inside it.
    """
    texts = []
    for name, parameter in signature(type(module)).parameters.items():
        value = next((vars(part)[name] for part in module.modules() if name in vars(part)), None)
        default = parameter.default
        if value is None or (name == "stride" and value == getattr(module, "kernel_size", None)):
            continue
        if isinstance(value, tuple) and len(value) == 1:
            (value,) = value
        if default is parameter.empty:
            texts.append(str(value))
        elif value != default and not (isinstance(value, tuple) and set(value) == {default}):
            texts.append(f"{name}={value}")
    return f"{type(module).__name__}({', '.join(texts)})"


def walk(model: nn.Module, input_shape: tuple[int, ...], sample_rate: int | None = None) -> pd.DataFrame:
    """Send a shape through a network and note what stands behind every layer (lesson 3).

    Parameters
    ----------
    model : Module
        Any network over waveforms; its last axis is time until a linear layer sees everything.
    input_shape : tuple of int
        Shape of one batch of waveforms, such as (1, 1, 24014).
    sample_rate : int, optional
        Sampling rate in Hz, for the columns in ms; without it that of ``model.input_format``, if there is one.

    Returns
    -------
    DataFrame
        One row for each call of a layer: ``layer``, ``module``, ``output_shape``, ``parameters``,
        ``field_samples`` and ``step_samples`` (receptive field of one position, and how far its neighbour is shifted),
        and ``field_ms``, ``step_ms`` where the rate is known. A field that cannot be followed is missing (NA), and so
        is the step where one position sees the whole input.

    Raises
    ------
    ValueError
        If the network uses the weights of a layer without calling it, as fast paths do: walk its plain form.

    Notes
    -----
    Nothing is computed: the pass runs on PyTorch's "meta" tensors, which have a shape and no values, so weights and
    running statistics stay as they are. Fields hold for evaluation. While training, batch normalisation takes mean
    and variance over the whole batch, so that every position depends a little on everything.
    """
    rows, blocks = [], named_blocks(model)
    waveform = torch.empty(input_shape, device="meta")
    tracker = FieldTracker(waveform)

    def note(name: str, output: Tensor) -> None:
        rows.append((name, tuple(output.shape), tracker.fields.get(id(output))))

    hooks = [
        block.register_forward_hook(lambda block, inputs, output, name=name: note(name, output))
        for name, block in blocks.items()
    ]
    try:
        _pass_shapes(model, waveform, tracker)
    finally:
        for hook in hooks:
            hook.remove()
    called = {name for name, _, _ in rows}
    missed = [name for name, block in blocks.items() if name not in called and any(True for _ in block.parameters())]
    if missed:
        raise ValueError(f"{', '.join(missed)}: not called in the forward pass, so nothing is known of them")
    return _as_table(rows, blocks, sample_rate or getattr(getattr(model, "input_format", None), "sample_rate", None))


def _pass_shapes(model: nn.Module, waveform: Tensor, tracker: FieldTracker) -> None:
    """Run a forward pass in evaluation mode with weights that have a shape only, and restore the mode of each layer."""
    state = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    ghosts = {name: torch.empty_like(tensor, device="meta") for name, tensor in state.items()}
    with evaluating(model), tracker:
        functional_call(model, ghosts, (waveform,))


def _as_table(rows: list[tuple], blocks: dict[str, nn.Module], sample_rate: int | None) -> pd.DataFrame:
    """Lay out (name, output shape, field) as the table of `walk`."""
    table = pd.DataFrame(
        {
            "layer": name or type(blocks[name]).__name__,
            "module": describe(blocks[name]),
            "output_shape": shape,
            "parameters": sum(parameter.numel() for parameter in blocks[name].parameters()),
            "field_samples": field.size if field else None,
            "step_samples": field.step or None if field else None,
        }
        for name, shape, field in rows
    ).astype({"field_samples": "Int64", "step_samples": "Int64"})
    if sample_rate is not None:
        for quantity in ("field", "step"):
            table[f"{quantity}_ms"] = table[f"{quantity}_samples"].astype("Float64") / sample_rate * 1000
    return table
