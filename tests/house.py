"""The sources of the project, as tests read them."""

import ast
import json
import re
from pathlib import Path

from scripts.repository import ROOT

PACKAGE = ROOT / "envnet_tutorial"
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(source: str) -> set[str]:
    """Return the full names of the modules that a source text imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def part_of(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def lesson_code(path: Path) -> str:
    """Return the code of a notebook, without what only a notebook understands."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", "\n".join(code), flags=re.MULTILINE)
