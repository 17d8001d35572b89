"""The book on paper: folds open, solutions last, links that lead somewhere, and contents that know their pages."""

import shutil

import pytest
from bs4 import BeautifulSoup

from scripts import pdf
from scripts.repository import ROOT

PAGE = """<html><body><header>theme</header><article>
<h1>Lesson<a class="headerlink" href="#lesson">#</a></h1><audio src="data:audio/mpeg;base64,AA"></audio>
<section id="hear-it"><h2>Hear it</h2>
<p>See <a href="../book/glossary.html#term-bin">bin</a>, <a href="#hear-it">here</a>,
<a href="https://example.org/">there</a> and <a href="../search.html">search</a>.</p></section>
<div class="cell tag_install"><pre>pip</pre></div>
<div class="cell tag_solution"><details><summary>Show the solution</summary><pre>answer = 1</pre></details></div>
<div class="cell"><details><summary>Show</summary><pre>import torch</pre></details></div>
<details><summary>Answer</summary>It is 7.</details><img src="../_images/x.png" alt="x">
</article></body></html>"""


@pytest.fixture
def chapter(tmp_path):
    """Make a chapter of a page, as the book on paper does."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_one.html").write_text(PAGE)
    made = pdf.article("notebooks/01_one", tmp_path)
    pdf.solutions_last(made, "notebooks/01_one", BeautifulSoup("", "html.parser"))
    pdf.bring_home(made, "notebooks/01_one", {"notebooks/01_one", "book/glossary"}, tmp_path)
    return made


def test_players_anchors_and_the_installation_are_left_out(chapter):
    assert not chapter.select("audio, .headerlink, .tag_install, details, summary")
    assert "theme" not in chapter.text


def test_folds_are_open_and_answers_keep_their_name(chapter):
    assert "import torch" in chapter.text
    assert [name.text for name in chapter.select(".fold")] == ["Answer"]
    assert "It is 7." in chapter.text


def test_solutions_come_last_and_are_pointed_to_from_where_they_were(chapter):
    assert chapter.find_all("section")[-1]["class"] == ["solutions"]
    assert "answer = 1" in chapter.select_one(".solutions").text
    assert chapter.text.count("answer = 1") == 1
    pointer = chapter.select_one(".pointer a")
    assert chapter.find(id=pointer["href"][1:]).text == "Solution 1"


def test_links_lead_into_the_pdf_or_out_to_the_network(chapter, tmp_path):
    links = {link.text: link.get("href") for link in chapter.select("p a")}
    assert links["bin"] == "#book-glossary--term-bin"
    assert links["here"] == "#notebooks-01_one--hear-it"
    assert chapter.find(id="notebooks-01_one--hear-it")
    assert links["there"] == "https://example.org/"
    assert links["search"] is None
    assert chapter.img["src"] == (tmp_path / "_images" / "x.png").as_uri()


def test_the_reference_stays_on_the_screen():
    contents = {
        "root": "book/intro",
        "parts": [{"caption": "Look up", "chapters": [{"file": "book/glossary"}, {"file": "book/reference/index"}]}],
    }
    assert pdf.chapters(contents) == [("", "book/intro"), ("Look up", "book/glossary")]


def test_a_pdf_without_named_places_is_refused():
    with pytest.raises(ValueError, match="named places"):
        pdf.page_numbers(b"%PDF-1.4\n1 0 obj\n<</Type /Catalog\n/Pages 2 0 R>>\nendobj")


@pytest.mark.browser
@pytest.mark.skipif(not shutil.which("chromedriver"), reason="there is no chromium with its chromedriver (see .ci/run)")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # selenium leaves its sockets to the collector
def test_chromium_says_which_pages_the_chapters_are_on(tmp_path):
    sections = "".join(
        f'<section class="chapter" id="c{n}"><h1>{n}</h1><a href="#c{11 - n}">to</a></section>' for n in range(12)
    )
    style = (ROOT / "book" / "print.css").read_text(encoding="utf-8")
    mathematics = (ROOT / "book" / "_static" / "mathjax" / "tex-mml-chtml.js").as_uri()
    head = f"<title>t</title><style>{style}</style><script defer src='{mathematics}'></script>"
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><html lang='en'><head>{head}</head><body><p>Cover</p>{sections}</body></html>")
    with pdf.browser() as driver:
        numbers = pdf.page_numbers(pdf.print_page(driver, page))
    assert numbers == {f"c{n}": n + 2 for n in range(12)}
