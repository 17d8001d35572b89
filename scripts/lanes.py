"""The lanes: versions that readers have and the pins do not, each tried in an environment of its own.

Run as ``python -m scripts.lanes colab`` (or ``lowest``, ``newest``, ``all``). A lane makes an environment below a
temporary folder, installs the package from a wheel, runs the package's tests against it, and executes the fast lessons,
each alone in an empty folder. It fails on what fails; a Python that cannot be had, or that a lane's versions were never
built for, is skipped with its reason.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from scripts.repository import ROOT
from scripts.versions import LANES, Lane, changed, claimed_pythons, interpreter, reason_to_skip

#: What the tests of the package need beside it, and what executes a lesson.
TOOLS = (
    "beautifulsoup4",
    "hypothesis",
    "ipykernel",
    "nbclient",
    "nbformat",
    "nbval",
    "pytest",
    "pytest-timeout",
    "pyyaml",
    "selenium",
)
#: Names that a lesson trains with, which takes minutes where all else takes seconds.
TRAINING = re.compile(r"\b(?:training\.)?(?:fit|train_fold|k_fold)\(")
#: What the tests of the package read beside themselves and the package.
BESIDE_TESTS = ("tests", "scripts", "notebooks", "experiments", "benchmarks", "book", "pyproject.toml", "README.md")
SECONDS_PER_CELL = 900
#: Variables that would bring other modules into a lane, or keep the figures of its lessons from being drawn.
FOREIGN = ("PYTHONPATH", "VIRTUAL_ENV", "MPLBACKEND")


class Outcome(NamedTuple):
    """What came of one step of a lane: "passed", "failed" or "skipped", and in the last two cases why."""

    lane: str
    python: str
    step: str
    verdict: str
    reason: str = ""

    def __str__(self) -> str:
        """Write it as one line."""
        line = f"{self.lane:8} {self.python:5} {self.verdict:8} {self.step}"
        return f"{line}: {self.reason}" if self.reason else line


def is_fast(notebook: dict) -> bool:
    """Tell whether a lesson takes seconds: whether it trains nothing."""
    return not any(
        TRAINING.search("".join(cell["source"])) for cell in notebook["cells"] if cell["cell_type"] == "code"
    )


def fast_notebooks(folder: Path = ROOT / "notebooks") -> list[Path]:
    """Return the lessons that train nothing."""
    return [path for path in sorted(folder.glob("*.ipynb")) if is_fast(json.loads(path.read_text(encoding="utf-8")))]


def package_tests(root: Path = ROOT) -> list[str]:
    """Return the modules of tests that are named after a module of the package.

    The tests of lessons, book, pins and scripts hold for the pinned environment.
    """
    package = root / "envnet_tutorial"
    modules = [path.relative_to(package).with_suffix("").parts for path in package.rglob("*.py")]
    prefixes = {"_".join(part for part in parts if part != "__init__") for parts in modules} - {""}
    tests = sorted((root / "tests").glob("test_*.py"))
    return [f"tests/{path.name}" for path in tests if path.stem.removeprefix("test_") in prefixes]


def uv(*arguments: str) -> list[str]:
    """Return the command line of one verb of uv's pip, which takes wheels only: a build would need a compiler."""
    verb, *rest = arguments
    wheels = [] if verb == "list" else ["--only-binary", ":all:"]
    return [sys.executable, "-m", "uv", "pip", verb, *wheels, *rest]


def resolve(lane: Lane, python: str, folder: Path) -> list[str]:
    """Return the command that writes the package's own dependencies, as this lane has them, to ``pins.txt``."""
    bounds = folder / "bounds.txt"
    bounds.write_text("\n".join(lane.preinstalled) + "\n", encoding="utf-8")
    options = ["--resolution", lane.resolution, "--python-version", python, "--constraints", str(bounds)]
    options += [word for extra in lane.extras for word in ("--extra", extra)]
    return uv("compile", "--quiet", *options, "--output-file", str(folder / "pins.txt"), str(ROOT / "pyproject.toml"))


def installations(lane: Lane, python: Path, wheel: Path, folder: Path) -> list[list[str]]:
    """Return the commands that fill an environment: first what is there before, then the package.

    On Colab the package finds its dependencies there; elsewhere `resolve` has chosen them.
    """
    install = uv("install", "--quiet", "--python", str(python))
    pins = str(folder / "pins.txt")
    before = list(lane.preinstalled) or ["--requirement", pins]
    held = str(folder / "bounds.txt") if lane.preinstalled else pins
    return [[*install, *before, *TOOLS, "--constraints", held], [*install, str(wheel)]]


def lesson_command(python: Path, notebook: Path) -> list[str]:
    """Return the command that executes a lesson in its folder, and fails with its first error."""
    execute = "from nbclient.cli import main; main()"
    patience = [f"--timeout={SECONDS_PER_CELL}", f"--startup_timeout={SECONDS_PER_CELL}"]
    return [str(python), "-c", execute, *patience, str(notebook)]


def tests_command(lane: Lane, python: Path) -> list[str]:
    """Return the command that runs the package's tests, the slow ones left out, in a copy without the package."""
    ignored = [word for warning in lane.ignored for word in ("-W", warning)]
    return [str(python), "-m", "pytest", "-q", "-m", "not slow", *ignored, *package_tests()]


