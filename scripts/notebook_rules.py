"""What a committed lesson must be; every rule yields one sentence for each place that breaks it."""

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import nbformat

from scripts.repository import address

MAX_BYTES = 1_500_000
MAX_LINES = 25
MAX_MEDIAN_LINES = 8
#: Tags of folded cells that the page labels by itself.
FOLDED = {"install", "setup", "settings", "solution"}
#: Characters of code that a column of the page holds.
MAX_COLUMNS = 88
WIDGET = "application/vnd.jupyter.widget-view+json"
PICTURES = ("image/png", "image/jpeg")
INSTALL = """\
# Colab has no copy of the book's package: fetch it once.
# torch and numpy stay as they are.
import importlib.util

if importlib.util.find_spec("envnet_tutorial") is None:
    %pip install --quiet "git+{address}\""""
FOLDERS = "home|root|Users|tmp|work|usr|opt|var|mnt|etc|srv|private|content"
ABSOLUTE_PATH = re.compile(rf"(?<![\w.:/<+=~-])/(?:{FOLDERS})/[\w.~-]|(?<!\w)[A-Za-z]:\\\\?\w|file:///")
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
EMBEDDED = re.compile(r"base64,[A-Za-z0-9+/=\s]+")
DIRECTIVE = re.compile(r"^\s*(?:```|:::)\{|\{[a-z:]+\}`", re.MULTILINE)


def code_cells(notebook) -> list:
    """Return the cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell) -> list[str]:
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def texts(cell) -> Iterator[str]:
    """Yield what a cell shows as text, source and outputs, without the media embedded in them."""
    yield cell.source
    for output in cell.get("outputs", []):
        yield output.get("text", "")
        for kind in ("text/plain", "text/html", "text/markdown", "text/latex"):
            yield EMBEDDED.sub("", output.get("data", {}).get(kind, ""))


def is_executed(notebook, path: Path) -> Iterator[str]:
    """Refuse a cell that has not run in its turn: nbval does not compare a cell without an execution count."""
    for position, cell in enumerate(code_cells(notebook), start=1):
        if cell.execution_count != position:
            yield f"code cell {position} has execution count {cell.execution_count}: execute the notebook from the top"


def has_no_error(notebook, path: Path) -> Iterator[str]:
    """Refuse a stored error or message on stderr."""
    for position, cell in enumerate(code_cells(notebook), start=1):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"code cell {position} stores the error {output.ename}"
            if output.get("name") == "stderr":
                yield f"code cell {position} stores a message on stderr: {output.text[:60]!r}"


def names_no_place(notebook, path: Path) -> Iterator[str]:
    """Refuse absolute paths and memory addresses, which are different on the reader's computer."""
    for position, cell in enumerate(notebook.cells, start=1):
        for text in texts(cell):
            for found in [*ABSOLUTE_PATH.finditer(text), *ADDRESS.finditer(text)]:
                yield f"cell {position} names a place on one computer: {text[found.start() : found.start() + 40]!r}"


def is_small(notebook, path: Path) -> Iterator[str]:
    """Refuse a file that is too large for git and for a phone."""
    if (size := path.stat().st_size) > MAX_BYTES:
        yield f"the file has {size:,} bytes, more than {MAX_BYTES:,}"


def uses_own_kernel(notebook, path: Path) -> Iterator[str]:
    """Refuse a kernel other than the one that every Jupyter has."""
    if (name := notebook.metadata.get("kernelspec", {}).get("name")) != "python3":
        yield f"the kernel is {name!r} instead of 'python3'"


def installs_where_missing(notebook, path: Path) -> Iterator[str]:
    """Refuse a lesson that does not begin with the installation for Colab, word by word."""
    cells = code_cells(notebook)
    wanted = INSTALL.format(address=address())
    if not cells or cells[0].source.strip() != wanted or "install" not in tags(cells[0]):
        yield "the first code cell is not the installation cell (tag 'install', the text of scripts/notebook_rules.py)"


def describes_figures(notebook, path: Path) -> Iterator[str]:
    """Refuse a picture without a caption, a label of its lesson, or an alternative text that says what it shows."""
    label = f"fig-{path.name.split('_')[0].lstrip('0')}-"
    for position, cell in enumerate(code_cells(notebook), start=1):
        pictures = sum(any(kind in output.get("data", {}) for kind in PICTURES) for output in cell.outputs)
        if not pictures:
            continue
        if pictures > 1:
            yield f"code cell {position} shows {pictures} pictures under one caption: one picture a cell"
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if not figure.get("caption"):
            yield f"code cell {position} shows a picture without a caption"
        if not figure.get("name", "").startswith(label):
            yield f"code cell {position} shows a picture whose label does not begin with {label!r}"
        if len(alt.split()) < 4:
            yield f"code cell {position} shows a picture without an alternative text: {alt!r}"


def has_one_title(notebook, path: Path) -> Iterator[str]:
    """Refuse more or less than one heading of the first level, at the top."""
    titles = [
        line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL).splitlines()
        if line.startswith("# ")
    ]
    if len(titles) != 1 or not notebook.cells[0].source.startswith("# "):
        yield f"there are {len(titles)} headings of the first level {titles}: one, in the first cell"


