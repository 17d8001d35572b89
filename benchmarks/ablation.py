"""What is each ingredient of the fast preset worth? Leave one out at a time and train again.

    python -m benchmarks.ablation ../ESC-10 --folds 1,2,3,4,5 --seeds 3 --out ablation.csv

Each row of the table is one training: what was changed, fold, seed, accuracy and mean negative log-likelihood of the
held-out clips (nats; it moves before the accuracy does), loss of the last training epoch, seconds. A row is written as
soon as it is measured, and a second call makes only the rows that are missing.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from envnet_tutorial import training
from envnet_tutorial.datasets import load_clips
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import PooledNormEnvNet
from envnet_tutorial.runs import write_table

FAST = training.FAST
VARIANTS = {
    "fast": FAST,
    "rate in steps, from 0.01": replace(FAST, schedule="steps", learning_rate=0.01, warmup=0.0),
    "peak rate 0.01": replace(FAST, learning_rate=0.01),
    "batch of 64": replace(FAST, batch_size=64),
    "no weight decay": replace(FAST, weight_decay=0.0),
    "silence kept": replace(FAST, trim_silence=False),
    "20 epochs": replace(FAST, epochs=20),
}
COLUMNS = ["variant", "fold", "seed", "clips", "accuracy", "nll", "training_loss", "seconds"]


def measure(variant: str, clips: ClipArray, fold: int, seed: int, progress: bool) -> dict:
    """Train one variant on all folds but one, test it there, and return the row."""
    recipe = VARIANTS[variant]
    (result,) = training.k_fold(PooledNormEnvNet, clips, recipe, folds=[fold], seed=seed, progress=progress)
    evaluation, epochs = result.evaluation, result.history.epochs
    likelihood = evaluation.probabilities[np.arange(len(evaluation.labels)), evaluation.labels]
    return {
        "variant": variant,
        "fold": fold,
        "seed": seed,
        "clips": len(evaluation.labels),
        "accuracy": evaluation.accuracy,
        "nll": float(-np.log(np.maximum(likelihood, 1e-12)).mean()),
        "training_loss": epochs["loss"].iloc[-1],
        "seconds": epochs["seconds"].sum(),
    }


def missing(table: pd.DataFrame, folds: list[int], seeds: int) -> list[tuple[str, int, int]]:
    """Return the variants, folds and seeds that the table lacks, one fold and seed after the other."""
    done = set(table[["variant", "fold", "seed"]].itertuples(index=False, name=None))
    wanted = [(variant, fold, seed) for seed in range(seeds) for fold in folds for variant in VARIANTS]
    return [key for key in wanted if key not in done]


def main() -> int:
    """Train what is missing and print the summary; or say in one sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="a folder in ESC-50's layout, or a set's name")
    parser.add_argument("--folds", default="1", help="such as 1 or 1,2 (default: 1)")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each (default: 1)")
    parser.add_argument("--out", type=Path, required=True, help="the table, CSV")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    options = parser.parse_args()
    try:
        clips = load_clips(options.data, progress=not options.quiet)
        table = pd.read_csv(options.out) if options.out.exists() else pd.DataFrame(columns=COLUMNS)
        for variant, fold, seed in missing(table, [int(fold) for fold in options.folds.split(",")], options.seeds):
            row = measure(variant, clips, fold, seed, progress=not options.quiet)
            table = pd.DataFrame([*table.to_dict("records"), row], columns=COLUMNS)
            write_table(options.out, table)
    except (InputError, training.TrainingStopped) as error:
        print(error, file=sys.stderr)
        return 2
    measures = table.groupby("variant", sort=False)[["accuracy", "nll", "training_loss"]]
    print(measures.agg(["count", "mean", "std"]).round(3).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
