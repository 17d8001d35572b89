"""What is each ingredient of the fast preset worth? Change one at a time and train again.

    python -m benchmarks.ablation ../ESC-10 --folds 1,2 --out runs/ablation
    python -m benchmarks.ablation ../ESC-10 --folds 1,2 --out runs/ablation --name esc10-ablation --data-name ESC-10

Each training leaves a row in a file of its own under ``--out``: what was changed, fold, seed, right answers and mean
negative log-likelihood of the held-out clips (nats; it moves before the accuracy does), loss of the last training
epoch, seconds. A second call trains only what is missing, so several processes may share the folder if each has other
folds. With ``--name``, all rows become a recording of the package.
"""

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from envnet_tutorial import training
from envnet_tutorial.datasets import load_clips
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import PooledNormEnvNet
from envnet_tutorial.recordings import FOLDER, Ablation
from envnet_tutorial.runs import provenance, write_table
from envnet_tutorial.training.checkpoints import write_atomically

FAST = training.FAST
VARIANTS = {
    "fast": FAST,
    "levels as they are": replace(FAST, compression_ratio=1.0),
    "levels all the same": replace(FAST, compression_ratio=1000.0),
    "one polarity": replace(FAST, random_polarity=False),
    "40 epochs": replace(FAST, epochs=40),
    "20 epochs": replace(FAST, epochs=20),
    "batch of 16": replace(FAST, batch_size=16),
    "batch of 64": replace(FAST, batch_size=64),
    "rate in steps, from 0.01": replace(FAST, schedule="steps", learning_rate=0.01, warmup=0.0),
    "peak rate 0.01": replace(FAST, learning_rate=0.01),
    "peak rate 0.04": replace(FAST, learning_rate=0.04),
    "peak after three tenths": replace(FAST, warmup=0.3),
    "smoothed labels": replace(FAST, label_smoothing=0.1),
    "strong augmentation": FAST.strong(),
    "silence kept": replace(FAST, trim_silence=False),
    "no weight decay": replace(FAST, weight_decay=0.0),
}
COLUMNS = ["variant", "fold", "seed", "clips", "correct", "nll", "training_loss", "seconds"]


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
        "correct": int((evaluation.predictions == evaluation.labels).sum()),
        "nll": float(-np.log(np.maximum(likelihood, 1e-12)).mean()),
        "training_loss": epochs["loss"].iloc[-1],
        "seconds": epochs["seconds"].sum(),
    }


def kept(out: Path, variant: str, fold: int, seed: int) -> Path:
    """Return the file that a training's row is kept in."""
    return out / f"{variant.replace(' ', '-').replace(',', '')}-fold-{fold}-seed-{seed}.json"


def read_rows(out: Path) -> pd.DataFrame:
    """Return all rows that are kept, in the order of the variants."""
    rows = pd.DataFrame([json.loads(path.read_text("utf-8")) for path in sorted(out.glob("*.json"))], columns=COLUMNS)
    order = rows["variant"].map(list(VARIANTS).index)
    return rows.assign(order=order).sort_values(["order", "fold", "seed"]).drop(columns="order").reset_index(drop=True)


def settings(rows: pd.DataFrame, data_name: str | None) -> dict:
    """Return what is to be known of the trainings beside their rows."""
    recipes = {variant: asdict(VARIANTS[variant]) for variant in rows["variant"].unique()}
    known = {"data": data_name, "network": "envnet-pooled-norm", "recipes": recipes}
    return known | provenance(torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def record(found: Ablation, folder: Path) -> None:
    """Write the recording: ``ablation.csv`` (a row a training) and ``settings.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "ablation.csv", found.table)
    text = json.dumps(found.settings, indent=2) + "\n"
    write_atomically(folder / "settings.json", lambda file: file.write(text.encode()))


def main() -> int:
    """Train what is missing and print the summary; or say in one sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="a folder in ESC-50's layout, or a set's name")
    parser.add_argument("--folds", default="1", help="such as 1 or 1,2 (default: 1)")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each (default: 1)")
    parser.add_argument("--out", type=Path, required=True, help="folder to keep the rows in")
    parser.add_argument("--name", help="record all rows under this name, such as esc10-ablation")
    parser.add_argument("--data-name", help="what the recording calls the data")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    options = parser.parse_args()
    if options.name and not options.data_name:
        parser.error("--name needs --data-name")
    try:
        clips = load_clips(options.data, progress=not options.quiet)
        options.out.mkdir(parents=True, exist_ok=True)
        for seed in range(options.seeds):
            for fold in map(int, options.folds.split(",")):
                for variant in VARIANTS:
                    path = kept(options.out, variant, fold, seed)
                    if not path.exists():
                        row = measure(variant, clips, fold, seed, progress=not options.quiet)
                        write_atomically(path, lambda file, row=row: file.write(json.dumps(row).encode()))
    except (InputError, training.TrainingStopped) as error:
        print(error, file=sys.stderr)
        return 2
    rows = read_rows(options.out)
    found = Ablation(settings(rows, options.data_name), rows)
    print(found.summary.round(3).to_string())
    if options.name:
        record(found, FOLDER / options.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
