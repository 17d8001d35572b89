"""What does a split pretend that puts fragments of one recording on both sides? The official folds against dealt ones.

::

    python -m experiments.leak ESC-50 --classifier nearest --seeds 20 --trainings runs/leak --name esc50-leak-nearest
    python -m experiments.leak ESC-50 --classifier envnet --seeds 3 --trainings runs/leak --name esc50-leak-envnet

Of each class, as many clips stand in each dealt fold as in each official one, so that two trainings of the same fold
and seed differ in nothing but who stands where (lesson 4). A second call trains only what is missing.
"nearest" learns nothing: it gives a clip the class of the training clip whose mean spectrum is most like its own.
"""

import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pandas as pd
import torch
from scipy.spatial import cKDTree

from envnet_tutorial import training
from envnet_tutorial.audio.samples import as_float
from envnet_tutorial.audio.spectrograms import log_mel
from envnet_tutorial.commands.train import usable_device
from envnet_tutorial.datasets import load_clips
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result
from envnet_tutorial.results.views import by_split
from envnet_tutorial.training import FAST, Recipe
from envnet_tutorial.training.device import choose_precision
from experiments.program import add_training_options, call, destination, make_parser, provenance_of, read_arguments
from experiments.trainings import Trainings, all_commands, all_provenance, joined

NETWORK = "envnet-pooled-norm"
SPLITS = ("by fold", "at random")


def dealt(clips: ClipArray, seed: int) -> ClipArray:
    """Shuffle the folds of each class among its clips, as if each clip were a recording of its own (lesson 4).

    Parameters
    ----------
    clips : ClipArray
    seed : int
        Of the shuffle.

    Returns
    -------
    ClipArray
        The same clips; each fold has as many of each class as before, and any fragments of a recording may stand apart.
    """
    generator, folds = np.random.default_rng(seed), clips.folds.copy()
    for label in range(clips.num_classes):
        places = np.flatnonzero(clips.labels == label)
        folds[places] = generator.permutation(folds[places])
    return replace(clips, folds=folds, sources=clips.names)


def mean_spectra(clips: ClipArray) -> np.ndarray:
    """Describe each clip by mean and deviation over time of its log-mel spectrogram, shape (clip, 2 x band), in dB."""
    rows = []
    for samples in clips.samples:
        levels = log_mel(as_float(samples), clips.sample_rate)  # (band, frame)
        rows.append(torch.cat([levels.mean(dim=-1), levels.std(dim=-1)]))
    return torch.stack(rows).double().numpy()


def nearest(clips: ClipArray, fold: int, spectra: np.ndarray) -> np.ndarray:
    """Give each clip of a fold the class of the most similar one of the other folds, by Euclidean distance.

    Parameters
    ----------
    clips : ClipArray
    fold : int
        The fold to answer for.
    spectra : ndarray, shape (clip, feature)

    Returns
    -------
    ndarray of bool, shape (clip of the fold,)
        Which of the answers are right.
    """
    is_test = clips.folds == fold
    found = cKDTree(spectra[~is_test]).query(spectra[is_test])[1]
    return clips.labels[~is_test][found] == clips.labels[is_test]


def envnet(clips: ClipArray, fold: int, seed: int, recipe: Recipe, **options) -> np.ndarray:
    """Train on all folds but one; return which clips of that one the network has right, shape (clip of the fold,)."""
    evaluation = training.train_fold(NETWORKS[NETWORK], clips, recipe, fold, seed=seed, **options).evaluation
    return evaluation.predictions == evaluation.labels


def measure(split: str, clips: ClipArray, fold: int, seed: int, classify: Callable[..., np.ndarray]) -> Result:
    """Learn from all folds but one of a split, answer for that one, and return a row of what came of it.

    Returns
    -------
    Result
        Its table "trainings" has split, fold, seed, clips and correct (of the held-out fold), and known and
        known_correct: those clips of it whose recording has a fragment among the training clips.
    """
    folds = dealt(clips, seed) if split == "at random" else clips
    is_test, right = folds.folds == fold, classify(folds, fold, seed=seed)
    known = np.isin(clips.sources[is_test], clips.sources[~is_test])
    row = {
        "split": split,
        "fold": fold,
        "seed": seed,
        "clips": len(right),
        "correct": int(right.sum()),
        "known": int(known.sum()),
        "known_correct": int((right & known).sum()),
    }
    return Result({}, {"trainings": pd.DataFrame([row])})


def train_all(
    clips: ClipArray, seeds: int, trainings: Trainings, settings: dict, classify: Callable[..., np.ndarray]
) -> list[Result]:
    """Train on both splits, for every fold and seed, unless it is kept; return them by split, seed and fold."""
    kept, folds = {}, sorted(set(clips.folds.tolist()))
    for seed, fold, split in itertools.product(range(seeds), folds, SPLITS):
        train = partial(measure, split, clips, fold, seed, classify)
        asked = settings | {"split": split, "fold": fold, "seed": seed}
        name = f"{settings['classifier']} {split} fold {fold} seed {seed}"
        kept[split, seed, fold] = trainings.once(name, asked, train)
    return [kept[key] for key in itertools.product(SPLITS, range(seeds), folds)]


def nearest_classifier(clips: ClipArray) -> Callable[..., np.ndarray]:
    """Return `nearest` with the spectra of the clips; it has no seed."""
    spectra = mean_spectra(clips)
    return lambda folds, fold, seed: nearest(folds, fold, spectra)


def build_parser():
    """Return the parser of the command line."""
    parser = make_parser(__doc__)
    add_training_options(parser, seeds=3, counted="shuffles, and EnvNets of each fold")
    parser.add_argument("--classifier", choices=("nearest", "envnet"), default="envnet", help="(default: envnet)")
    parser.add_argument(
        "--epochs", type=int, default=FAST.epochs, help="of EnvNet's fast recipe (default: all of them)"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is missing, write the result, and print its sums."""
    options = read_arguments(build_parser(), arguments)
    folder, device = destination(options), usable_device(options.device)
    clips = load_clips(options.data, progress=not options.quiet)
    settings = {"classifier": options.classifier}
    if options.classifier == "envnet":
        recipe = replace(FAST, epochs=options.epochs, precision=choose_precision(NETWORKS[NETWORK], device))
        settings |= {"network": NETWORK, "recipe": asdict(recipe)}
        classify = partial(envnet, recipe=recipe, device=device, progress=not options.quiet)
    else:
        classify = nearest_classifier(clips)
    trainings = Trainings(options.trainings, provenance_of(options, "experiments.leak", device))
    found = train_all(clips, options.seeds, trainings, settings, classify)
    settings |= {
        "kind": "leak",
        "data": trainings.provenance["data"],
        "seeds": list(range(options.seeds)),
        "commands": all_commands(found, trainings.provenance["command"]),
        "provenance": all_provenance(found),
    }
    result = Result(settings, {"trainings": joined(found, "trainings")})
    result.save(folder)
    print(by_split(result).round(3).to_string())


if __name__ == "__main__":
    sys.exit(call(main))