def has_short_cells(notebook, path: Path) -> Iterator[str]:
    """Refuse long cells: one claim a cell."""
    lengths = [len(cell.source.splitlines()) for cell in code_cells(notebook)]
    for position, length in enumerate(lengths, start=1):
        if length > MAX_LINES:
            yield f"code cell {position} has {length} lines, more than {MAX_LINES}"
    if lengths and (middle := median(lengths)) >= MAX_MEDIAN_LINES:
        yield f"half of the code cells have {middle} lines or more; below {MAX_MEDIAN_LINES} is the rule"


def shows_widgets_without_kernel(notebook, path: Path) -> Iterator[str]:
    """Refuse a widget that has no picture for those without a kernel."""
    for position, cell in enumerate(code_cells(notebook), start=1):
        for output in cell.outputs:
            data = output.get("data", {})
            if WIDGET in data and not any(kind in data for kind in PICTURES):
                yield f"code cell {position} shows a widget without a picture for the static page"


def reads_well_in_colab(notebook, path: Path) -> Iterator[str]:
    """Refuse MyST directives and roles, which Colab and Jupyter print raw."""
    for position, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "markdown" and (found := DIRECTIVE.search(cell.source)):
            yield f"cell {position} uses {found.group().strip()!r}, which Colab prints raw"


def folds_solutions(notebook, path: Path) -> Iterator[str]:
    """Refuse a lesson without solutions, and a solution that is not folded on the page."""
    solutions = [cell for cell in code_cells(notebook) if "solution" in tags(cell)]
    if not solutions:
        yield "there is no solution cell (tags 'solution' and 'hide-input')"
    for cell in solutions:
        if "hide-input" not in tags(cell):
            yield f"the solution {cell.source.splitlines()[0]!r} is not folded: tag it 'hide-input'"


def names_what_it_folds(notebook, path: Path) -> Iterator[str]:
    """Refuse a folded cell whose button does not say what is in it; the page labels the cells of `FOLDED` itself."""
    for position, cell in enumerate(code_cells(notebook), start=1):
        is_folded = {"hide-cell", "hide-input"} & set(tags(cell))
        if is_folded and not FOLDED & set(tags(cell)) and "code_prompt_show" not in cell.metadata.get("mystnb", {}):
            yield f"code cell {position} is folded and does not say what it holds: give it a 'code_prompt_show'"


def minutes_to_read(notebook) -> int:
    """Reckon how long a lesson takes: 150 words, 15 lines of code or a question a minute, to the next five minutes."""
    prose = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    words = len(re.sub(r"\]\([^)]*\)", "", prose).split())  # without the addresses of links
    lines = sum(len(cell.source.splitlines()) for cell in code_cells(notebook))
    questions = sum("= ..." in cell.source for cell in code_cells(notebook))
    return max(5, 5 * round((words / 150 + lines / 15 + questions) / 5))


def says_how_long_it_is(notebook, path: Path) -> Iterator[str]:
    """Refuse a lesson that promises fewer minutes than it takes, or more, or says nothing of them."""
    said = [found for cell in notebook.cells for found in re.findall(r"About (\d+) minutes to read", cell.source)]
    minutes = minutes_to_read(notebook)
    if said != [str(minutes)]:
        yield f"it says {said} minutes to read, and takes about {minutes}"


def fits_the_column(notebook, path: Path) -> Iterator[str]:
    """Refuse code and printed text that the page cuts off at its right edge.

    The installation is one text for all, and what is said of a solution is wrapped by the page.
    """
    for position, cell in enumerate(code_cells(notebook)[1:], start=2):
        printed = "" if "solution" in tags(cell) else "\n".join(printed_texts(cell))
        for line in (*cell.source.splitlines(), *printed.splitlines()):
            if len(line) > MAX_COLUMNS:
                yield f"code cell {position} has a line of {len(line)} characters: {line[:40]!r}"
            elif line.endswith("  \\"):
                yield f"code cell {position} shows a table that is too wide: {line[:40]!r}"


def printed_texts(cell) -> Iterator[str]:
    """Yield what the outputs of a cell print as text; of an object that brings its own look, only a table counts."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        yield output.get("text", "")
        yield data.get("text/markdown", "")
        if not set(data) - {"text/plain"} or "dataframe" in data.get("text/html", ""):
            yield data.get("text/plain", "")


RULES = (
    is_executed,
    has_no_error,
    names_no_place,
    is_small,
    uses_own_kernel,
    installs_where_missing,
    describes_figures,
    has_one_title,
    has_short_cells,
    fits_the_column,
    shows_widgets_without_kernel,
    reads_well_in_colab,
    folds_solutions,
    names_what_it_folds,
    says_how_long_it_is,
)


def complaints(path: Path) -> list[str]:
    """Hold one notebook file against every rule and return a sentence for each breach."""
    notebook = nbformat.read(path, as_version=4)
    return [f"{path.name}: {sentence}" for rule in RULES for sentence in rule(notebook, path)]
