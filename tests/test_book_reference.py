"""The book's own Sphinx extension puts every module into the reference, and links lessons and entries both ways."""

from types import SimpleNamespace

import book_reference
import pytest
from docutils import nodes
from docutils.utils import new_document
from house import MODULES, PACKAGE
from sphinx import addnodes

from scripts.package_index import floors, lesson_pages, mentions, modules, modules_of
from scripts.repository import ROOT

#: Lessons that docstrings name before they are there.
AWAITED = set()
PAGES = {"1": "notebooks/01_one", "4": "notebooks/04_four", "speed": "notebooks/appendix_speed"}


def test_the_pages_of_the_floors_hold_every_module_once():
    listed = [module for floor in floors(ROOT) for module in modules_of(ROOT, floor)]
    assert len(listed) == len(set(listed)) == len(MODULES)
    assert set(listed) == set(modules(ROOT))


def test_every_floor_has_its_page():
    pages = {path.stem for path in (ROOT / "book" / "reference").glob("*.md")}
    assert pages == {"index", *(floor["page"] for floor in floors(ROOT))}


def test_a_page_gets_the_modules_of_its_floor():
    source = ["# Audio\n"]
    book_reference.write_modules(SimpleNamespace(srcdir=ROOT), "book/reference/audio", source)
    assert source[0].startswith("# Audio\n")
    names = [line.split()[-1] for line in source[0].splitlines() if line.startswith(".. automodule::")]
    files = sorted((PACKAGE / "audio").glob("*.py"))
    assert sorted(names) == sorted(
        "envnet_tutorial.audio" if path.stem == "__init__" else f"envnet_tutorial.audio.{path.stem}" for path in files
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_lesson_that_a_module_names_has_a_page(path):
    named = set(mentions(path.read_text(encoding="utf-8")))
    assert named - lesson_pages(ROOT).keys() <= AWAITED


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("A level (lesson 1).", {"lesson 1": "/notebooks/01_one"}),
        ("Lessons 1 and\n4 say", {"Lessons 1": "/notebooks/01_one", "4": "/notebooks/04_four"}),
        ("(lessons 1, 4 and 6)", {"lessons 1": "/notebooks/01_one", "4": "/notebooks/04_four"}),
        ("appendix on speed", {"appendix on speed": "/notebooks/appendix_speed"}),
        ("lesson 6, lesson plan, appendix, 14 lessons, lesson one", {}),
    ],
)
def test_lessons_named_in_a_docstring_become_links(text, links):
    parts = book_reference.linked(nodes.Text(text), "book/reference/audio", PAGES)
    found = {part.astext(): part["reftarget"] for part in parts if isinstance(part, addnodes.pending_xref)}
    assert found == links
    assert "".join(part.astext() for part in parts) == text


def entry(module, name):
    described = addnodes.desc()
    described += [addnodes.desc_signature("", name, module=module, fullname=name), addnodes.desc_content()]
    return described


def test_an_entry_lists_the_lessons_that_use_it():
    page = new_document("reference")
    page += [entry("envnet_tutorial.audio.levels", "level"), entry("envnet_tutorial.audio.levels", "a_weighting")]
    env = SimpleNamespace(docname="book/reference/audio", note_dependency=lambda name: None)
    used = {"envnet_tutorial.audio.levels.level": ["1", "speed"], "envnet_tutorial.audio.levels.a_weighting": []}
    book_reference.link_lessons(SimpleNamespace(env=env, srcdir=ROOT, book_names=([], used, PAGES)), page)
    assert page[0][-1].astext() == "Used in lesson 1, the appendix on speed"
    assert page[1][-1].astext() == ""


def test_a_lesson_ends_with_the_entries_that_it_uses_or_that_name_it():
    level, gain, net = (
        SimpleNamespace(module=f"envnet_tutorial.{module}", name=name, full_name=name, docstring=docstring)
        for module, name, docstring in [
            ("audio.levels", "level", ""),
            ("augment", "random_gain", "Make louder (lesson 4)."),
            ("models.envnet", "EnvNet", "Lesson 1."),
        ]
    )
    page = new_document("lesson")
    page += nodes.section()
    used = {"level": ["4"], "random_gain": [], "EnvNet": ["1"]}
    app = SimpleNamespace(env=SimpleNamespace(docname="notebooks/04_four"), srcdir=ROOT)
    app.book_names = ([level, gain, net], used, PAGES)
    book_reference.list_entries(app, page)
    links = [link["reftarget"] for link in page.findall(addnodes.pending_xref) if link["refdomain"] == "py"]
    assert links == ["level", "random_gain"]
    assert page[0][-1].astext().startswith("In the reference")


def test_a_constant_shows_a_short_value_and_no_path():
    page = new_document("reference")
    for value in ["-20.0", f"PosixPath('{ROOT}/x')", "x" * 61]:
        described = entry("envnet_tutorial.audio.levels", "LEVEL")
        described[0] += addnodes.desc_annotation("", f" = {value}")
        page += described
    page += nodes.inline("", f"PosixPath('{ROOT}/y')", classes=["default_value"])
    book_reference.shorten_values(page, str(ROOT))
    assert [part.astext().strip() for part in page.findall(addnodes.desc_annotation)] == ["= -20.0"]
    assert page[-1].astext() == "..."
