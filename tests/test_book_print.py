"""The book's own Sphinx extension links the PDF from the front page, where there is one."""

from types import SimpleNamespace

import book_print
import pytest
from docutils import nodes
from docutils.utils import new_document


@pytest.fixture
def app(tmp_path):
    return SimpleNamespace(outdir=tmp_path, config=SimpleNamespace(root_doc="book/intro"))


def front_page():
    page = new_document("front")
    page += nodes.paragraph("", "", nodes.Text("see "), nodes.literal("", "book.pdf"), nodes.literal("", "other.pdf"))
    return page


def links(app, name):
    page = front_page()
    book_print.link_pdf(app, page, name)
    assert page.astext() == front_page().astext()
    return [(link.astext(), link["refuri"]) for link in page.findall(nodes.reference)]


def test_the_front_page_links_the_pdf_once_it_is_printed(app, tmp_path):
    assert links(app, "book/intro") == []
    (tmp_path / "book.pdf").touch()
    assert links(app, "book/intro") == [("book.pdf", "../book.pdf")]
    assert links(app, "book/glossary") == []


def test_the_front_page_is_written_again_when_the_pdf_comes_or_goes(app, tmp_path):
    env = SimpleNamespace()

    def outdated():
        return book_print.reread_front_page(app, env, (), (), ())

    assert outdated() == []
    (tmp_path / "book.pdf").touch()
    assert outdated() == ["book/intro"]
    assert outdated() == []
    (tmp_path / "book.pdf").unlink()
    assert outdated() == ["book/intro"]
