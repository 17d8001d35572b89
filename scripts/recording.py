"""Keep a run folder as a recording of the package: tables, settings, the front ends' weights, their film.

Run as ``python -m scripts.recording RUN --name esc10-short --data-name ESC-10``.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from envnet_tutorial import probing
from envnet_tutorial.errors import InputError
from envnet_tutorial.recordings import FOLDER
from envnet_tutorial.runs import RunFolder

FREQUENCIES = probing.probe_frequencies(96, 50, 7900)
MOST_FRAMES = 48


def record(run: Path, folder: Path, data_name: str) -> None:
    """Copy what belongs into a recording: all finished folds, and the film of the first.

    Parameters
    ----------
    run : Path
        A run folder that ``train`` wrote, with at least one fold finished.
    folder : Path
        Where the recording goes; it must not exist.
    data_name : str
        Name of the data set, instead of the path that it had on one computer.

    Raises
    ------
    InputError
        If there is no such run, no finished fold, or the recording exists.
    """
    source = RunFolder.open(run)
    folds = source.finished_folds()
    if not folds:
        raise InputError(f"{run} has no finished fold to record")
    if folder.exists():
        raise InputError(f"{folder} exists: remove it or choose another name")
    folder.mkdir(parents=True)
    settings = json.loads((run / "settings.json").read_text("utf-8")) | {"data": data_name, "folds": folds}
    (folder / "settings.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    for table in ("history.csv", "predictions.csv"):
        parts = [pd.read_csv(source.fold_path(fold) / table).assign(fold=fold) for fold in folds]
        whole = pd.concat(parts)
        whole[["fold", *whole.columns.drop("fold")]].to_csv(folder / table, index=False)
    states = {fold: source.load_network(fold).feature_conv.state_dict() for fold in folds}
    torch.save(
        {fold: {key: value.contiguous().clone() for key, value in states[fold].items()} for fold in folds},
        folder / "feature_conv.pt",
    )
    if front_ends := source.front_ends(folds[0]):
        record_film(source, front_ends, folder / "film.npz")


def record_film(source: RunFolder, front_ends: dict[int, dict], path: Path) -> None:
    """Probe the kept front ends, evenly thinned out to at most `MOST_FRAMES`, and write responses and merged taps."""
    steps = list(front_ends)
    steps = [steps[i] for i in np.unique(np.linspace(0, len(steps) - 1, MOST_FRAMES).round().astype(int))]
    network, responses, kernels = source.network_class(1), [], []
    for step in steps:
        network.feature_conv.load_state_dict(front_ends[step])
        responses.append(probing.response_matrix(network, FREQUENCIES).half())
        kernels.append(probing.composite_kernels(network).half())
    arrays = {"responses": torch.stack(responses).numpy(), "kernels": torch.stack(kernels).numpy()}
    np.savez_compressed(path, steps=np.array(steps), frequencies=FREQUENCIES.numpy(), **arrays)


def main() -> int:
    """Record, or say in one sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--data-name", required=True)
    arguments = parser.parse_args()
    try:
        record(arguments.run, FOLDER / arguments.name, arguments.data_name)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
