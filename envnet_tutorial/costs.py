"""What a training step costs at the least: operations, memory traffic, memory (appendix on speed).

The roofline: a layer can be no faster than its operations at the machine's rate, nor than its numbers at the speed of
its memory. The larger of the two times is a bound that no program passes; S. Williams, A. Waterman and D. Patterson,
"Roofline: an insightful visual performance model for multicore architectures", CACM 52(4), 2009.
"""

from collections.abc import Callable, Iterator

import pandas as pd
import torch
from torch import Tensor, nn

from envnet_tutorial.models.base import WaveformNetwork
from envnet_tutorial.models.layers import Add, RepeatChannels, Transpose
from envnet_tutorial.models.mel_cnn import Decibels, LogMel, PairPower
from envnet_tutorial.modes import evaluating

#: Numbers that the optimiser moves for each weight: weight, gradient and momentum in, weight and momentum out.
OPTIMISER_TRAFFIC = 5
#: Bytes of a float32, in which weights, gradients and momentum stay whatever the activations are.
FLOAT32_BYTES = 4
KERNELS = ("conv1", "conv2")
#: What is known of each kind of layer; any other that has no layers inside it is refused.
KINDS = {
    nn.Conv1d: "conv",
    nn.Conv2d: "conv",
    nn.Linear: "linear",
    nn.BatchNorm1d: "norm",
    nn.BatchNorm2d: "norm",
    nn.MaxPool1d: "pool",
    nn.MaxPool2d: "pool",
    nn.AdaptiveMaxPool2d: "pool",
    nn.AvgPool2d: "average",
    nn.AdaptiveAvgPool1d: "average",
    nn.AdaptiveAvgPool2d: "average",
    nn.ReLU: "relu",
    nn.Dropout: "dropout",
    Add: "sum",
    RepeatChannels: "copy",
    LogMel: "spectrogram",
    PairPower: "power",
    Decibels: "level",
}
#: Layers that only look at the same numbers in another shape.
FREE = (nn.Flatten, nn.Identity, Transpose)


def kind_of(module: nn.Module) -> str | None:
    """Return a layer's kind, which it may have from the class that it is derived of; None where it is not known."""
    return next((KINDS[known] for known in type(module).__mro__ if known in KINDS), None)


def layer_passes(layer: str, module: nn.Module, xs: tuple[Tensor, ...], y: Tensor) -> Iterator[dict]:
    """Yield what a layer does in a training step with one clip, from its inputs and output.

    Autograd knows which passes there are: what nothing learned stands before needs no gradient.
    """
    kind, weights = kind_of(module), sum(parameter.numel() for parameter in module.parameters())
    learned = any(parameter.requires_grad for parameter in module.parameters())
    inputs, outputs = sum(x.numel() for x in xs), y.numel()
    row = {"layer": layer, "kind": kind, "outputs": outputs, "operations": 0, "weights": weights}
    if kind in ("conv", "linear"):
        row["operations"] = 2 * outputs * module.weight[0].numel()  # a multiplication and an addition for each tap
        wanted = {"forward": True, "input gradient": xs[0].requires_grad, "weight gradient": learned}
        yield from (row | {"pass": name, "elements": inputs + outputs} for name in wanted if wanted[name])
    else:
        winners = outputs if kind == "pool" else 0  # their places are written and read once
        unkept = ("pool", "average", "sum", "copy")  # the others' derivatives need values besides, or a mask
        kept = 0 if kind in unkept else inputs
        operations = module.operations(outputs) if kind == "spectrogram" else 0
        yield row | {"pass": "forward", "elements": inputs + outputs + winners, "operations": operations}
        if y.requires_grad:
            yield row | {"pass": "input gradient", "elements": outputs + winners + kept + inputs}
    if learned:
        moved = OPTIMISER_TRAFFIC * weights
        yield row | {"pass": "optimiser", "operations": 0, "elements": 0, "weights": moved}


def build_untouched(network: Callable[[int], nn.Module], num_classes: int) -> nn.Module:
    """Build a network without moving torch's global random numbers on."""
    with torch.random.fork_rng(devices=()):
        return network(num_classes)


