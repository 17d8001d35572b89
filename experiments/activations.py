"""Keep what every layer of a trained EnvNet answers to the book's made sounds, for the drawing of it (lesson 3).

::

    python -m experiments.activations RUN --fold 3 --name esc50-activations

Of each sound it takes the loudest 1.5 s, prepared as the clips are that the network is tested on. What is longer than a
screen is reduced: of conv1 and conv2 the maximum of each 160 steps stays, of conv3 that of each 3, which are the steps
that the pools behind conv2 and conv3 take together; so the pools follow exactly from what is kept. Of conv1 and conv2
the 160 steps at the loudest moment are kept besides, one by one. All values but the logits are rounded to 8 bits.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from envnet_tutorial.audio import levels
from envnet_tutorial.audio.samples import as_int16
from envnet_tutorial.errors import InputError
from envnet_tutorial.explorers.hearing import sample_sounds
from envnet_tutorial.models import EnvNet
from envnet_tutorial.provenance import command_line
from envnet_tutorial.results import Result
from envnet_tutorial.run_folder import RunFolder
from experiments.listening import loudest_start
from experiments.program import call, destination, make_parser, read_arguments, settings_of

#: Samples from one place of the loudest window to the next: one step of the learned map.
HOP = EnvNet.hop
#: Steps of which the maximum is kept, by layer: as many as the pool behind it takes.
REDUCED = {"conv1": 160, "conv2": 160, "conv3": 3}
#: Largest whole number that stands for a value.
FINEST = 255
#: How far EnvNet's probabilities may lie from those of the network that was trained: rounding, and no more.
TOLERANCE = 1e-4


def in_paper_order(network: nn.Module) -> EnvNet:
    """Return EnvNet with the weights of a network that differs from it in the order of evaluation only.

    Raises
    ------
    InputError
        If the network has other layers than EnvNet, or a batch norm of conv2 turns the order of its inputs round, so
        that the maximum before it is another than behind it (`models.pooled_norm`).
    """
    paper = EnvNet(network.num_classes)
    try:
        paper.load_state_dict(network.state_dict())
    except RuntimeError as error:
        raise InputError(f"{type(network).__name__} has other layers than EnvNet, which is drawn") from error
    if (paper.feature_conv.conv2.module[1].weight < 0).any():
        raise InputError("a batch norm of conv2 has a negative scale: EnvNet with these weights is another network")
    return paper.eval()


@torch.inference_mode()
def answers(network: EnvNet, window: Tensor) -> dict[str, np.ndarray]:
    """Return the output of each layer for a prepared window (1, time), without the batch, by name; first "input"."""
    values, found = window[None, :, None], {"input": window.numpy()}  # (1, 1, 1, time)
    for part in (network.feature_conv, network.classifier):
        for name, block in part.named_children():
            values = block(values)
            found[name] = values[0].numpy()
    return found


def highest(values: np.ndarray, width: int) -> np.ndarray:
    """Return the maximum of each so many steps along the last axis; the last takes what is left over."""
    steps = max(1, values.shape[-1] // width)
    return np.maximum.reduceat(values, np.arange(steps) * width, axis=-1)


def quantise(values: np.ndarray, lowest: float, largest: float) -> np.ndarray:
    """Round values between two ends to 8 bits: at most half of a 255th of the range is lost."""
    span = largest - lowest or 1.0
    return np.round((values.astype(np.float64) - lowest) / span * FINEST).clip(0, FINEST).astype(np.uint8)


def ends(name: str, values: np.ndarray) -> tuple[float, float]:
    """Return the range of a layer: from zero where there is a ReLU, both ways alike for a waveform."""
    largest = float(values.max())
    if name == "input":
        largest = float(np.abs(values).max())
        return -largest, largest
    return (float(values.min()) if name == "fc7" else 0.0), largest


def described(sound: str, found: Mapping[str, np.ndarray]) -> list[dict]:
    """Return a row for each layer: its range, its share of zeros, and how many of its channels have nothing else."""
    rows = []
    for name, values in found.items():
        lowest, largest = ends(name, values)
        channels = values.reshape(len(values), -1) if values.ndim == 3 else values.reshape(1, -1)
        row = {"sound": sound, "layer": name, "shape": " x ".join(map(str, values.shape)), "values": values.size}
        row |= {"lowest": lowest, "largest": largest, "zeros": float((values == 0).mean())}
        rows.append(row | {"silent": int((channels == 0).all(axis=1).sum())})
    return rows


def pictures(found: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], int]:
    """Return what is kept of one sound: 8 bits a value, and the logits; and the step at which the map is brightest."""
    step = int(found["pool2"].sum(axis=(0, 1)).argmax())
    near = slice(step * HOP, (step + 1) * HOP)
    drawn = {"input": np.concatenate([-highest(-found["input"], HOP), highest(found["input"], HOP)])}  # (2, step)
    for name in ("conv1", "conv2", "conv3", "conv4", "fc5", "fc6"):
        drawn[name] = highest(found[name], REDUCED[name]) if name in REDUCED else found[name]
    for name in ("conv1", "conv2"):
        drawn[f"{name}_near"] = found[name][:, 0, near]  # (filter, sample)
    layers = {key: key.removesuffix("_near") for key in drawn}
    kept = {key: quantise(drawn[key], *ends(layer, found[layer])) for key, layer in layers.items()}
    return kept | {"logits": found["fc7"].astype(np.float32)}, step


def record(path: Path, fold: int | None, sounds: Mapping[str, Tensor]) -> Result:
    """Return what the network of one fold of a run answers to sounds (1, time), layer by layer.

    Raises
    ------
    InputError
        If the fold is not finished, or the network is none that computes what EnvNet computes.
    """
    run = RunFolder.open(path)
    settings = run.settings
    fold = settings.folds[0] if fold is None else fold
    trained = run.load_network(fold).eval()
    network = in_paper_order(trained)
    rows, places, kept = [], [], []
    for name, sound in sounds.items():
        clip, length = as_int16(sound)[0], network.input_format.num_samples
        start = loudest_start(clip, length, HOP)
        window = torch.from_numpy(clip[None, start : start + length] / np.float32(32768))
        window = levels.compress_levels(window, settings.recipe.preparation.compression_ratio)
        found = answers(network, window)
        check_same(trained, window, found["fc7"])
        own, step = pictures(found)
        kept.append(own)
        rows += described(name, found)
        places.append({"sound": name, "start": start, "step": step})
    known = settings_of("activations", run, fold)
    tables = {"layers": pd.DataFrame(rows), "sounds": pd.DataFrame(places)}
    return Result(known, tables, {key: np.stack([own[key] for own in kept]) for key in kept[0]})


@torch.inference_mode()
def check_same(trained: nn.Module, window: Tensor, logits: np.ndarray) -> None:
    """Refuse a drawing of a network that does not say what the trained one says.

    Raises
    ------
    InputError
    """
    difference = (trained(window[None])[0].softmax(0) - torch.from_numpy(logits).softmax(0)).abs().max()
    if difference > TOLERANCE:
        raise InputError(f"EnvNet's probabilities lie {difference:.1g} from those of the network that was trained")


def build_parser():
    """Return the parser of the command line."""
    parser = make_parser(__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder that `train` wrote")
    parser.add_argument("--fold", type=int, help="whose network (default: the run's first)")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Let the sounds through, keep what the layers answer, and say what the network takes them for."""
    options = read_arguments(build_parser(), arguments)
    folder = destination(options)
    result = record(options.run, options.fold, sample_sounds())
    result.settings["commands"].append(command_line("experiments.activations", options.typed))
    result.save(folder)
    for name, logits in zip(result.tables["sounds"]["sound"], result.arrays["logits"], strict=True):
        shares = torch.from_numpy(logits).softmax(0)
        print(f"{name}: {result.settings['classes'][int(shares.argmax())]}, {float(shares.max()):.0%}")


if __name__ == "__main__":
    sys.exit(call(main))
