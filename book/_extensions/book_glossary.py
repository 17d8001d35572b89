"""Sphinx extension: link each glossary term where a lesson first uses it, so that notebooks need no directives."""

import re

from docutils import nodes

GLOSSARY = "book/glossary"
LESSONS = "notebooks/"
#: Where a word is no prose: headings, code, links, captions, tables, mathematics, what a cell shows.
NO_PROSE = (
    nodes.title,
    nodes.literal,
    nodes.literal_block,
    nodes.reference,
    nodes.caption,
    nodes.table,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.container,
)


def pattern_of(terms) -> re.Pattern:
    """Return a pattern that finds any of these terms as words of their own, in the singular or plural, long ones first.

    Parameters
    ----------
    terms : iterable of str
        In the singular, lower case or not.
    """
    words = []
    for term in sorted(terms, key=len, reverse=True):
        word = r"\s+".join(map(re.escape, term.split()))
        words.append(rf"{word[:-1]}(?:y|ies)" if word.endswith("y") else rf"{word}(?:e?s)?")
    return re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])", re.IGNORECASE)


def term_of(words: str, terms) -> str:
    """Return the term that words which the pattern found are a form of."""
    known = {term.lower(): term for term in terms}
    words = " ".join(words.lower().split())
    forms = [words, words.removesuffix("s"), words.removesuffix("es"), words.removesuffix("ies") + "y"]
    return next(known[form] for form in forms if form in known)


def is_prose(text) -> bool:
    """Say whether a piece of text stands in a paragraph of the lesson, and in nothing that is no prose."""
    parent, paragraph = text.parent, False
    while parent is not None:
        if isinstance(parent, NO_PROSE) or "in-the-reference" in parent.get("classes", []):
            return False
        paragraph = paragraph or isinstance(parent, nodes.paragraph)
        parent = parent.parent
    return paragraph


def link_first_uses(doctree, terms, link) -> None:
    """Replace the first use of each term in the prose of a page by a link.

    Parameters
    ----------
    doctree : docutils.nodes.document
        Changed in place.
    terms : iterable of str
    link : callable
        Makes the link from the term and the words that stand for it on the page.
    """
    pattern, waiting = pattern_of(terms), set(terms)
    for text in list(doctree.findall(nodes.Text)):
        if not waiting or not pattern.search(text) or not is_prose(text):
            continue
        out, done = [], 0
        for found in pattern.finditer(text):
            term = term_of(found.group(), terms)
            if term in waiting:
                waiting.remove(term)
                out += [nodes.Text(text[done : found.start()]), link(term, found.group())]
                done = found.end()
        if out:
            text.parent.replace(text, [*out, nodes.Text(text[done:])])


def meanings(glossary) -> dict[str, str]:
    """Return the first sentence of each term's definition."""
    found = {}
    for item in glossary.findall(nodes.definition_list_item):
        definition = next(item.findall(nodes.definition)).astext().replace("\n", " ")
        for term in item.findall(nodes.term):
            found[term.astext().lower()] = re.split(r"(?<=[.;:])\s", definition)[0].rstrip(";:")
    return found


def link_terms(app, doctree, page):
    """Link the terms of the glossary in a lesson; a pointer that rests on one reads its meaning."""
    if not page.startswith(LESSONS) or GLOSSARY not in app.env.found_docs:
        return
    objects = app.env.get_domain("std").get_objects()
    anchors = {name.lower(): anchor for name, _, kind, _, anchor, _ in objects if kind == "term"}
    if not hasattr(app, "book_meanings"):
        app.book_meanings = meanings(app.env.get_doctree(GLOSSARY))
    uri = app.builder.get_relative_uri(page, GLOSSARY)

    def link(term, words):
        target = f"{uri}#{anchors[term]}"
        meaning = app.book_meanings.get(term, "")
        return nodes.reference("", words, internal=True, refuri=target, reftitle=meaning, classes=["glossary-term"])

    link_first_uses(doctree, list(anchors), link)


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-resolved", link_terms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
