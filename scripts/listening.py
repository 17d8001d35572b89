"""Keep what a trained network hears in a few real clips: their pictures, and which moments count.

Run as ``python -m scripts.listening RUN path/to/ESC-10 --data-name ESC-10``. Of each class asked for it takes the first
clip of the run's first fold, which that fold's network has not seen, and of it the loudest window. No sound is kept.
"""

import argparse
import io
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from envnet_tutorial import levels, probing
from envnet_tutorial.audio.spectrograms import log_mel
from envnet_tutorial.datasets import load_clips
from envnet_tutorial.errors import InputError
from envnet_tutorial.recordings import FOLDER
from envnet_tutorial.runs import RunFolder
from envnet_tutorial.training.checkpoints import write_atomically

COVER = 15  # steps
HOP = 1600  # samples


def loudest_window(clip: np.ndarray, num_samples: int) -> Tensor:
    """Return the window (1, time) of a clip of 16-bit samples with the largest energy."""
    waveform = torch.from_numpy(np.array(clip)) / 32768
    first = int(waveform.unfold(0, num_samples, HOP).square().sum(-1).argmax()) * HOP
    return waveform[None, first : first + num_samples].float()


def listen(network: nn.Module, window: Tensor, target: int) -> dict[str, Tensor]:
    """Return log-mel spectrogram and learned picture, both (40, 150), and two importances (150,) of a window."""
    steps = network.input_format.num_samples // 160
    with torch.no_grad():
        learned = network.eval().frontend(window[None])[0]
    return {
        "log_mel": torch.as_tensor(log_mel(window[0], network.input_format.sample_rate))[:, :steps],
        "learned": learned,
        "occlusion": probing.occlusion_importance(network, window, target, width=COVER),
        "gradient": probing.gradient_importance(network, window, target),
    }


def record(run: Path, data: str, classes: list[str], folder: Path, data_name: str) -> None:
    """Write ``pictures.npz`` and ``settings.json``.

    Raises
    ------
    InputError
        If the run has no finished fold, or the fold no clip of a class.
    """
    source = RunFolder.open(run)
    fold = source.settings.folds[0]
    network, (_, test) = source.load_network(fold), load_clips(data, progress=False).split(fold)
    rows = []
    for name in classes:
        if name not in test.classes:
            raise InputError(f"there is no class {name!r}; there are {', '.join(test.classes)}")
        rows.append(int(np.flatnonzero(test.labels == test.classes.index(name))[0]))
    windows = torch.stack([loudest_window(test.samples[row], network.input_format.num_samples) for row in rows])
    windows = levels.compress_levels(windows, source.settings.recipe.compression_ratio)
    heard = [listen(network, window, int(test.labels[row])) for window, row in zip(windows, rows, strict=True)]
    arrays = {key: torch.stack([one[key] for one in heard]).half().numpy() for key in heard[0]}
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    settings = json.loads((run / "settings.json").read_text("utf-8")) | {"data": data_name, "folds": [fold]}
    settings |= {"heard": classes, "clips": [str(test.names[row]) for row in rows], "cover": COVER}
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "pictures.npz", lambda file: file.write(packed.getvalue()))
    write_atomically(folder / "settings.json", lambda file: file.write(json.dumps(settings, indent=2).encode() + b"\n"))


def main() -> int:
    """Record, or say in one sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("data", help="a folder in ESC-50's layout")
    parser.add_argument("--data-name", required=True)
    parser.add_argument("--classes", default="rooster,dog,clock_tick", help="(default: rooster,dog,clock_tick)")
    parser.add_argument("--name", default="esc10-listening")
    arguments = parser.parse_args()
    try:
        folder = FOLDER / arguments.name
        record(arguments.run, arguments.data, arguments.classes.split(","), folder, arguments.data_name)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
