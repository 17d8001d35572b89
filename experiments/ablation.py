"""What is each ingredient of a recipe worth? Change one at a time and train again (lesson 4).

::

    python -m experiments.ablation ESC-10 --base fast --folds 1,2 --trainings runs/ablation --name esc10-ablation

Each training is kept below ``--trainings``, with right answers and mean negative log-likelihood of the held-out clips
(nats; it moves before the accuracy does), loss of the last training epoch, seconds. A second call trains only what is
missing, so several processes may share the folder if each has other folds.
"""

import argparse
import itertools
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

import pandas as pd

from envnet_tutorial import training
from envnet_tutorial.commands.train import chosen_folds, usable_device
from envnet_tutorial.datasets import load_clips
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result
from envnet_tutorial.results.views import by_variant
from envnet_tutorial.training import PRESETS, Recipe
from experiments.program import add_training_options, call, destination, make_parser, provenance_of, read_arguments
from experiments.trainings import Trainings, all_commands, all_provenance, joined

NETWORK = "envnet-pooled-norm"
#: What each variant changes of the base.
CHANGES = {
    "levels as they are": {"compression_ratio": 1.0},
    "levels compressed": {"compression_ratio": 2.5},
    "levels all the same": {"compression_ratio": 1000.0},
    "one polarity": {"random_polarity": False},
    "either polarity": {"random_polarity": True},
    "60 epochs": {"epochs": 60},
    "40 epochs": {"epochs": 40},
    "20 epochs": {"epochs": 20},
    "batch of 16": {"batch_size": 16},
    "batch of 64": {"batch_size": 64},
    "rate in steps, from 0.01": {"schedule": "steps", "learning_rate": 0.01, "warmup": 0.0},
    "peak rate 0.01": {"learning_rate": 0.01},
    "peak rate 0.04": {"learning_rate": 0.04},
    "peak after a tenth": {"warmup": 0.1},
    "peak after three tenths": {"warmup": 0.3},
    "smoothed labels": {"label_smoothing": 0.1},
    "strong augmentation": {"max_scale": 1.25, "max_gain_db": 6.0},
    "between-class": {"mix": "bc"},
    "silence kept": {"trim_silence": False},
    "no weight decay": {"weight_decay": 0.0},
}


def variants(base: Recipe, only: Sequence[str] | None = None) -> dict[str, Recipe]:
    """Return a recipe and what it becomes when one ingredient is changed; what it has anyway is left out.

    Parameters
    ----------
    base : Recipe
    only : sequence of str, optional
        Names of `CHANGES`; all of them without.

    Returns
    -------
    dict of str to Recipe
        The base first, under its own name.

    Raises
    ------
    InputError
        If a name is none of those that change the base.
    """
    changed = {name: replace(base, **change) for name, change in CHANGES.items()}
    changed = {name: recipe for name, recipe in changed.items() if recipe != base}
    unknown = [name for name in only or () if name not in changed]
    if unknown:
        raise InputError(f"no variant of {base.name} is called {unknown[0]!r}; there are {', '.join(changed)}")
    return {base.name: base} | {name: changed[name] for name in changed if not only or name in only}


def measure(variant: str, recipe: Recipe, clips: ClipArray, fold: int, seed: int, **options) -> Result:
    """Train one variant on all folds but one, test it there, and return a row of what came of it.

    Returns
    -------
    Result
        Its table "trainings" has variant, fold, seed, clips and correct (of the held-out fold), nll (mean negative
        log-likelihood of its clips, nats), training_loss (of the last epoch, nats), seconds.
    """
    result = training.train_fold(NETWORKS[NETWORK], clips, recipe, fold, seed=seed, **options)
    evaluation, epochs = result.evaluation, result.history.epochs
    row = {
        "variant": variant,
        "fold": fold,
        "seed": seed,
        "clips": len(evaluation.labels),
        "correct": int((evaluation.predictions == evaluation.labels).sum()),
        "nll": evaluation.nll,
        "training_loss": epochs["loss"].iloc[-1],
        "seconds": epochs["seconds"].sum(),
    }
    return Result({}, {"trainings": pd.DataFrame([row])})


def train_all(
    recipes: dict[str, Recipe], clips: ClipArray, folds: Sequence[int], seeds: int, trainings: Trainings, **options
) -> list[Result]:
    """Train every variant on every fold with every seed, unless it is kept; return them by variant, fold and seed."""
    kept = {}
    for seed, fold, variant in itertools.product(range(seeds), folds, recipes):
        train = partial(measure, variant, recipes[variant], clips, fold, seed, **options)
        asked = {"variant": variant, "fold": fold, "seed": seed, "recipe": asdict(recipes[variant])}
        kept[variant, fold, seed] = trainings.once(f"{variant} fold {fold} seed {seed}", asked, train)
    return [kept[key] for key in itertools.product(recipes, folds, range(seeds))]


def add_variant_options(parser: argparse.ArgumentParser) -> None:
    """Add what programs that train `variants` are told: which of which recipe, and how often."""
    parser.add_argument("--base", choices=PRESETS, default="fast", help="the recipe to change (default: fast)")
    parser.add_argument("--only", action="append", metavar="VARIANT", help="this variant; can be given several times")


def build_parser():
    """Return the parser of the command line."""
    parser = make_parser(__doc__)
    add_training_options(parser, seeds=1, counted="trainings of each")
    add_variant_options(parser)
    parser.add_argument("--folds", default="1", help="such as 1 or 1,2 (default: 1)")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is missing, write the result, and print its summary."""
    options = read_arguments(build_parser(), arguments)
    folder, recipes = destination(options), variants(PRESETS[options.base], options.only)
    device, clips = usable_device(options.device), load_clips(options.data, progress=not options.quiet)
    folds = list(chosen_folds(options.folds, sorted(set(clips.folds.tolist()))))
    trainings = Trainings(options.trainings, provenance_of(options, "experiments.ablation", device))
    found = train_all(recipes, clips, folds, options.seeds, trainings, device=device, progress=not options.quiet)
    settings = {
        "kind": "ablation",
        "data": trainings.provenance["data"],
        "network": NETWORK,
        "base": options.base,
        "recipes": {name: asdict(recipe) for name, recipe in recipes.items()},
        "seeds": list(range(options.seeds)),
        "folds": folds,
        "commands": all_commands(found, trainings.provenance["command"]),
        "provenance": all_provenance(found),
    }
    result = Result(settings, {"trainings": joined(found, "trainings")})
    result.save(folder)
    print(by_variant(result).round(3).to_string())


if __name__ == "__main__":
    sys.exit(call(main))
