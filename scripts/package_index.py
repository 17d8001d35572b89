"""What is in the package and in the lessons, read from their sources: floors, modules, names, and who uses which.

The book's reference, the picture of the package and the tests of the house all read it here.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

PACKAGE = "envnet_tutorial"
#: A lesson named in a sentence: "lesson 4", "lessons 1, 4 and 6", "appendix on speed".
MENTION = re.compile(r"\blessons?\s+\d+(?:(?:,|,?\s+and|,?\s+or)\s+\d+)*|\bappendix\s+on\s+\w+", re.IGNORECASE)
#: One link of a mention: the words up to a number, or all of an appendix.
LINK = re.compile(r"\blessons?\s+\d+|\d+|\bappendix\s+on\s+\w+", re.IGNORECASE)


@dataclass(frozen=True)
class Definition:
    """One public function or class of the package, with its docstring."""

    module: str
    name: str
    docstring: str

    @property
    def full_name(self) -> str:
        """Return the name that an import needs."""
        return f"{self.module}.{self.name}"


def floors(root: Path) -> list[dict]:
    """Return the floors of the package from the ground up: page, modules, and what they are for."""
    return yaml.safe_load((root / "book" / "floors.yml").read_text(encoding="utf-8"))


def modules(root: Path) -> dict[str, Path]:
    """Return the files of the package by the names that an import needs, a folder before what is in it."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py"), key=lambda path: path.parts):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return dict(sorted(found.items()))


def modules_of(root: Path, floor: dict) -> list[str]:
    """Return the modules of a floor, in the order in which its list names them.

    The package's own file is on the ground, and what starts the commands is with them.
    """
    first = [PACKAGE] if floor["page"] == "ground" else []
    last = [f"{PACKAGE}.__main__"] if floor["page"] == "commands" else []
    tops = [f"{PACKAGE}.{name}" for name in floor["modules"]]
    return first + [name for top in tops for name in modules(root) if is_within(name, top)] + last


def imports(source: str) -> set[str]:
    """Return the full names of the modules that a source text imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def definitions(root: Path) -> list[Definition]:
    """Return the public functions and classes of the package."""
    return [
        Definition(module, node.name, ast.get_docstring(node) or "")
        for module, path in modules(root).items()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    ]


def lesson_pages(root: Path) -> dict[str, str]:
    """Return the pages of the lessons by what a sentence calls them: ``4``, ``speed``."""
    pages = sorted((root / "notebooks").glob("*.ipynb"))
    return {
        str(int(page.stem.split("_")[0])) if page.stem[0].isdigit() else page.stem.partition("_")[2]: (
            f"notebooks/{page.stem}"
        )
        for page in pages
    }


def page_of(words: str, pages: dict[str, str]) -> str | None:
    """Return the page that "lesson 4", "6" or "appendix on speed" leads to; None where there is none yet."""
    return pages.get(words.split()[-1].lower())


def mentions(text: str) -> list[str]:
    """Return what a text calls the lessons that it names: ``["4", "speed"]``."""
    return [words.split()[-1].lower() for found in MENTION.findall(text) for words in LINK.findall(found)]


def lesson_code(notebook: Path) -> str:
    """Return the code of a notebook as Python, without what only a notebook understands."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", "\n".join(code), flags=re.MULTILINE)


def uses(code: str) -> Iterator[tuple[str, str]]:
    """Yield what a lesson uses of the package, as (module that it is taken from, name)."""
    aliases = {}
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            for alias in node.names:
                aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield node.module, alias.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield aliases[node.value.id], node.attr


def lessons_by_name(root: Path, known: list[Definition]) -> dict[str, list[str]]:
    """Return, for the full name of each definition, the lessons that use it in their code."""
    found = {definition.full_name: [] for definition in known}
    for called, page in lesson_pages(root).items():
        used = set(uses(lesson_code(root / f"{page}.ipynb")))
        for definition in known:
            if any(name == definition.name and is_within(definition.module, module) for module, name in used):
                found[definition.full_name].append(called)
    return found


def is_within(module: str, folder: str) -> bool:
    """Say whether a module is the one named or lies in it: a package passes on the names of its modules."""
    return module == folder or module.startswith(f"{folder}.")
