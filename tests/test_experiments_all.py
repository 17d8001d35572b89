"""The one command that does everything goes on where it was; the programs understand its commands, and the shipped."""

import shlex
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from benchmarks import limits, throughput
from envnet_tutorial.__main__ import build_parser
from envnet_tutorial.commands.train import recipe_of
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import SHIPPED, load_result
from envnet_tutorial.training import PRESETS, Recipe
from experiments import ablation, activations, choice, controls, leak, listening, record, weights
from experiments import all as everything
from experiments.program import call

PROGRAMS = {
    "benchmarks.limits": limits.parse,
    "benchmarks.throughput": throughput.parse,
    "envnet_tutorial": lambda arguments: build_parser(arguments[0]).parse_args(arguments),
    "experiments.ablation": lambda arguments: ablation.build_parser().parse_args(arguments),
    "experiments.activations": lambda arguments: activations.build_parser().parse_args(arguments),
    "experiments.choice": lambda arguments: choice.build_parser().parse_args(arguments),
    "experiments.controls": lambda arguments: controls.build_parser().parse_args(arguments),
    "experiments.leak": lambda arguments: leak.build_parser().parse_args(arguments),
    "experiments.listening": lambda arguments: listening.build_parser().parse_args(arguments),
    "experiments.record": lambda arguments: record.build_parser().parse_args(arguments),
    "experiments.weights": lambda arguments: weights.build_parser().parse_args(arguments),
}


def understood(words):
    """Return the name of the program of a command and how it reads its arguments."""
    python, m, program, *arguments = words
    assert (m, python in ("python", sys.executable)) == ("-m", True)
    return program, PROGRAMS[program](arguments)


@pytest.mark.parametrize("name", sorted(folder.name for folder in SHIPPED.iterdir()))
def test_every_shipped_result_names_the_commands_that_make_it_again(name):
    settings = load_result(name).settings
    read = [understood(shlex.split(command)) for command in settings["commands"]]
    assert read[-1][1].name == name
    assert (
        read[-1][0]
        == {
            "run": "experiments.record",
            "ablation": "experiments.ablation",
            "activations": "experiments.activations",
            "choice": "experiments.choice",
            "controls": "experiments.controls",
            "leak": "experiments.leak",
            "listening": "experiments.listening",
            "throughput": "benchmarks.throughput",
            "weights": "experiments.weights",
        }[settings["kind"]]
    )
    for program, options in read:
        if program == "envnet_tutorial":
            trains_what_is_recorded(options, settings)
        elif program == "experiments.ablation":
            asked = (options.base, list(range(options.seeds)), [int(fold) for fold in options.folds.split(",")])
            assert asked == (settings["base"], settings["seeds"], settings["folds"])
            assert list(ablation.variants(PRESETS[options.base], options.only)) == list(settings["recipes"])
        elif program == "experiments.choice":
            assert (options.base, list(range(options.seeds))) == (settings["base"], settings["seeds"])
            asked = list(
                ablation.variants(PRESETS[options.base], options.only)
            )  # one that was stopped may ask for more
            assert (
                asked == list(settings["recipes"]) if options is read[-1][1] else set(asked) >= set(settings["recipes"])
            )
        elif program == "experiments.controls":
            assert list(range(options.seeds)) == settings["seeds"] and settings["folds"] == [controls.TEST_FOLD]
            assert recipe_from(settings) == replace(controls.RECIPE, precision=options.precision)
        elif program == "experiments.leak":
            assert (options.data, options.classifier) == (settings["data"], settings["classifier"])
            assert list(range(options.seeds)) == settings["seeds"]
        elif program == "experiments.listening":
            assert options.classes.split(",") == settings["heard"] and settings["cover"] == listening.COVER
        elif program == "benchmarks.throughput":
            assert vars(options) | settings["options"] == vars(options)
    runs = [options for program, options in read if program == "envnet_tutorial"]
    trained = [str(options.out) for options in runs]
    if settings["kind"] in ("run", "weights"):
        assert list(dict.fromkeys(options.seed for options in runs)) == settings["seeds"]
        assert sorted(set().union(*map(folds_of, runs))) == settings["folds"]
        assert [str(run) for run in read[-1][1].runs] == trained
    if settings["kind"] == "activations":
        assert [read[-1][1].fold] == settings["folds"] and settings["folds"][0] in folds_of(runs[0])
    if settings["kind"] in ("activations", "listening"):
        assert [str(read[-1][1].run)] == trained


