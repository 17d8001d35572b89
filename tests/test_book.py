"""The built book as files: what `make book` writes into _build/html."""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from bs4 import BeautifulSoup

from scripts.package_index import definitions, lesson_pages, mentions
from scripts.repository import ROOT, address, slug

BOOK = ROOT / "_build" / "html"
CONTENTS = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [CONTENTS["root"], *(chapter["file"] for part in CONTENTS["parts"] for chapter in part["chapters"])]
LESSONS = [page for page in PAGES if page.startswith("notebooks/")]
REFERENCE = [
    section["file"]
    for part in CONTENTS["parts"]
    for chapter in part["chapters"]
    for section in chapter.get("sections", [])
]

pytestmark = [
    pytest.mark.pages,
    pytest.mark.skipif(not BOOK.is_dir(), reason="the book is not built: run `make book` first"),
]


@cache
def parsed(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def places(path: Path) -> set[str]:
    """Return what a link to a page may name behind its hash."""
    return {element["id"] for element in parsed(path).find_all(id=True)}


def page(name: str) -> BeautifulSoup:
    return parsed(BOOK / f"{name}.html")


def article(name: str):
    """Return what the reader reads, without the theme's frame."""
    return page(name).find("article")


@pytest.mark.parametrize("name", [*PAGES, *REFERENCE])
def test_page_has_one_title(name):
    assert len(article(name).find_all("h1")) == 1
    assert page(name).title.text.strip()


def test_first_page_leads_to_the_introduction():
    refresh = parsed(BOOK / "index.html").find("meta", attrs={"http-equiv": re.compile("refresh", re.I)})
    assert refresh["content"].endswith(f"url={CONTENTS['root']}.html")


@pytest.mark.parametrize("name", PAGES)
def test_page_with_its_pictures_is_light(name):
    """What all pages share (the theme, MathJax) is fetched once, and does not count."""
    here = BOOK / f"{name}.html"
    pictures = {
        (here.parent / unquote(image["src"])).resolve()
        for image in article(name).find_all("img", src=True)
        if not image["src"].startswith("data:")
    }
    assert sum(path.stat().st_size for path in (here, *pictures)) < 1_500_000


@pytest.mark.parametrize("name", [*PAGES, *REFERENCE])
def test_links_within_the_book_lead_somewhere(name):
    here = BOOK / f"{name}.html"
    for link in page(name).find_all("a", href=True):
        target, _, anchor = unquote(link["href"]).partition("#")
        if "://" in target or target.startswith(("mailto:", "data:")):
            continue
        file = (here.parent / target).resolve() if target else here
        assert file.exists(), f"{link['href']} leads nowhere"
        if anchor and file.suffix == ".html":
            assert anchor in places(file), f"{link['href']} names no place on that page"


@pytest.mark.parametrize("name", PAGES)
def test_pictures_say_what_they_show(name):
    for picture in article(name).find_all("img"):
        alt = picture.get("alt", "")
        assert len(alt.split()) >= 4, f"alternative text {alt!r}"
        assert not re.search(r"_images|\.png|\.svg|/", alt), f"alternative text {alt!r} is a path"


def figure_numbers(name: str) -> list[str]:
    return [span.text.strip() for span in article(name).select("figcaption .caption-number")]


@pytest.mark.parametrize("name", LESSONS)
def test_figures_are_numbered_by_lesson(name):
    lesson = re.search(r"/(\d+)_", name)
    chapter = int(lesson[1]) if lesson else {"speed": "A", "statistics": "B"}[name.rpartition("_")[2]]
    numbers = figure_numbers(name)
    assert numbers == [f"Figure {chapter}.{position}" for position in range(1, len(numbers) + 1)]
    assert numbers, "a lesson without a figure"


@pytest.mark.parametrize("name", LESSONS)
def test_colab_button_opens_this_lesson(name):
    links = {link["href"] for link in page(name).select("a[href*='colab.research.google.com']")}
    assert links == {f"https://colab.research.google.com/github/{slug(address())}/blob/main/{name}.ipynb"}
    assert (ROOT / f"{name}.ipynb").is_file()


def test_every_lesson_can_be_heard():
    """All but the arithmetic of lesson 2 and of the appendices work on sound."""
    silent = [name for name in LESSONS if not article(name).find("audio") and "appendix" not in name]
    assert set(silent) <= {"notebooks/02_convolution_arithmetic"}


@pytest.mark.parametrize("name", LESSONS)
def test_sound_is_inside_the_page(name):
    for player in article(name).find_all("audio"):
        sources = [tag["src"] for tag in [player, *player.find_all("source")] if tag.get("src")]
        assert sources
        assert all(source.startswith("data:audio/") for source in sources)


@pytest.mark.parametrize("name", LESSONS)
def test_solutions_are_folded(name):
    cells = article(name).select("div.tag_solution")
    assert cells
    for cell in cells:
        assert [title.text for title in cell.select("summary .collapsed")] == ["Show the solution"]
        assert [title.text for title in cell.select("summary .expanded")] == ["Hide the solution"]


@pytest.mark.parametrize("name", LESSONS)
def test_only_solutions_are_called_so(name):
    folds = [cell for cell in article(name).select("div.cell") if cell.select("summary")]
    called = [cell for cell in folds if "the solution" in cell.select_one("summary").text]
    assert called == article(name).select("div.tag_solution")


@pytest.mark.parametrize("name", LESSONS)
def test_installation_and_setup_are_folded(name):
    """Where a lesson folds them; then the fold says what is in it."""
    names = {"install": "the installation for Colab", "setup": "the imports", "settings": "the settings"}
    for tag, words in names.items():
        titles = [title.text for title in article(name).select(f"div.tag_{tag} summary .collapsed")]
        assert set(titles) <= {f"Show {words}"}


@pytest.mark.parametrize("name", PAGES)
def test_no_markup_is_printed_raw(name):
    body = BeautifulSoup(str(article(name)), "html.parser")
    for code in body.find_all(["pre", "code", "script", "style"]):
        code.decompose()
    assert not re.search(r"\{(?:cite|ref|numref|note|figure)[^}]*\}|:::|\$\$", body.text)


@pytest.mark.parametrize("name", PAGES)
def test_no_widget_waits_for_a_kernel(name):
    text = str(article(name))
    assert "application/vnd.jupyter.widget-view+json" not in text
    shown = [output.text for output in article(name).select("div.cell_output")]
    assert not re.search(r"\b(?:interactive|HBox|VBox|IntSlider|FloatSlider)\(", " ".join(shown))


@pytest.mark.parametrize("name", [*PAGES, *REFERENCE])
def test_no_page_names_the_folder_it_was_built_in(name):
    text = (BOOK / f"{name}.html").read_text(encoding="utf-8")
    assert str(ROOT) not in text
    assert str(Path.home()) + "/" not in text


def test_the_reference_has_every_public_name_once():
    entries = Counter(entry["id"] for name in REFERENCE for entry in article(name).select("dl.py > dt[id]"))
    assert {definition.full_name: entries[definition.full_name] for definition in definitions(ROOT)} == dict.fromkeys(
        (definition.full_name for definition in definitions(ROOT)), 1
    )


def test_the_reference_links_every_lesson_that_it_names():
    """Words that name a lesson with a page, and are no link, would be left over by the extension."""
    for name in REFERENCE:
        page = BeautifulSoup(str(article(name)), "html.parser")
        for link in page.find_all("a"):
            link.decompose()
        assert set(mentions(page.text)) & lesson_pages(ROOT).keys() == set()


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_and_its_entries_lead_to_each_other(name):
    here = f"{name}.html"
    links = [link["href"] for link in article(name).select("section#in-the-reference li a[href*='#']")]
    assert links
    for link in links:
        target, _, entry = link.partition("#")
        entry = parsed((BOOK / name).parent.joinpath(target).resolve()).find(id=entry).find_parent("dl")
        assert any(back["href"].endswith(here) for back in entry.find_all("a", href=True)), f"{link} does not lead back"


@pytest.mark.parametrize("name", LESSONS)
def test_a_term_of_the_glossary_is_linked_once_a_lesson(name):
    links = Counter(link["href"] for link in article(name).select("a.glossary-term"))
    assert links
    assert set(links.values()) == {1}
