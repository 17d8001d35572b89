"""How the house is built: floors, sizes, no name that only a test calls, one module of tests for one module."""

import ast
from collections import Counter

import pytest
from house import MODULES, PACKAGE, imports, lesson_code, part_of

from scripts.repository import ROOT

#: The package from the ground up: a module imports only from its own line and from the lines above it.
LAYERS = [
    ["settings", "errors", "files", "modes", "__init__"],
    ["audio"],
    ["shapes", "receptive_field"],
    ["datasets"],
    ["augment"],
    ["models", "costs"],
    ["provenance", "training", "results", "run_folder", "trained"],
    ["probing", "comparison"],
    ["plotting", "exercises"],
    ["explorers"],
    ["commands"],
    ["__main__"],
]
#: What holds code; the package first.
PARTS = ("envnet_tutorial", "experiments", "benchmarks", "scripts", "book")
#: Tests of no single module: the book as a reader meets it, and the project as a whole.
WHOLE = {"book", "book_browser", "book_frame", "house", "notebooks", "packaging"}
#: Aspects of a module that are worth a file: they are slow, or read what is shipped.
ASPECTS = {"datasets_download_killed": "datasets_download", "results_shipped": "results_result"}


def layer(module: str) -> int:
    heights = [height for height, names in enumerate(LAYERS) if module in names]
    assert heights, f"{module} has no place in LAYERS"
    return heights[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_import_from_the_ground_up(path):
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for name in imports(path.read_text(encoding="utf-8")):
        parts = name.split(".")
        if parts[0] == "envnet_tutorial" and (PACKAGE / parts[1]).is_dir() | (PACKAGE / f"{parts[1]}.py").is_file():
            assert layer(parts[1]) <= layer(own), f"{own} stands below {parts[1]}"


@pytest.mark.parametrize(
    "path", [*MODULES, *part_of("scripts"), *part_of("experiments")], ids=lambda path: str(path.relative_to(ROOT))
)
def test_modules_and_functions_are_short(path):
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = statement_lines(node, source)
            assert length <= 40, f"{node.name} has {length} lines"


def statement_lines(function, source: str) -> int:
    """Count a function's lines without its docstring and without empty lines."""
    lines = source.splitlines()
    documented = ast.get_docstring(function) is not None
    first = function.body[0]
    skipped = set(range(first.lineno, first.end_lineno + 1)) if documented else set()
    numbers = set(range(function.lineno, function.end_lineno + 1)) - skipped
    return sum(bool(lines[number - 1].strip()) for number in numbers)


def names_in(source: str) -> Counter:
    """Count the names that a source text uses; a string may be one too, as in a table of networks or verbs."""
    names = Counter()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            names[node.id] += 1
        elif isinstance(node, ast.Attribute):
            names[node.attr] += 1
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names[node.value] += 1
    return names


def test_every_public_name_is_used_by_something_other_than_its_test():
    sources = [path.read_text(encoding="utf-8") for part in PARTS for path in part_of(part)]
    sources += [lesson_code(path) for path in (ROOT / "notebooks").glob("*.ipynb")]
    used = sum(map(names_in, sources), Counter())
    defined = {
        node.name: path.relative_to(ROOT)
        for path in MODULES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
        if not (isinstance(node, ast.ClassDef) and node.keywords)  # a network is used by the name that it registers
    }
    assert {name: str(path) for name, path in defined.items() if not used[name]} == {}


def test_a_module_of_tests_is_named_after_what_it_tests():
    tested = {"_".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in MODULES}
    tested |= {path.parent.relative_to(PACKAGE).name for path in MODULES if path.name == "__init__.py"}
    for part in PARTS[1:]:
        tested |= {"_".join(path.relative_to(ROOT).with_suffix("").parts) for path in part_of(part)}
    for path in (ROOT / "tests").glob("test_*.py"):
        name = path.stem.removeprefix("test_")
        assert ASPECTS.get(name, name) in tested | WHOLE, f"{path.name} is named after no module"
