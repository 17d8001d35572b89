"""How hard is a set of clips? A log-mel nearest-centroid classifier by fold, and what a random split pretends.

The classifier is as plain as can be: mean and spread of each log-mel band over time, standardised on the training
folds, and the nearest class mean wins. What a network gains over it is what learning features is worth. The leak is
shown by the nearest single clip too, because it is the one that profits from a fragment of the same source.

    python benchmarks/synthetic_baselines.py                    # the embedded set, made in a temporary folder
    python benchmarks/synthetic_baselines.py --data ESC-10      # any folder in ESC-50's layout
"""

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio

from envnet_tutorial.datasets.synthetic import synthesize
from envnet_tutorial.settings import CLIP_SECONDS, ENVNET_INPUT

MEL_BANDS = 40
RANDOM_SPLITS = 5


def log_mel_features(path: Path, mel: torchaudio.transforms.MelSpectrogram) -> np.ndarray:
    """Return mean and standard deviation over time of each log-mel band, shape (2 * MEL_BANDS,)."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    waveform = torch.from_numpy(samples.mean(axis=1))
    waveform = torchaudio.functional.resample(waveform, rate, mel.sample_rate)[: mel.sample_rate * CLIP_SECONDS]
    bands = torch.log(mel(waveform) + 1e-6)
    return torch.cat([bands.mean(dim=1), bands.std(dim=1)]).numpy()


def read_set(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return features (clip, feature), labels, folds and sources of a folder in ESC-50's layout."""
    with (folder / "meta" / "esc50.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rate = ENVNET_INPUT.sample_rate
    mel = torchaudio.transforms.MelSpectrogram(rate, n_fft=1024, hop_length=512, n_mels=MEL_BANDS)
    features = np.stack([log_mel_features(folder / "audio" / row["filename"], mel) for row in rows])
    columns = (np.array([row[name] for row in rows]) for name in ("target", "fold", "src_file"))
    return (features, *columns)


def accuracies(features: np.ndarray, labels: np.ndarray, is_test: np.ndarray) -> tuple[float, float]:
    """Return the accuracy of the nearest class mean and of the nearest clip."""
    scaled = (features - features[~is_test].mean(axis=0)) / (features[~is_test].std(axis=0) + 1e-9)
    classes = np.unique(labels)
    means = np.stack([scaled[~is_test & (labels == name)].mean(axis=0) for name in classes])
    by_mean = classes[_nearest(scaled[is_test], means)]
    by_clip = labels[~is_test][_nearest(scaled[is_test], scaled[~is_test])]
    return float(np.mean(by_mean == labels[is_test])), float(np.mean(by_clip == labels[is_test]))


def _nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - others[None], axis=2).argmin(axis=1)


def report(name: str, folder: Path) -> None:
    """Print the table of one set."""
    features, labels, folds, sources = read_set(folder)
    print(f"\n{name}: {len(labels)} clips, {len(set(zip(labels, sources, strict=True)))} sources")
    print("split            test clips  nearest mean  nearest clip")
    by_fold = [(folds == fold, f"fold {fold}") for fold in np.unique(folds)]
    rng = np.random.default_rng(0)
    by_chance = [(rng.permutation(folds == folds[0]), f"random {n + 1}") for n in range(RANDOM_SPLITS)]
    for kind, splits in (("by fold", by_fold), ("at random", by_chance)):
        scores = np.array([accuracies(features, labels, is_test) for is_test, _ in splits])
        for (is_test, title), (by_mean, by_clip) in zip(splits, scores, strict=True):
            print(f"{title:<16} {is_test.sum():>10}  {by_mean:>12.1%}  {by_clip:>12.1%}")
        mean, spread = scores.mean(axis=0), scores.std(axis=0, ddof=1)
        print(f"{kind + ', mean ± sd':<27}  {mean[0]:>6.1%} ±{spread[0]:.1%}  {mean[1]:>6.1%} ±{spread[1]:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, action="append", default=[], help="folder in ESC-50's layout (repeatable)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the synthetic set (default 0)")
    options = parser.parse_args()
    print(f"numpy {np.__version__}, torch {torch.__version__}, torchaudio {torchaudio.__version__}")
    with tempfile.TemporaryDirectory() as temporary:
        report(f"synthetic, seed {options.seed}", synthesize(Path(temporary) / "synthetic", seed=options.seed))
    for folder in options.data:
        report(str(folder), folder)


if __name__ == "__main__":
    main()
