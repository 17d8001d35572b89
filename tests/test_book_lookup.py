"""The pages to look things up in hold what the lessons need: every paper, and the words of the trade."""

import json
import re

import pytest

from scripts.repository import ROOT

BIBLIOGRAPHY = (ROOT / "book" / "bibliography.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
NOTATION = (ROOT / "book" / "notation.md").read_text(encoding="utf-8")
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
GREEK = "alpha|beta|gamma|delta|varepsilon|eta|theta|lambda|mu|rho|sigma|Sigma|tau|phi|omega"
#: What a first reader missed once.
MISSED = {"Fourier transform", "phase", "harmonic", "bin", "Hann window", "nat", "gradient", "ReLU", "loss", "batch"}


def prose(notebook) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def letters(text: str) -> set[str]:
    """Return the letters, Latin and Greek, of the formulas of a text, without names of functions and words."""
    formulas = " ".join(map("".join, re.findall(r"\$\$(.+?)\$\$|\$(.+?)\$", text, re.DOTALL)))
    formulas = re.sub(r"\\(?:text|mathrm|tag)\{[^}]*\}", "", formulas)
    greek = re.findall(rf"\\({GREEK})(?![a-zA-Z])", formulas)
    return {*greek, *re.findall(r"[a-zA-Z]", re.sub(r"\\[a-zA-Z]+", "", formulas))}


def terms() -> list[str]:
    return re.findall(r"^(?!#|```|\s)(\S.*)$", GLOSSARY, re.MULTILINE)


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_every_paper_that_a_lesson_links_is_in_the_bibliography(notebook):
    cited = re.findall(r"\[([^\]]*\b(?:19|20)\d\d\)?)\]\((https?://[^)]+)\)", prose(notebook))
    missing = {name: url for name, url in cited if url.split("//")[1] not in BIBLIOGRAPHY}
    assert missing == {}


@pytest.mark.parametrize("page", ["intro", "glossary", "notation"])
def test_every_entry_of_the_bibliography_that_a_page_names_is_there(page):
    text = (ROOT / "book" / f"{page}.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\]\(#([a-z]+\d{4})\)", text))
    assert named <= set(re.findall(r"^\((\w+)\)=$", BIBLIOGRAPHY, re.MULTILINE))


def test_the_glossary_has_what_a_reader_missed_in_the_order_of_the_alphabet():
    first = [block.splitlines()[0] for block in GLOSSARY.split("```{glossary}\n")[1].split("\n\n")]
    assert set(terms()) >= MISSED
    assert first == sorted(first, key=str.lower)
    assert len(terms()) == len(set(map(str.lower, terms())))


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_the_notation_has_every_letter_of_a_lesson(notebook):
    symbols = "\n".join(re.findall(r"^\|(.+?)\|", NOTATION.split("## Symbols")[1], re.MULTILINE))
    assert letters(prose(notebook)) - letters(symbols) <= {"e", "i"}  # Euler's number, and the imaginary unit


def test_each_symbol_of_the_notation_has_one_row():
    rows = re.findall(r"^\| (\$.+?) \|", NOTATION.split("## Symbols")[1], re.MULTILINE)
    symbols = [symbol.strip() for row in rows for cell in row.split("$")[1::2] for symbol in cell.split(",")]
    assert len(symbols) == len(set(symbols)) > 30


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_equations_are_numbered_and_a_sentence_names_one(notebook):
    text = prose(notebook)
    displayed = re.findall(r"\$\$(.+?)\$\$", text, flags=re.DOTALL)
    chapter = {"appendix_speed": "A", "appendix_statistics": "B"}.get(notebook.stem) or int(notebook.stem[:2])
    numbers = [f"({chapter}.{position})" for position in range(1, len(displayed) + 1)]
    tags = [re.findall(r"\\tag\{(.+?)\}", formula) for formula in displayed]
    assert [f"({tag})" for formula in tags for tag in formula] == numbers
    assert not displayed or any(number in text for number in numbers), "an equation's number that no sentence uses"


def test_letters_are_those_of_formulas_alone():
    found = letters(r"A word, $x_1 \le \max(\gamma, y_\text{out})$ and $$\mathrm{KL}(t)$$")
    assert found == {"x", "gamma", "y", "t"}
