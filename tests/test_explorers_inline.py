"""What is taken out of a page to make it smaller means nothing: its words, in their order, stay."""

import pytest

from envnet_tutorial.explorers.film import filters_through_training
from envnet_tutorial.explorers.inline import inline, squeezed


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("if (a) {\n    b(1,\n      2);\n  }\n", "if (a) {b(1,2);}\n"),
        ("a();  // and then {\nb();\nc\n", "a();  // and then {\nb();c\n"),  # a comment ends with its line
        ("return a\n  .b;", "return a\n.b;"),  # an end that may mean something stays
    ],
)
def test_lines_are_joined_where_their_end_means_nothing(page, expected):
    assert squeezed(page) == expected


def test_every_script_keeps_its_words():
    page = inline("film", {}, parts=("controls", "inflate", "film_reels", "hearing_player", "network_flow"))
    assert len(squeezed(page)) < len(page)
    assert squeezed(page).split() != page.split() and "".join(squeezed(page).split()) == "".join(page.split())
    assert squeezed(squeezed(page)) == squeezed(page)


def test_the_film_travels_squeezed():
    page = filters_through_training()._repr_html_()
    assert squeezed(page) == page