def known_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Return the layers of a network that cost something, by their paths.

    Raises
    ------
    ValueError
        If a layer is of a kind whose cost is not known here: a table without it would mislead.
    """
    leaves = {path: module for path, module in model.named_modules() if not any(True for _ in module.children())}
    unknown = {type(module).__name__ for module in leaves.values() if not isinstance(module, (*KINDS, *FREE))}
    if unknown:
        raise ValueError(f"what {', '.join(sorted(unknown))} costs is not known: add it to costs.KINDS or costs.FREE")
    return {path: module for path, module in leaves.items() if kind_of(module)}


def training_passes(
    network: Callable[[int], WaveformNetwork], num_classes: int = 10, num_samples: int | None = None
) -> pd.DataFrame:
    """List what a training step has to do, layer by layer, in the order in which the network is drawn.

    Parameters
    ----------
    network : callable
        Builds the network from the number of classes, such as `EnvNet`. It runs once, with a silent clip.
    num_classes : int, default 10
    num_samples : int, optional
        Length of the clip, for networks that take any; the window that it is trained on without.

    Returns
    -------
    DataFrame
        One row for each layer and pass: ``layer``, ``kind``, ``pass`` (forward, input gradient, weight gradient,
        optimiser), ``outputs`` (numbers that the layer makes of a clip), ``operations`` (multiplications and additions
        for a clip; those of layers other than convolutions, matrix products and spectrograms are few and left out),
        ``elements`` (numbers read and written for a clip, each once) and ``weights`` (numbers read and written once a
        step, however many clips it has). The waveform needs no gradient, so a first layer has no such pass, and layers
        with nothing learned in or before them go forward only.

    Raises
    ------
    ValueError
        If the network has a layer of unknown cost, or uses layers without calling them.
    """
    rows, called, model = [], set(), build_untouched(network, num_classes)
    layers = known_layers(model)

    def note(path: str, module: nn.Module, xs: tuple[Tensor, ...], y: Tensor) -> None:
        called.add(path)
        rows.extend(layer_passes(path.split(".module")[0].rsplit(".", 1)[-1], module, xs, y))

    for path, layer in layers.items():
        layer.register_forward_hook(lambda module, inputs, y, path=path: note(path, module, inputs, y))
    with evaluating(model), torch.enable_grad():
        model(torch.zeros(1, 1, num_samples or model.input_format.num_samples))
    if missed := layers.keys() - called:
        raise ValueError(
            f"{model.title} does not call {', '.join(sorted(missed))}, as fast orders do: price its plain form"
        )
    return pd.DataFrame(rows)[["layer", "kind", "pass", "outputs", "operations", "elements", "weights"]]


def behind_pool(passes: pd.DataFrame, layer: str, kind: str, pool: str) -> pd.DataFrame:
    """Move one kind of a layer behind a pool, where it has fewer numbers to read and write."""
    moved = (passes["layer"] == layer) & (passes["kind"] == kind) & (passes["pass"] != "optimiser")
    pooled = passes.loc[passes["layer"] == pool, "outputs"].iloc[0]
    share = pooled / passes.loc[moved, "outputs"].iloc[0]
    passes = passes.copy()
    passes.loc[moved, "elements"] = (passes.loc[moved, "elements"] * share).astype(int)
    passes.loc[moved, "outputs"] = pooled
    return passes


def reordered(passes: pd.DataFrame) -> pd.DataFrame:
    """Fold EnvNet's first batch norm and move its ReLUs behind the pools, as `models.reordered` does.

    Parameters
    ----------
    passes : DataFrame
        `training_passes` of `EnvNet`.

    Returns
    -------
    DataFrame
        As `training_passes`. The moments of the input's windows and the copies that shifts as channels make are left
        out: this is what the order needs at the least.
    """
    folded = (passes["layer"] == "conv1") & (passes["kind"] == "norm") & (passes["pass"] != "optimiser")
    passes = passes[~folded]
    for number in "234":
        passes = behind_pool(passes, f"conv{number}", "relu", f"pool{number}")
    return passes.reset_index(drop=True)


def pooled_norm(passes: pd.DataFrame, *, in_cache: bool) -> pd.DataFrame:
    """Normalise behind EnvNet's second pool and gather the winners on the way back, as `models.pooled_norm` does.

    Parameters
    ----------
    passes : DataFrame
        `training_passes` of `EnvNet`.
    in_cache : bool
        Whether what stands between the waveform and the pool's winners stays in the cache, as pieces small enough do,
        or is written to memory and read again by each layer.

    Returns
    -------
    DataFrame
        As `training_passes`, with one row "gather" in place of the front end's dense way back.
    """
    passes = behind_pool(reordered(passes), "conv2", "norm", "pool2")
    front = passes["layer"].isin(["conv1", "pool2"]) | ((passes["layer"] == "conv2") & (passes["kind"] == "conv"))
    first, second = (passes[(passes["layer"] == name) & (passes["kind"] == "conv")].iloc[0] for name in KERNELS)
    winners = passes.loc[passes["layer"] == "pool2", "outputs"].iloc[0]
    seen = second["operations"] // (2 * second["outputs"])  # values of conv1 behind a winner
    again = first["operations"] // first["outputs"]  # operations of one such value, and of its weights' gradient
    gather = {
        "layer": "gather",
        "kind": "conv",
        "pass": "weight gradient",
        "outputs": winners,
        "operations": winners * seen * (again + 3 + again),  # 3: conv2's gradient (2) and the gradient of the value (1)
        "elements": winners * 2 + first["elements"] - first["outputs"],  # gradients, places, and the waveform
        "weights": first["weights"] + second["weights"],
    }
    kept = passes[~front | passes["pass"].isin(["forward", "optimiser"])].copy()
    if in_cache:
        inner = front & (kept["pass"] == "forward")
        kept.loc[inner, "elements"] = 0
        kept.loc[inner & (kept["kind"] == "pool"), "elements"] = 2 * winners  # values and places
        kept.loc[inner & (kept["layer"] == "conv1") & (kept["kind"] == "conv"), "elements"] = (
            first["elements"] - first["outputs"]
        )
    return pd.concat([kept, pd.DataFrame([gather])], ignore_index=True)


#: What has to be done in each order of evaluation, from the passes of the plain one.
ORDERS = {
    "plain": lambda passes: passes,
    "paper, reordered": reordered,
    "pooled norm, through memory": lambda passes: pooled_norm(passes, in_cache=False),
    "pooled norm, in cache": lambda passes: pooled_norm(passes, in_cache=True),
}


def roofline(passes: pd.DataFrame, rate: float, bandwidth: float, *, batch: int, value_bytes: int = 4) -> pd.DataFrame:
    """Bound the time of each pass from below.

    Parameters
    ----------
    passes : DataFrame
        As `training_passes` lists them.
    rate : float
        Multiplications and additions a second.
    bandwidth : float
        Bytes a second, read and written together.
    batch : int
        Clips in a step; they share the traffic of the weights.
    value_bytes : int, default 4
        Bytes of an activation: 4 in float32, 2 in the 16-bit formats.

    Returns
    -------
    DataFrame
        The passes with ``bytes`` and ``seconds`` for a clip, and ``limit``: "operations" or "memory".
    """
    size = passes["pass"].map(lambda name: FLOAT32_BYTES if name == "optimiser" else value_bytes)
    moved = value_bytes * passes["elements"] + size * passes["weights"] / batch
    times = pd.DataFrame({"operations": passes["operations"] / rate, "memory": moved / bandwidth})
    return passes.assign(bytes=moved, seconds=times.max(axis=1), limit=times.idxmax(axis=1))


def fastest(passes: pd.DataFrame, rate: float, bandwidth: float, *, batch: int, value_bytes: int = 4) -> float:
    """Return how many clips a second no program can pass, whose layers run one after the other; see `roofline`."""
    return 1 / roofline(passes, rate, bandwidth, batch=batch, value_bytes=value_bytes)["seconds"].sum()


def training_memory(network: Callable[[int], WaveformNetwork], num_classes: int = 10) -> pd.Series:
    """Add up the memory that a training step in float32 cannot do without.

    Parameters
    ----------
    network : callable
        As in `training_passes`.
    num_classes : int, default 10

    Returns
    -------
    Series
        Bytes: ``activations`` (of one clip, kept from the forward to the backward pass, counted by asking autograd),
        ``weights``, ``gradients`` and ``momentum`` (once, whatever the batch). Buffers of single layers come on top.
    """
    model = build_untouched(network, num_classes)
    one, two = (saved_bytes(model, torch.zeros(n, 1, model.input_format.num_samples)) for n in (1, 2))
    weights = sum(parameter.nbytes for parameter in model.parameters())
    return pd.Series({"activations": two - one, "weights": weights, "gradients": weights, "momentum": weights})


def saved_bytes(model: nn.Module, waveform: Tensor) -> int:
    """Return the bytes that autograd keeps for the backward pass, beside the weights; each tensor counts once."""
    kept = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = (storage, tensor)  # the tensor is held so that no other takes its place
        return tensor

    with torch.random.fork_rng(devices=()), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(waveform)  # dropout draws too
    known = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    return sum(storage.nbytes() for key, (storage, _) in kept.items() if key not in known)
