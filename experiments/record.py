"""Make one result of run folders: their tables, settings, front ends, and the film of the first one's filters.

::

    python -m experiments.record RUN --name esc10-short
    python -m experiments.record runs/fast-seed0 runs/fast-seed1 runs/fast-seed2 --out results/esc10-fast

Several run folders must have been trained with the same settings, but for their seeds or folds.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from envnet_tutorial import probing
from envnet_tutorial.errors import InputError
from envnet_tutorial.provenance import command_line
from envnet_tutorial.results import Result
from envnet_tutorial.run_folder import RunFolder
from experiments.program import call, destination, make_parser, read_arguments
from experiments.trainings import all_commands, all_provenance, joined

#: Of the film: tones, the lowest in Hz, the highest as a share of half the sampling rate (7,900 Hz for EnvNet), frames.
NUM_TONES, LOWEST, HIGHEST_SHARE, MOST_FRAMES = 96, 50, 0.9875, 48


def record(runs: Sequence[Path]) -> Result:
    """Return all finished folds of run folders as one result, with the film of the first fold of the first.

    Parameters
    ----------
    runs : sequence of Path
        Run folders that ``train`` wrote, each with at least one fold finished.

    Raises
    ------
    InputError
        If one is no run folder, has no finished fold, was trained with other settings than the first, or with the same
        seed and fold as another.
    """
    folders = [RunFolder.open(run) for run in runs]
    results = [folder.result() for folder in folders]
    settings = common_settings(results)
    trained = [(result.settings["seeds"][0], fold) for result in results for fold in result.settings["folds"]]
    if twice := {pair for pair in trained if trained.count(pair) > 1}:
        raise InputError(f"seed {min(twice)[0]}, fold {min(twice)[1]} is in two of the runs: record each training once")
    settings |= {
        "seeds": list(dict.fromkeys(seed for seed, _ in trained)),
        "folds": sorted({fold for result in results for fold in result.settings["folds"]}),
        "commands": [with_precision(command, settings) for command in all_commands(results)],
        "provenance": all_provenance(results),
    }
    tables = {name: joined(results, name) for name in ("history", "predictions")}
    arrays = {"probabilities": np.concatenate([result.arrays["probabilities"] for result in results])}
    for result in results:
        arrays |= {name: array for name, array in result.arrays.items() if name.startswith("front_end/")}
    return Result(settings, tables, arrays | film_arrays(folders[0]))


def with_precision(command: str, settings: dict) -> str:
    """Name the number format in a command that left it to the machine: another machine might choose another."""
    return command if "--precision" in command else f"{command} --precision {settings['recipe']['precision']}"


def common_settings(results: Sequence[Result]) -> dict:
    """Return what results have to have in common, or refuse them."""
    names = ("kind", "data", "network", "recipe", "classes")
    common = [{name: result.settings[name] for name in names} for result in results]
    differing = [name for name in names if any(one[name] != common[0][name] for one in common)]
    if differing:
        raise InputError(f"the runs have different {' and '.join(differing)}: make a result of each")
    return common[0]


def film_arrays(run: RunFolder) -> dict[str, np.ndarray]:
    """Probe the kept front ends of a run's first fold, thinned out evenly to at most `MOST_FRAMES`; none if none are.

    Returns
    -------
    dict of str to ndarray
        film/steps, film/frequencies (Hz), and in float16 film/responses (step, filter, frequency) and film/kernels
        (step, filter, taps); the last only of networks whose filters can be merged.
    """
    front_ends = run.front_ends(run.finished_folds()[0])
    if not front_ends:
        return {}
    steps = list(front_ends)
    steps = [steps[i] for i in np.unique(np.linspace(0, len(steps) - 1, MOST_FRAMES).round().astype(int))]
    network, responses, kernels = run.network_class(1), [], []
    highest = HIGHEST_SHARE * network.input_format.sample_rate / 2
    frequencies = probing.probe_frequencies(NUM_TONES, LOWEST, highest)
    for step in steps:
        network.frontend_module.load_state_dict(front_ends[step])
        responses.append(probing.response_matrix(network, frequencies).half())
        if network.linear_stages():
            kernels.append(probing.composite_kernels(network).half())
    film = {"steps": np.array(steps), "frequencies": frequencies.numpy(), "responses": torch.stack(responses).numpy()}
    film |= {"kernels": torch.stack(kernels).numpy()} if kernels else {}
    return {f"film/{name}": array for name, array in film.items()}


def build_parser():
    """Return the parser of the command line."""
    parser = make_parser(__doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="a run folder that `train` wrote")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Record, and say what."""
    options = read_arguments(build_parser(), arguments)
    folder = destination(options)
    result = record(options.runs)
    result.settings["commands"].append(command_line("experiments.record", options.typed))
    result.save(folder)
    print(f"{folder}: seeds {result.settings['seeds']}, folds {result.settings['folds']}")


if __name__ == "__main__":
    sys.exit(call(main))
