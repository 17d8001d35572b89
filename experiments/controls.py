"""Train the controls of lesson 5 and keep what their filters answer to.

::

    python -m experiments.controls ESC-10 --trainings runs/controls --name esc10-controls

For each seed one network is left untrained, and one each is trained on the clips, on the clips with shuffled labels,
on white noise as loud as each clip, and on noise with each clip's own spectrum. All have the seed's first weights and
take the same number of steps. ``--trainings`` gets the front end of each network; called again, only what is missing
is trained.
"""

import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pandas as pd
import torch

from envnet_tutorial import probing, training
from envnet_tutorial.commands.train import usable_device
from envnet_tutorial.datasets import load_clips
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result
from envnet_tutorial.results.views import front_end, front_end_arrays
from envnet_tutorial.training.recipe import PRECISIONS, Recipe
from experiments.program import add_training_options, call, destination, make_parser, provenance_of, read_arguments
from experiments.trainings import Trainings, all_commands, all_provenance, joined

NETWORK = "envnet-pooled-norm"
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
NAMES = ("untrained", *CONTROLS)


def train_control(
    name: str, seed: int, clips: ClipArray, recipe: Recipe = RECIPE, *, device: torch.device, progress: bool
) -> Result:
    """Train one network; return its front end and its accuracy on the real clips of the test fold."""
    train, test = clips.split(TEST_FOLD)
    model = training.build_model(NETWORKS[NETWORK], clips.num_classes, seed=seed)
    if name != "untrained":
        heard = CONTROLS[name](train, np.random.default_rng(seed))
        training.fit(model, heard, recipe, device=device, seed=seed, progress=progress)
    accuracy = training.evaluate(model, test, recipe.preparation, device=device).accuracy
    print(f"seed {seed}, {name}: {accuracy:.1%} of the test fold", flush=True)
    row = pd.DataFrame([{"control": name, "seed": seed, "accuracy": accuracy}])
    return Result({}, {"networks": row}, front_end_arrays(model.frontend_module.state_dict(), seed, TEST_FOLD))


def settings_of(name: str, seed: int, clips: ClipArray, recipe: Recipe = RECIPE) -> dict:
    """Return what decides one training."""
    decided = {"control": name, "seeds": [seed], "folds": [TEST_FOLD], "recipe": asdict(recipe)}
    return decided | {"network": NETWORK, "classes": list(clips.classes)}


def train_all(
    names: Sequence[str], clips: ClipArray, recipe: Recipe, seeds: int, trainings: Trainings, **options
) -> list[Result]:
    """Train every control with every seed, unless it is kept; return them by control and seed."""
    kept = {}
    for seed, name in itertools.product(range(seeds), names):
        train = partial(train_control, name, seed, clips, recipe, **options)
        kept[name, seed] = trainings.once(f"{name} seed {seed}", settings_of(name, seed, clips, recipe), train)
    return [kept[key] for key in itertools.product(names, range(seeds))]


def probe(trained: Result) -> torch.Tensor:
    """Return the responses of a kept front end, (level, filter, frequency)."""
    return probing.response_levels(front_end(trained, TEST_FOLD), FREQUENCIES, AMPLITUDES)


def responses(found: Sequence[Result]) -> dict[str, np.ndarray]:
    """Probe all networks; responses have shape (network, level, filter, frequency), in float16."""
    return {
        "responses": torch.stack([probe(trained).half() for trained in found]).numpy(),
        "amplitudes": np.array(AMPLITUDES),
        "frequencies": FREQUENCIES.numpy(),
    }


def build_parser():
    """Return the parser of the command line."""
    parser = make_parser(__doc__)
    add_training_options(parser, seeds=5, counted="networks of each kind")
    parser.add_argument("--only", choices=NAMES, action="append", help="this kind; can be given several times")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="of the products (default: float32)")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is missing, and write the result."""
    options = read_arguments(build_parser(), arguments)
    folder, device = destination(options), usable_device(options.device)
    clips = load_clips(options.data, progress=not options.quiet)
    trainings = Trainings(options.trainings, provenance_of(options, "experiments.controls", device))
    names, recipe = options.only or NAMES, replace(RECIPE, precision=options.precision)
    asked = {"device": device, "progress": not options.quiet}
    found = train_all(names, clips, recipe, options.seeds, trainings, **asked)
    settings = {
        "kind": "controls",
        "data": trainings.provenance["data"],
        "network": NETWORK,
        "recipe": asdict(recipe),
        "seeds": list(range(options.seeds)),
        "folds": [TEST_FOLD],
        "commands": all_commands(found, trainings.provenance["command"]),
        "provenance": all_provenance(found),
    }
    Result(settings, {"networks": joined(found, "networks")}, responses(found)).save(folder)


if __name__ == "__main__":
    sys.exit(call(main))
