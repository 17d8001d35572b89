"""Which versions the project is tried with: sets of them, called lanes, and the Pythons that pyproject.toml claims."""

import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from scripts.repository import ROOT


@dataclass(frozen=True)
class Lane:
    """One set of versions.

    Parameters
    ----------
    name : str
    preinstalled : tuple of str, optional
        Requirements that are there before the package, and that installing it must leave as they are.
    resolution : str, default "highest"
        Which of the versions that pyproject.toml allows are taken, in uv's words.
    extras : tuple of str, optional
        Which of the package's optional dependencies belong to it.
    newest_python : str, optional
        The last Python that these versions were built for; all without.
    reason : str, optional
        Why no later one.
    ignored : tuple of str, optional
        Warnings that are no errors in the tests of this lane, in pytest's words.
    """

    name: str
    preinstalled: tuple[str, ...] = ()
    resolution: str = "highest"
    extras: tuple[str, ...] = ()
    newest_python: str | None = None
    reason: str = ""
    ignored: tuple[str, ...] = ()

    @property
    def has_torchaudio(self) -> bool:
        """Whether lesson 1, which compares with torchaudio, finds it there."""
        return "lessons" in self.extras or any(line.startswith("torchaudio") for line in self.preinstalled)


#: ipywidgets 7 makes its channels by a name of ipykernel that goes away some day; nobody sees it but a test.
OLD_WIDGETS = "ignore:The `ipykernel.comm.Comm` class has been deprecated:DeprecationWarning"
#: matplotlib 3.7 calls names that today's pyparsing, which nobody bounds, calls deprecated.
OLD_MATPLOTLIB = "ignore::pyparsing.warnings.PyparsingDeprecationWarning"
LANES = {
    lane.name: lane
    for lane in (
        Lane(
            "colab",
            preinstalled=(
                "torch==2.9.0",
                "torchaudio==2.9.0",
                "numpy==2.0.2",
                "pandas==2.2.2",
                "ipython==7.34.0",
                "ipywidgets==7.7.1",
            ),
            newest_python="3.12",
            reason="numpy 2.0.2 and pandas 2.2.2 were built for Python 3.12 at the latest",
            ignored=(OLD_WIDGETS,),
        ),
        Lane("lowest", resolution="lowest-direct", extras=("lessons",), ignored=(OLD_MATPLOTLIB, OLD_WIDGETS)),
        Lane("newest", extras=("lessons",)),
        Lane("plain"),  # what `pip install` of the package alone brings: the newest torch, and no torchaudio
    )
}


def claimed_pythons(root: Path = ROOT) -> list[str]:
    """Return the versions of Python that pyproject.toml claims in its classifiers."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    lines = settings["project"]["classifiers"]
    found = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line) for line in lines)
    return [match[1] for match in found if match]


def interpreter(python: str) -> str | None:
    """Return the path of an interpreter of that version which really runs, or None.

    A version manager may put names on the path that only say which version one should choose first.
    """
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    for name in (f"python{python}", "python3", "python", sys.executable):
        path = shutil.which(name)
        if path is None:
            continue
        done = subprocess.run([path, "-c", code], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip() == python:
            return path
    return None


def reason_to_skip(lane: Lane, python: str) -> str | None:
    """Return why a lane's versions cannot be had on that Python, or None if they can."""
    is_late = lane.newest_python is not None and _number(python) > _number(lane.newest_python)
    return lane.reason if is_late else None


def _number(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))


def changed(before: list[dict], after: list[dict]) -> list[str]:
    """Compare two lists of ``pip list --format json``.

    Returns
    -------
    list of str
        A sentence for each package of the first that has another version in the second, or is gone; new ones are fine.
    """
    now = {entry["name"].lower(): entry["version"] for entry in after}
    return [
        f"{entry['name']} {entry['version']} became {now.get(entry['name'].lower(), 'nothing')}"
        for entry in before
        if now.get(entry["name"].lower()) != entry["version"]
    ]
