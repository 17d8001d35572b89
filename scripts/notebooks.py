"""Execute the lessons, keep what git should keep of them, and lend checked outputs to the book build.

Run as ``python -m scripts.notebooks execute notebooks/*.ipynb`` (``make notebooks``).
"""

import argparse
import hashlib
import sys
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from nbclient import NotebookClient

from scripts.notebook_rules import PICTURES, WIDGET, complaints

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "_build" / ".jupyter_cache"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SECONDS_PER_CELL = 900


def normalise(notebook):
    """Drop from a notebook what differs between two runs or two computers and teaches nothing.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place: no times, no versions, no widget state, no widget that has its picture beside it; and cell
        ids that follow from the text, so that editing one cell changes one cell in git.

    Returns
    -------
    nbformat.NotebookNode
        The same notebook.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen = {}
    for cell in notebook.cells:
        digest = hashlib.sha1(cell.source.encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = f"{digest}-{seen[digest]}"
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in ("tags", "mystnb")})
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if WIDGET in data and any(picture in data for picture in PICTURES):
                del data[WIDGET]
            output.get("metadata", {}).pop(WIDGET, None)
    return notebook


def execute(path: Path) -> None:
    """Run every cell of a notebook in its folder and store the outputs, normalised; an error leaves the file alone."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=SECONDS_PER_CELL, kernel_name="python3", resources=where).execute()
    nbformat.write(normalise(notebook), path)


def reuse(path: Path) -> None:
    """Let the next book build show the stored outputs instead of executing.

    That is right only when a test has just reproduced them.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    get_cache(CACHE).cache_notebook_file(str(path.resolve()), overwrite=True)


def main() -> int:
    """Run one verb over the notebooks that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=["execute", "normalise", "reuse", "check"])
    parser.add_argument("notebook", nargs="+", type=Path)
    arguments = parser.parse_args()
    found = []
    for path in arguments.notebook:
        print(f"{arguments.verb} {path}", flush=True)
        if arguments.verb == "execute":
            execute(path)
        elif arguments.verb == "normalise":
            nbformat.write(normalise(nbformat.read(path, as_version=4)), path)
        elif arguments.verb == "reuse":
            reuse(path)
        else:
            found += complaints(path)
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
