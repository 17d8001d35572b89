"""The book's own Sphinx extension names the folds of cells by their tags, and puts explorers into pages."""

import importlib.util

import pytest

from scripts.repository import ROOT

SOURCE, CONTENT = "Show code cell {type}", "Hide code cell {type}"


@pytest.fixture(scope="module")
def book_frame():
    spec = importlib.util.spec_from_file_location("book_frame", ROOT / "book" / "_extensions" / "book_frame.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folded(book_frame):
    def make(*tags, mode="input"):
        cell = book_frame.nodes.container(classes=["cell", *(f"tag_{tag}" for tag in tags)])
        cell["hide_mode"], cell["prompt_show"], cell["prompt_hide"] = mode, SOURCE, CONTENT
        return cell

    return make


def named(book_frame, *cells):
    page = book_frame.nodes.section()
    page.extend(cells)
    book_frame.name_folds(None, page)
    return [(cell["hide_mode"], cell["prompt_show"], cell["prompt_hide"]) for cell in cells]


def test_a_solution_is_one_fold_with_its_name(book_frame, folded):
    both, alone = folded("hide-input", "solution", mode="input+output"), folded("solution")
    assert named(book_frame, both, alone) == [
        ("all", "Show the solution", "Hide the solution"),
        ("input", "Show the solution", "Hide the solution"),
    ]


def test_imports_settings_and_installation_have_theirs(book_frame, folded):
    cells = folded("setup", mode="all"), folded("settings"), folded("install")
    assert [name for _, name, _ in named(book_frame, *cells)] == [
        "Show the imports",
        "Show the settings",
        "Show the installation for Colab",
    ]


def test_other_cells_keep_the_words_of_the_theme(book_frame, folded):
    assert named(book_frame, folded("hide-input", mode="input+output")) == [("input+output", SOURCE, CONTENT)]


def test_a_solution_that_is_not_folded_gets_no_name(book_frame):
    page = book_frame.nodes.section()
    page += book_frame.nodes.container(classes=["cell", "tag_solution"])
    book_frame.name_folds(None, page)
    assert page[0].get("prompt_show") is None


def test_an_explorer_takes_its_place(book_frame, monkeypatch):
    class Shown:
        def _repr_html_(self):
            return "<p>moves & answers</p>"

    monkeypatch.setitem(book_frame.EXPLORERS, "hear_yourself", Shown)
    page = book_frame.nodes.section()
    sources = ['<div data-explorer="hear_yourself"></div>\n', "<hr>"]
    page.extend(book_frame.nodes.raw("", source, format="html") for source in sources)
    book_frame.place_explorers(None, page)
    assert [raw.astext() for raw in page.children] == ["<p>moves & answers</p>", "<hr>"]


def test_a_place_for_an_unknown_explorer_stops_the_build(book_frame):
    page = book_frame.nodes.section()
    page += book_frame.nodes.raw("", '<div data-explorer="nobody"></div>', format="html")
    with pytest.raises(KeyError, match="nobody"):
        book_frame.place_explorers(None, page)


def test_each_place_in_the_pages_names_an_explorer(book_frame):
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("*.md")]
    assert {name for page in pages for name in book_frame.PLACE.findall(page)} == set(book_frame.EXPLORERS)
