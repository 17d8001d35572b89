"""Train the controls of lesson 5 and keep what their filters answer to.

Run as ``python -m scripts.controls ../ESC-10 --data-name ESC-10 --out controls``; again, it goes on where it stopped.

For each seed one network is left untrained, and one each is trained on the clips, on the clips with shuffled labels,
on white noise as loud as each clip, and on noise with each clip's own spectrum. All have the seed's first weights and
take the same number of steps. ``--out`` gets the front end of each network, and the package a recording of responses.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from envnet_tutorial import probing, training
from envnet_tutorial.datasets import load_clips
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import PooledNormEnvNet
from envnet_tutorial.recordings import FOLDER
from envnet_tutorial.runs import provenance
from envnet_tutorial.training.checkpoints import write_atomically

#: Long enough for filters to settle, short enough for 20 networks in a quarter of an hour on two cores.
RECIPE = replace(training.LESSON, name="controls", epochs=10)
FREQUENCIES = probing.probe_frequencies(96, 50, 7900)
AMPLITUDES = (0.5, 0.1)  # 6 and 20 dB below full scale
TEST_FOLD = 1


def unchanged(clips: ClipArray, rng: np.random.Generator) -> ClipArray:
    """Return the clips as they are."""
    return clips


def shuffled_labels(clips: ClipArray, rng: np.random.Generator) -> ClipArray:
    """Give each clip the label of another, drawn at random."""
    return replace(clips, labels=rng.permutation(clips.labels))


def white_noise(clips: ClipArray, rng: np.random.Generator) -> ClipArray:
    """Replace each clip by white noise with the same root mean square: its loudness is all that tells its class."""
    noises = [
        rng.standard_normal(len(clip)) * np.sqrt(np.square(clip, dtype=np.float64).mean()) for clip in clips.samples
    ]
    return replace(clips, samples=to_int16(np.stack(noises)))


def spectrum_noise(clips: ClipArray, rng: np.random.Generator) -> ClipArray:
    """Replace each clip by steady noise with the same magnitude spectrum: random phases, nothing else changed."""
    spectra = np.abs(np.fft.rfft(clips.samples.astype(np.float64)))  # (clip, bin)
    phases = np.exp(2j * np.pi * rng.random(spectra.shape))
    return replace(clips, samples=to_int16(np.fft.irfft(spectra * phases, n=clips.samples.shape[1])))


def to_int16(samples: np.ndarray) -> np.ndarray:
    """Round to 16-bit samples; what is louder than full scale is clipped."""
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


CONTROLS: dict[str, Callable[[ClipArray, np.random.Generator], ClipArray]] = {
    "trained": unchanged,
    "shuffled labels": shuffled_labels,
    "white noise": white_noise,
    "noise with the clips' spectra": spectrum_noise,
}


def train_control(name: str, seed: int, clips: ClipArray, progress: bool) -> dict:
    """Train one network; return its front end's state dict and its accuracy on the real clips of the test fold."""
    train, test = clips.split(TEST_FOLD)
    model = training.build_model(PooledNormEnvNet, clips.num_classes, seed=seed)
    if name != "untrained":
        heard = CONTROLS[name](train, np.random.default_rng(seed))
        training.fit(model, heard, RECIPE, seed=seed, progress=progress)
    accuracy = training.evaluate(model, test).accuracy
    state = {key: value.detach().contiguous().clone() for key, value in model.feature_conv.state_dict().items()}
    return {"feature_conv": state, "accuracy": accuracy}


def probe(result: dict) -> torch.Tensor:
    """Return the responses of a kept front end, (level, filter, frequency)."""
    model = PooledNormEnvNet(1)
    model.feature_conv.load_state_dict(result["feature_conv"])
    return probing.response_levels(model, FREQUENCIES, AMPLITUDES)


def record(out: Path, seeds: range, folder: Path, data_name: str) -> None:
    """Write the recording: ``controls.csv`` (control, seed, accuracy), ``responses.npz``, ``settings.json``.

    The responses have shape (row of the table, level, filter, frequency), in float16.
    """
    rows, responses = [], []
    for name in ("untrained", *CONTROLS):
        for seed in seeds:
            result = torch.load(kept(out, name, seed), weights_only=True)
            rows.append({"control": name, "seed": seed, "accuracy": result["accuracy"]})
            responses.append(probe(result).half())
    folder.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    axes = {"amplitudes": np.array(AMPLITUDES), "frequencies": FREQUENCIES.numpy()}
    np.savez_compressed(packed, responses=torch.stack(responses).numpy(), **axes)
    settings = {"data": data_name, "network": "envnet-pooled-norm", "folds": [TEST_FOLD], "recipe": asdict(RECIPE)}
    settings |= provenance(torch.device("cpu"))
    write_atomically(folder / "controls.csv", lambda file: file.write(pd.DataFrame(rows).to_csv(index=False).encode()))
    write_atomically(folder / "responses.npz", lambda file: file.write(packed.getvalue()))
    write_atomically(folder / "settings.json", lambda file: file.write(json.dumps(settings, indent=2).encode() + b"\n"))


def kept(out: Path, name: str, seed: int) -> Path:
    """Return the file that a control's front end is kept in."""
    return out / f"{name.replace(' ', '-').replace(chr(39), '')}-{seed}.pt"


def main() -> int:
    """Train what is missing, then record; or say in one sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="a folder in ESC-50's layout, or a set's name")
    parser.add_argument("--data-name", required=True, help="what the recording calls it")
    parser.add_argument("--out", type=Path, required=True, help="folder to keep the front ends in")
    parser.add_argument("--seeds", type=int, default=5, help="networks of each kind (default: 5)")
    parser.add_argument("--name", default="esc10-controls", help="of the recording (default: esc10-controls)")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    arguments = parser.parse_args()
    try:
        clips = load_clips(arguments.data, progress=not arguments.quiet)
        arguments.out.mkdir(parents=True, exist_ok=True)
        for seed in range(arguments.seeds):
            for name in ("untrained", *CONTROLS):
                path = kept(arguments.out, name, seed)
                if not path.exists():
                    result = train_control(name, seed, clips, progress=not arguments.quiet)
                    print(f"seed {seed}, {name}: {result['accuracy']:.1%} of the test fold", flush=True)
                    write_atomically(path, lambda file, result=result: torch.save(result, file))
        record(arguments.out, range(arguments.seeds), FOLDER / arguments.name, arguments.data_name)
    except (InputError, training.TrainingStopped) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