def environment() -> dict[str, str]:
    """Return the variables of a lane: its own kernel, which draws as a reader's does, and nothing of the checkout."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return kept | {"JUPYTER_PREFER_ENV_PATH": "1", "UV_HTTP_TIMEOUT": "600"}


def build_wheel(folder: Path) -> Path:
    """Build the package's wheel from a copy, so that nothing is left in the checkout."""
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "envnet_tutorial", source / "envnet_tutorial", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(ROOT / name, source)
    run([sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(source)], folder)
    return next(folder.glob("*.whl"))


def run(command: list[str], folder: Path) -> str:
    """Run a command in a folder and return what it printed.

    Raises
    ------
    subprocess.CalledProcessError
    """
    done = subprocess.run(
        command, cwd=folder, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        print(done.stdout[-20_000:], flush=True)
    done.check_returncode()
    return done.stdout


def installed(python: Path, folder: Path) -> list[dict]:
    """List what an environment holds."""
    command = uv("list", "--quiet", "--format", "json", "--python", str(python))
    done = subprocess.run(command, cwd=folder, env=environment(), text=True, capture_output=True, check=True)
    return json.loads(done.stdout)


def lane_steps(lane: Lane, python: str, wheel: Path, folder: Path, notebooks: list[Path]) -> Iterator[Outcome]:
    """Run one lane on one Python, and yield what came of each step; a failed installation is the last."""
    with reported(lane, python, "install") as outcome:
        own, before = install(lane, python, wheel, folder)
    yield outcome[0]
    if outcome[0].verdict == "failed":
        return
    if lane.preinstalled:
        broken = changed(before, installed(own, folder))
        yield Outcome(lane.name, python, "keep", "failed" if broken else "passed", "; ".join(broken))
    with reported(lane, python, "tests") as outcome:
        print(run(tests_command(lane, own), copy_of_tests(folder)).splitlines()[-1], flush=True)
    yield outcome[0]
    for notebook in notebooks:
        if not lane.has_torchaudio and "import torchaudio" in notebook.read_text(encoding="utf-8"):
            yield Outcome(lane.name, python, notebook.name, "skipped", "this lane has no torchaudio to compare with")
            continue
        with reported(lane, python, notebook.name) as outcome:
            alone = folder / notebook.stem
            alone.mkdir()
            run(lesson_command(own, Path(shutil.copy(notebook, alone))), alone)
        yield outcome[0]


def install(lane: Lane, python: str, wheel: Path, folder: Path) -> tuple[Path, list[dict]]:
    """Make a lane's environment; return its interpreter, and what it held before the package came."""
    run([sys.executable, "-m", "uv", "venv", "--quiet", "--python", interpreter(python), str(folder / "env")], folder)
    own = folder / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(resolve(lane, python, folder), folder)
    first, second = installations(lane, own, wheel, folder)
    run(first, folder)
    before = installed(own, folder)
    run(second, folder)
    return own, before


@contextmanager
def reported(lane: Lane, python: str, step: str) -> Iterator[list[Outcome]]:
    """Turn a failed command within the context into an outcome, in the list that it gives."""
    outcome = [Outcome(lane.name, python, step, "passed")]
    try:
        yield outcome
    except subprocess.CalledProcessError as error:
        outcome[0] = Outcome(lane.name, python, step, "failed", f"exit status {error.returncode}")


def copy_of_tests(folder: Path) -> Path:
    """Copy the tests and what they read, but not the package: what they import is the installed one."""
    copy = folder / "checkout"
    copy.mkdir()
    for name in BESIDE_TESTS:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(place, copy)
    return copy


def run_lanes(lanes: list[Lane], pythons: list[str] | None, notebooks: list[Path], folder: Path) -> Iterator[Outcome]:
    """Run lanes on Pythons, or on those that are claimed and here; each has a folder of its own until it is done."""
    wheel, is_asked_for = None, pythons is not None
    for lane in lanes:
        for python in pythons or claimed_pythons():
            if reason := reason_to_skip(lane, python):
                yield Outcome(lane.name, python, "all", "skipped", reason)
                continue
            if interpreter(python) is None:
                verdict = "failed" if is_asked_for else "skipped"
                yield Outcome(lane.name, python, "all", verdict, f"this machine has no Python {python}")
                continue
            wheel = wheel or build_wheel(folder)
            with tempfile.TemporaryDirectory(dir=folder, prefix=f"{lane.name}-{python}-") as own:
                yield from lane_steps(lane, python, wheel, Path(own), notebooks)


def main(arguments: list[str] | None = None) -> int:
    """Run the lanes that the command line names; return 1 if anything failed, 0 if it passed or was skipped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lane", choices=[*LANES, "all"])
    parser.add_argument("--python", action="append", help="such as 3.12, also several times (default: all claimed)")
    parser.add_argument("--notebook", action="append", type=Path, help="instead of the fast lessons")
    options = parser.parse_args(arguments)
    lanes = list(LANES.values()) if options.lane == "all" else [LANES[options.lane]]
    notebooks = fast_notebooks() if options.notebook is None else [path.resolve() for path in options.notebook]
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="lanes-") as folder:
        for outcome in run_lanes(lanes, options.python, notebooks, Path(folder)):
            print(outcome, flush=True)
            outcomes.append(outcome)
    return int(any(outcome.verdict == "failed" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
