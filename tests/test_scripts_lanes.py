"""A lane installs in the right order, runs what it says, and fails on what fails and on nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from packaging.requirements import Requirement
from test_house import ASPECTS, WHOLE

from scripts import lanes
from scripts.repository import ROOT
from scripts.versions import LANES

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def notebook(*cells):
    return new_notebook(cells=[new_markdown_cell("# Here `fit(` is text"), *map(new_code_cell, cells)])


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("import torch\nprint(1)", True),
        ("history = training.fit(model, clips, recipe)", False),
        ("for result in k_fold(EnvNet, clips, recipe):\n    pass", False),
        ("result = train_fold(EnvNet, clips, recipe, 1)", False),
        ("line = polyfit(x, y)", True),
    ],
)
def test_a_lesson_that_trains_is_not_fast(cell, expected):
    made = notebook("a = 1", cell)
    assert lanes.is_fast(json.loads(nbformat.writes(made))) == expected
    for place in made.cells[1:]:
        place.source = place.source.splitlines(keepends=True)  # as some editors store it
    assert lanes.is_fast(made) == expected


def test_the_lessons_without_training_are_the_fast_ones():
    names = {path.name.split("_")[0] for path in lanes.fast_notebooks()}
    assert {"01", "02", "03"} <= names
    assert not {"04", "05"} & names


def test_the_tests_of_the_package_are_those_of_its_modules():
    chosen = {Path(name).stem.removeprefix("test_") for name in lanes.package_tests()}
    present = {path.stem.removeprefix("test_") for path in (ROOT / "tests").glob("test_*.py")}
    others = ("scripts_", "benchmarks_", "experiments_")
    assert chosen == {name for name in present - WHOLE - set(ASPECTS) if not name.startswith(others)}


def test_what_is_preinstalled_comes_first_and_bounds_what_follows(tmp_path):
    lanes.resolve(LANES["colab"], HERE, tmp_path)
    assert (tmp_path / "bounds.txt").read_text().split() == list(LANES["colab"].preinstalled)
    first, second = lanes.installations(LANES["colab"], Path("python"), Path("package.whl"), tmp_path)
    assert {"torch==2.9.0", "ipython==7.34.0", str(tmp_path / "bounds.txt")} <= set(first)
    assert second[-1] == "package.whl"
    assert not any("==" in word or "upgrade" in word for word in second)
    assert "package.whl" not in first


def test_the_lowest_versions_are_those_of_the_package_alone(tmp_path):
    """Tools have no lower bounds here, so that the lowest pytest would be one of 2009."""
    command = lanes.resolve(LANES["lowest"], "3.11", tmp_path)
    assert "--extra" not in lanes.resolve(LANES["plain"], "3.11", tmp_path)
    assert command[command.index("--extra") + 1] == "lessons"
    assert command[command.index("--resolution") + 1] == "lowest-direct"
    assert command[command.index("--python-version") + 1] == "3.11"
    assert str(ROOT / "pyproject.toml") in command
    first, second = lanes.installations(LANES["lowest"], Path("python"), Path("package.whl"), tmp_path)
    assert "--resolution" not in [*first, *second]
    assert (
        first[first.index("--requirement") + 1] == first[first.index("--constraints") + 1] == str(tmp_path / "pins.txt")
    )


def test_tools_are_what_the_lock_has():
    """A name that nobody asks for in requirements.in would be tried in the lanes alone."""
    asked = {
        Requirement(line).name for line in (ROOT / "requirements.in").read_text().splitlines() if line[:1].isalpha()
    }
    assert set(lanes.TOOLS) <= asked


def test_warnings_are_passed_over_in_old_lanes_only():
    commands = {name: lanes.tests_command(lane, Path("python")) for name, lane in LANES.items()}
    assert {name for name, command in commands.items() if "-W" in command} == {"lowest", "colab"}
    for command in commands.values():
        assert command[-len(lanes.package_tests()) :] == lanes.package_tests()


def test_a_lane_sees_nothing_of_the_checkout(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MPLBACKEND", "Agg")  # with which a lesson draws no figure
    monkeypatch.setenv("HOME", "/nowhere")
    assert not {"PYTHONPATH", "MPLBACKEND"} & set(lanes.environment())
    assert lanes.environment()["HOME"] == "/nowhere"


def test_the_copied_tests_have_no_package(tmp_path):
    copy = lanes.copy_of_tests(tmp_path)
    assert (copy / "tests" / "test_shapes.py").exists()
    assert (copy / "pyproject.toml").exists()
    assert not (copy / "envnet_tutorial").exists()


@pytest.mark.parametrize(
    ("cell", "passes"), [("import os\nassert os.listdir() == ['a.ipynb']", True), ("1 / 0", False)]
)
def test_a_lesson_is_executed_alone_and_its_error_counts(cell, passes, tmp_path, capsys):
    nbformat.write(notebook(cell), tmp_path / "a.ipynb")
    command = lanes.lesson_command(Path(sys.executable), tmp_path / "a.ipynb")
    if passes:
        lanes.run(command, tmp_path)
    else:
        with pytest.raises(subprocess.CalledProcessError):
            lanes.run(command, tmp_path)
        assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.fixture
def pretend(monkeypatch, tmp_path):
    """Run no command: note them, and let the one fail that holds a word."""
    commands = []

    def install(word="", lists=([], [])):
        lists = iter(lists)

        def run(command, folder):
            commands.append(command)
            if word and word in " ".join(command):
                raise subprocess.CalledProcessError(3, command)
            return "12 passed\n"

        monkeypatch.setattr(lanes, "run", run)
        monkeypatch.setattr(lanes, "installed", lambda python, folder: next(lists))
        monkeypatch.setattr(lanes, "copy_of_tests", lambda folder: folder)
        monkeypatch.setattr(lanes, "build_wheel", lambda folder: folder / "package.whl")
        monkeypatch.setattr(lanes, "claimed_pythons", lambda: [HERE, "3.99"])
        path = tmp_path / "02_lesson.ipynb"
        nbformat.write(notebook("1"), path)
        monkeypatch.setattr(lanes, "fast_notebooks", lambda: [path])
        return commands

    return install


def verdicts(capsys):
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.split()[0] in LANES]
    return {(words[1], words[3].rstrip(":")): words[2] for words in lines}


def test_all_is_well(pretend, capsys):
    commands = pretend()
    assert lanes.main(["lowest"]) == 0
    steps = {(HERE, step): "passed" for step in ("install", "tests", "02_lesson.ipynb")}
    assert verdicts(capsys) == steps | {("3.99", "all"): "skipped"}
    assert len(commands) == 6  # environment, pins, what is there before, package, tests, one lesson


def test_a_lesson_that_compares_with_torchaudio_waits_for_a_lane_that_has_it(pretend, capsys, tmp_path):
    nbformat.write(notebook("import torchaudio"), tmp_path / "01_lesson.ipynb")
    for lane, verdict in (("plain", "skipped"), ("newest", "passed")):
        pretend()
        asked = ["--notebook", str(tmp_path / "01_lesson.ipynb"), "--notebook", str(tmp_path / "02_lesson.ipynb")]
        assert lanes.main([lane, "--python", HERE, *asked]) == 0
        found = verdicts(capsys)
        assert found[HERE, "01_lesson.ipynb"] == verdict and found[HERE, "02_lesson.ipynb"] == "passed"


@pytest.mark.parametrize(("word", "step"), [("pytest -q", "tests"), ("nbclient.cli", "02_lesson.ipynb")])
def test_what_fails_is_named_and_the_rest_still_runs(word, step, pretend, capsys):
    pretend(word)
    assert lanes.main(["newest"]) == 1
    found = verdicts(capsys)
    assert [name for (_, name), verdict in found.items() if verdict == "failed"] == [step]
    assert len(found) == 4


def test_nothing_runs_in_an_environment_that_could_not_be_made(pretend, capsys):
    pretend("package.whl")
    assert lanes.main(["newest"]) == 1
    assert verdicts(capsys) == {(HERE, "install"): "failed", ("3.99", "all"): "skipped"}


def test_a_python_that_is_asked_for_has_to_be_there(pretend, capsys):
    pretend()
    assert lanes.main(["newest", "--python", "3.99"]) == 1
    assert verdicts(capsys) == {("3.99", "all"): "failed"}


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Colab's versions were not built for this Python")
@pytest.mark.parametrize(("version", "code", "verdict"), [("2.0.2", 0, "passed"), ("2.4.0", 1, "failed")])
def test_an_installation_that_changes_colab_fails(version, code, verdict, pretend, capsys):
    pretend(lists=([{"name": "numpy", "version": "2.0.2"}], [{"name": "numpy", "version": version}]))
    assert lanes.main(["colab", "--python", HERE]) == code
    assert verdicts(capsys)[HERE, "keep"] == verdict
