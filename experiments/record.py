"""Make one result of run folders: their tables, settings, front ends, and the film of the first one's filters.

::

    python -m experiments.record RUN --name esc10-short
    python -m experiments.record runs/fast-seed0 runs/fast-seed1 runs/fast-seed2 --out results/esc10-fast

Several run folders must have been trained with the same settings, but for their seeds or folds. A result that was made
before stands for the runs that it was made of, so that seeds and folds can be added to it. The number format of the
products may differ from run to run; the commands of the result say which run had which.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from envnet_tutorial import probing
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.provenance import command_line
from envnet_tutorial.results import Result
from envnet_tutorial.results.views import fixed_names
from envnet_tutorial.run_folder import RunFolder
from experiments.program import call, destination, make_parser, read_arguments
from experiments.trainings import all_provenance, joined

#: Of the film: tones, the lowest in Hz, the highest as a share of half the sampling rate (7,900 Hz for EnvNet), frames.
NUM_TONES, LOWEST, HIGHEST_SHARE, MOST_FRAMES = 96, 50, 0.9875, 48


def record(runs: Sequence[Path]) -> Result:
    """Return all finished folds of run folders as one result, with the film of the first fold of the first.

    Parameters
    ----------
    runs : sequence of Path
        Run folders that ``train`` wrote, each with at least one fold finished, or results that were made of them.

    Raises
    ------
    InputError
        If one is neither, has no finished fold, was trained with other settings than the first, or with the same seed
        and fold as another.
    """
    results = [read_run(run) for run in runs]
    settings = common_settings(results)
    tables = {name: joined(results, name) for name in ("history", "predictions")}
    commands = [command for result in results for command in train_commands(result)]
    settings |= trained(results) | {"commands": commands, "provenance": all_provenance(results)}
    arrays = {"probabilities": np.concatenate([result.arrays["probabilities"] for result in results])}
    with torch.random.fork_rng(devices=[]):
        fixed = fixed_names(NETWORKS[settings["network"]](len(settings["classes"])).frontend_module)
    for result in results:
        front_ends = [name for name in result.arrays if name.startswith("front_end/")]
        arrays |= {name: result.arrays[name] for name in front_ends if name.rpartition("/")[2] not in fixed}
    return Result(settings, tables, arrays | film_arrays(runs[0]))


def is_result(run: Path) -> bool:
    """Say whether a folder is a result and no run folder: its tables are not in a folder for each fold."""
    return (run / "predictions.csv").exists()


def read_run(run: Path) -> Result:
    """Return the finished folds of a run folder, or of the result that was made of it."""
    result = Result.load(run) if is_result(run) else RunFolder.open(run).result()
    return replace(result, settings=json.loads(json.dumps(result.settings)))  # tuples become lists


def trained(results: Sequence[Result]) -> dict[str, list[int]]:
    """Return the seeds and folds of all results, or refuse those that have a training in common."""
    pairs = [
        pair
        for result in results
        for pair in result.tables["predictions"][["seed", "fold"]].drop_duplicates().itertuples(index=False, name=None)
    ]
    if twice := {pair for pair in pairs if pairs.count(pair) > 1}:
        raise InputError(f"seed {min(twice)[0]}, fold {min(twice)[1]} is in two of the runs: record each training once")
    return {"seeds": list(dict.fromkeys(seed for seed, _ in pairs)), "folds": sorted({fold for _, fold in pairs})}


def train_commands(result: Result) -> list[str]:
    """Return what trained a result, with the number format named: another machine might choose another by itself."""
    commands = [command for command in result.settings["commands"] if "experiments.record" not in command]
    named = f" --precision {result.settings['recipe']['precision']}"
    return [command if "--precision" in command else command + named for command in commands]


def common_settings(results: Sequence[Result]) -> dict:
    """Return what results have to have in common, or refuse them; the number format is each machine's own choice."""
    names = ("kind", "data", "network", "recipe", "classes")
    common = [{name: result.settings[name] for name in names} for result in results]
    formats = dict.fromkeys(settings["recipe"]["precision"] for settings in common)
    for settings in common:
        settings["recipe"] = settings["recipe"] | {"precision": " and ".join(formats)}
    differing = [name for name in names if any(one[name] != common[0][name] for one in common)]
    if differing:
        raise InputError(f"the runs have different {' and '.join(differing)}: make a result of each")
    return common[0]


def film_arrays(path: Path) -> dict[str, np.ndarray]:
    """Probe the kept front ends of a run's first fold, thinned out evenly to at most `MOST_FRAMES`; none if none are.

    Of a result, the film that it has.

    Returns
    -------
    dict of str to ndarray
        film/steps, film/frequencies (Hz), and in float16 film/responses (step, filter, frequency) and film/kernels
        (step, filter, taps); the last only of networks whose filters can be merged.
    """
    if is_result(path):
        return {name: array for name, array in Result.load(path).arrays.items() if name.startswith("film/")}
    run = RunFolder.open(path)
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
    parser.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="a run folder that `train` wrote, or a result made of one"
    )
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
