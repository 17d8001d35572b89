"""Sphinx extension: the front page links the book as PDF where `make pdf` has printed it."""

from pathlib import Path

from docutils import nodes

PDF = "book.pdf"


def is_printed(app) -> bool:
    """Say whether the PDF lies beside the pages."""
    return (Path(app.outdir) / PDF).is_file()


def reread_front_page(app, env, added, changed, removed):
    """Let the front page be written again when the PDF has come or gone."""
    before, env.book_printed = getattr(env, "book_printed", None), is_printed(app)
    return [app.config.root_doc] if before is not None and before != env.book_printed else []


def link_pdf(app, doctree, page):
    """Make a link of the PDF's name on the front page."""
    if page != app.config.root_doc or not is_printed(app):
        return
    target = "../" * page.count("/") + PDF
    for name in list(doctree.findall(nodes.literal)):
        if name.astext() == PDF:
            name.replace_self(nodes.reference("", "", name.deepcopy(), internal=True, refuri=target))


def setup(app):
    """Register with Sphinx."""
    app.connect("env-get-outdated", reread_front_page)
    app.connect("doctree-resolved", link_pdf)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
