"""The sources of the project, as tests read them."""

from pathlib import Path

from scripts.package_index import imports, lesson_code
from scripts.repository import ROOT

__all__ = ["MODULES", "PACKAGE", "imports", "lesson_code", "part_of"]

PACKAGE = ROOT / "envnet_tutorial"
MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))
