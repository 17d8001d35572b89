"""The book's own Sphinx extension names folds, puts boxes for answers below cells, and explorers into pages."""

import importlib.util
from typing import ClassVar

import pytest

from scripts.notebook_rules import FOLDED
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


def test_the_rule_for_folds_knows_the_names_of_the_page(book_frame):
    assert book_frame.FOLDS.keys() == FOLDED


def test_other_cells_keep_the_words_of_the_theme(book_frame, folded):
    assert named(book_frame, folded("hide-input", mode="input+output")) == [("input+output", SOURCE, CONTENT)]


def test_a_solution_that_is_not_folded_gets_no_name(book_frame):
    page = book_frame.nodes.section()
    page += book_frame.nodes.container(classes=["cell", "tag_solution"])
    book_frame.name_folds(None, page)
    assert page[0].get("prompt_show") is None


@pytest.fixture
def coded(book_frame):
    """Make a cell as MyST-NB does: its source in a literal block, then what it printed in another."""

    def make(code, printed="Your turn"):
        cell = book_frame.nodes.container(classes=["cell"])
        for kind, text in (("cell_input", code), ("cell_output", printed)):
            part = book_frame.nodes.container(classes=[kind])
            part += book_frame.nodes.literal_block(text, text)
            cell += part
        return cell

    return make


def boxed(book_frame, *cells):
    """Return what a page holds behind its own extension: the code of each cell, or the HTML that was put there."""
    page, section = book_frame.nodes.section(), book_frame.nodes.section()
    section.extend(cells)
    page += section
    book_frame.add_answer_boxes(None, page)
    left = [*section.children, *page.children[1:]]
    return [child.astext() if isinstance(child, book_frame.nodes.raw) else child[0].astext() for child in left]


ASKING = "answer = ...  # (rows, steps)\n\nlesson_03.check_rows_and_steps(answer)"


def test_a_box_stands_below_its_cell_and_one_script_behind_all_of_them(book_frame, coded):
    number = "ratio = ...\nlesson_01.check_quantisation(ratio)"
    first, box, other, second, script = boxed(book_frame, coded(number), coded(ASKING))
    assert (first, other) == (number, ASKING)
    assert all(text.startswith('<div class="answer-box" hidden ') for text in (box, second))
    assert "lesson_01.check_quantisation" in box
    assert "lesson_03.check_rows_and_steps" in second
    assert script.startswith("<style>.answer-box")
    assert script.endswith("</script>")


def test_a_page_without_a_question_is_left_alone(book_frame, coded):
    function = "to_mel = ...\nlesson_01.check_mel(to_mel)"
    cells = [coded(function), coded("answer = (40, 150)\n\nlesson_03.check_rows_and_steps(answer)"), coded("1", ASKING)]
    assert boxed(book_frame, *cells) == [function, "answer = (40, 150)\n\nlesson_03.check_rows_and_steps(answer)", "1"]


def test_all_parts_are_registered_with_sphinx(book_frame):
    class App:
        handlers: ClassVar = []

        def connect(self, event, handler, priority=500):
            self.handlers.append((event, handler))

    book_frame.setup(App())
    assert ("doctree-read", book_frame.name_folds) in App.handlers
    assert ("doctree-read", book_frame.add_answer_boxes) in App.handlers
    assert ("doctree-read", book_frame.place_explorers) in App.handlers


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
