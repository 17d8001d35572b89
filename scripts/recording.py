"""Keep one fold of a run folder as a recording of the package: tables, settings, the front end's weights.

Run as ``python -m scripts.recording RUN --fold 1 --name esc10-fold1 --data-name ESC-10``.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import torch

from envnet_tutorial.errors import InputError
from envnet_tutorial.recordings import FOLDER
from envnet_tutorial.runs import RunFolder


def record(run: Path, fold: int, folder: Path, data_name: str) -> None:
    """Copy what belongs into a recording.

    Parameters
    ----------
    run : Path
        A run folder that ``train`` wrote, with that fold finished.
    fold : int
    folder : Path
        Where the recording goes; it must not exist.
    data_name : str
        Name of the data set, instead of the path that it had on one computer.

    Raises
    ------
    InputError
        If there is no such run or fold, or the recording exists.
    """
    network = RunFolder.open(run).load_network(fold)
    if folder.exists():
        raise InputError(f"{folder} exists: remove it or choose another name")
    folder.mkdir(parents=True)
    settings = json.loads((run / "settings.json").read_text("utf-8")) | {"data": data_name, "folds": [fold]}
    (folder / "settings.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    for table in ("history.csv", "predictions.csv"):
        shutil.copyfile(run / f"fold-{fold}" / table, folder / table)
    state = {key: value.contiguous().clone() for key, value in network.feature_conv.state_dict().items()}
    torch.save(state, folder / "feature_conv.pt")


def main() -> int:
    """Record, or say in one sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--data-name", required=True)
    arguments = parser.parse_args()
    try:
        record(arguments.run, arguments.fold, FOLDER / arguments.name, arguments.data_name)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