def trains_what_is_recorded(options, settings):
    assert (options.data, options.network) == (settings["data"], settings["network"])
    assert options.seed in settings["seeds"]
    recipe = recipe_of(options, torch.device("cpu"))
    formats = settings["recipe"]["precision"].split(" and ")  # of several machines
    assert recipe.precision in formats and recipe == replace(recipe_from(settings), precision=recipe.precision)
    # A run may be put together of several trainings. What was heard is of the first fold only, a drawing of one.
    folds = folds_of(options)
    if settings["kind"] == "activations":
        return
    assert folds[:1] == settings["folds"] if settings["kind"] == "listening" else set(folds) <= set(settings["folds"])


def folds_of(options):
    return [1, 2, 3, 4, 5] if options.folds == "all" else [int(fold) for fold in options.folds.split(",")]


def recipe_from(settings):
    recipe = settings["recipe"]
    plain = {"milestones": tuple(recipe["milestones"]), "precision": recipe["precision"].split(" and ")[0]}
    return Recipe(**recipe | plain)


def planned(tmp_path, device, *told):
    options = everything.build_parser().parse_args(["sounds/ESC-10", str(tmp_path / "runs"), *told])
    return list(everything.steps(options, device))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_command_is_understood(device, tmp_path):
    steps = planned(tmp_path, device, "--data-name", "ESC-10", "--data-note", "as published")
    names, programs = [step.name for step in steps], []
    assert len(set(names)) == len(names)
    assert len({step.result for step in steps if step.result}) == sum(bool(step.result) for step in steps)
    for step in steps:
        if step.name == "lessons":
            assert step.command[2] == "pytest" and step.command[-1] == "notebooks" and device == "cuda"
            continue
        program, options = understood(step.command)
        programs.append(program)
        if program == "envnet_tutorial":
            assert options.network in NETWORKS and recipe_of(options, torch.device("cpu")) and options.resume
        if hasattr(options, "data_name"):
            assert (options.data_name, options.data_note) == ("ESC-10", "as published")
        if step.result:
            assert options.out == step.result
    assert programs.count("envnet_tutorial") == 25 * 3 and programs.count("experiments.record") == 25
    assert set(programs) == set(PROGRAMS)
    assert programs.count("benchmarks.throughput") == (2 if device == "cuda" else 1)


def test_seeds_and_the_way_to_train_can_be_chosen(tmp_path):
    train = "torchrun --nproc-per-node 8 -m envnet_tutorial train --share folds"
    steps = planned(tmp_path, "cuda", "--seeds", "4", "--train", train)
    trainings = [step.command for step in steps if step.command[0] == "torchrun"]
    assert len(trainings) == 25 and trainings[0][:7] == shlex.split(train)[:7]
    assert all(command[command.index("--seed") + 1] == "4" for command in trainings)
    assert any(step.command[-1].endswith("fast-cuda") and "fast-seed4" in step.command[3] for step in steps)


def step(name, script, result=None):
    return everything.Step(name, [sys.executable, "-c", script], result)


def test_a_step_is_done_once_and_what_it_prints_is_kept(tmp_path, capsys):
    count = f"open({str(tmp_path / 'count')!r}, 'a').write('x'); print('done')"
    for _ in range(2):
        everything.do_once(step("a", count), tmp_path)
    command, *printed = (tmp_path / "a.txt").read_text().splitlines()
    assert (tmp_path / "count").read_text() == "x" and printed == ["done"]
    assert shlex.split(command) == ["$", "-c", count]
    assert capsys.readouterr().out.startswith("done\na: 0 s")


def test_a_step_that_fails_is_done_again(tmp_path):
    with pytest.raises(InputError, match="a ended with status 1"):
        everything.do_once(step("a", "print('half'); raise SystemExit(1)"), tmp_path)
    everything.do_once(step("a", "print('whole')"), tmp_path)
    assert (tmp_path / "a.txt").read_text().endswith("\nwhole\n") and not list(tmp_path.glob("*.part"))


def test_what_another_command_has_left_is_not_taken_for_this_one(tmp_path):
    """Other data or more seeds in the same folder would else print nothing, do nothing and end well."""
    everything.do_once(step("a", "print('ESC-10')"), tmp_path)
    with pytest.raises(InputError, match=r"a.txt is of other data, seeds or options"):
        everything.do_once(step("a", "print('ESC-50')"), tmp_path)


def test_a_result_that_is_there_needs_no_step(tmp_path):
    """Killed between the result and its own note of it, the program would be told that the result exists."""
    everything.do_once(step("a", "raise SystemExit(1)", SimpleNamespace(exists=lambda: True)), tmp_path)


def test_seeds_that_are_no_numbers_are_refused(tmp_path, capsys):
    assert call(lambda: everything.main(["data", str(tmp_path / "runs"), "--seeds", "0,x"])) == 2
    assert "--seeds takes numbers such as 1,2; got '0,x'" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
