"""The pages to look things up in hold what the lessons need: every paper, and the words of the trade."""

import json
import re

import pytest

from scripts.repository import ROOT

BIBLIOGRAPHY = (ROOT / "book" / "bibliography.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: What a first reader missed once.
MISSED = {"Fourier transform", "phase", "harmonic", "bin", "Hann window", "nat", "gradient", "ReLU", "loss", "batch"}


def prose(notebook) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


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
