"""Choose a recipe for each fold without a look at it (lesson 4).

::

    python -m experiments.choice ESC-10 --only "between-class" --trainings runs/choice --name esc10-choice

For each pair of folds a network trains on the other three and is tested on both. The fold that is to be reported has
no say in its recipe: of the pairs that it is in, only the *other* fold counts, which is then the validation fold. So
each of five folds gets the recipe with the most right answers on the four others, and one training serves two choices.

Each training is kept below ``--trainings``; a second call trains only what is missing.
"""

import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pandas as pd

from envnet_tutorial import training
from envnet_tutorial.commands.train import usable_device
from envnet_tutorial.datasets import load_clips
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result
from envnet_tutorial.results.views import by_reported_fold
from envnet_tutorial.training import PRESETS, Recipe
from envnet_tutorial.training.recipe import PRECISIONS
from experiments.ablation import NETWORK, add_variant_options, variants
from experiments.program import add_training_options, call, destination, make_parser, provenance_of, read_arguments
from experiments.trainings import Trainings, all_commands, all_provenance, joined


def measure(
    variant: str, recipe: Recipe, clips: ClipArray, pair: tuple[int, int], seed: int, *, device, progress: bool
) -> Result:
    """Train one variant on all folds but two, and test it on both.

    Returns
    -------
    Result
        Its table "trainings" has two rows: variant, seed, reported (the fold that must not choose), validation (the
        fold that was tested on), clips and correct (of that), nll (mean negative log-likelihood of its clips, nats),
        training_loss (of the last epoch, nats), seconds.
    """
    held_out = {fold: clips.split(fold)[1] for fold in pair}
    learned = clips.split_by(np.isin(clips.folds, pair))[0]
    model = training.build_model(NETWORKS[NETWORK], clips.num_classes, seed=seed)
    history = training.fit(model, learned, recipe, device=device, seed=seed, progress=progress).epochs
    rows = []
    for validation, reported in (pair, pair[::-1]):
        found = training.evaluate(model, held_out[validation], recipe.preparation, device=device)
        rows.append(
            {
                "variant": variant,
                "seed": seed,
                "reported": reported,
                "validation": validation,
                "clips": len(found.labels),
                "correct": int((found.predictions == found.labels).sum()),
                "nll": found.nll,
                "training_loss": history["loss"].iloc[-1],
                "seconds": history["seconds"].sum(),
            }
        )
    return Result({}, {"trainings": pd.DataFrame(rows)})


def train_all(
    recipes: dict[str, Recipe], clips: ClipArray, seeds: int, trainings: Trainings, **options
) -> Iterator[Result]:
    """Train every variant without every pair of folds with every seed, unless it is kept; yield them in this order."""
    pairs = list(itertools.combinations(np.unique(clips.folds).tolist(), 2))
    for variant, seed, pair in itertools.product(recipes, range(seeds), pairs):
        train = partial(measure, variant, recipes[variant], clips, pair, seed, **options)
        asked = {"variant": variant, "held out": pair, "seed": seed, "recipe": asdict(recipes[variant])}
        yield trainings.once(f"{variant} without folds {pair[0]} and {pair[1]} seed {seed}", asked, train)


def build_parser():
    """Return the parser of the command line."""
    parser = make_parser(__doc__)
    add_training_options(parser, seeds=1, counted="trainings of each")
    add_variant_options(parser)
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="of the products (default: float32)")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is missing, write the result, and print what each fold's choice rests on."""
    options = read_arguments(build_parser(), arguments)
    folder, device = destination(options), usable_device(options.device)
    recipes = variants(PRESETS[options.base], options.only)
    recipes = {name: replace(recipe, precision=options.precision) for name, recipe in recipes.items()}
    clips = load_clips(options.data, progress=not options.quiet)
    trainings = Trainings(options.trainings, provenance_of(options, "experiments.choice", device))
    asked = {"device": device, "progress": not options.quiet}
    found = list(train_all(recipes, clips, options.seeds, trainings, **asked))
    settings = {
        "kind": "choice",
        "data": trainings.provenance["data"],
        "network": NETWORK,
        "base": options.base,
        "recipes": {name: asdict(recipe) for name, recipe in recipes.items()},
        "seeds": list(range(options.seeds)),
        "folds": np.unique(clips.folds).tolist(),
        "commands": all_commands(found, trainings.provenance["command"]),
        "provenance": all_provenance(found),
    }
    result = Result(settings, {"trainings": joined(found, "trainings")})
    result.save(folder)
    print(by_reported_fold(result).round(3).to_string())


if __name__ == "__main__":
    sys.exit(call(main))
