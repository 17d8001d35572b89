"""The book's own Sphinx extension links a glossary term where a lesson first uses it, and nowhere else."""

import book_glossary
import pytest
from docutils import nodes
from docutils.utils import new_document

TERMS = ["bin", "filter", "frequency", "mel spectrogram", "spectrogram", "tap"]


def linked(*children):
    """Return (term, words) of the links that a page with these parts gets, and the page."""
    page = new_document("lesson")
    section = nodes.section()
    section += children
    page += section
    found = []

    def link(term, words):
        found.append((term, words))
        return nodes.reference("", words, refuri=f"#{term}")

    book_glossary.link_first_uses(page, TERMS, link)
    return found, page


def prose(*parts):
    paragraph = nodes.paragraph()
    paragraph += [nodes.Text(part) if isinstance(part, str) else part for part in parts]
    return paragraph


def test_only_the_first_use_is_linked():
    found, page = linked(prose("A filter has taps, and a tap has a weight."), prose("Filters again."))
    assert found == [("filter", "filter"), ("tap", "taps")]
    assert page.astext() == "A filter has taps, and a tap has a weight.\n\nFilters again."


def test_case_plural_and_line_breaks_do_not_matter():
    assert linked(prose("Filters answer FREQUENCIES of a mel\nspectrogram"))[0] == [
        ("filter", "Filters"),
        ("frequency", "FREQUENCIES"),
        ("mel spectrogram", "mel\nspectrogram"),
    ]


@pytest.mark.parametrize("text", ["combine", "cabin", "filtered", "tapped", "bin-wise", "un-tap", "tape", "bin_size"])
def test_a_term_inside_another_word_is_none(text):
    assert linked(prose(text))[0] == []


def test_the_longer_term_wins_and_does_not_use_up_the_shorter():
    found, _ = linked(prose("A mel spectrogram, another mel spectrogram, and a spectrogram."))
    assert found == [("mel spectrogram", "mel spectrogram"), ("spectrogram", "spectrogram")]


@pytest.mark.parametrize(
    "part",
    [
        nodes.title("", "A filter"),
        prose(nodes.literal("", "filter")),
        nodes.literal_block("", "filter"),
        prose(nodes.reference("", "filter", refuri="#")),
        nodes.figure("", nodes.caption("", "A filter")),
        nodes.container("", nodes.paragraph("", "filter"), classes=["cell_output"]),
        nodes.table("", nodes.tgroup("", nodes.tbody("", nodes.row("", nodes.entry("", prose("filter")))))),
        prose(nodes.math("", "filter")),
        nodes.section("", nodes.paragraph("", "filter"), classes=["in-the-reference"]),
    ],
    ids=lambda part: part.tagname,
)
def test_headings_code_links_captions_and_output_are_no_prose(part):
    assert linked(part)[0] == []
    assert linked(part, prose("a ", nodes.strong("", "filter"), " in bold"))[0] == [("filter", "filter")]


def test_meanings_are_the_first_sentences():
    item = nodes.definition_list_item()
    item += [nodes.term("", "Hann window"), nodes.definition("", nodes.paragraph("", "A bell. It fades a frame."))]
    page = new_document("glossary")
    page += nodes.definition_list("", item)
    assert book_glossary.meanings(page) == {"hann window": "A bell."}
