"""Sphinx extension: what folds are called, boxes for answers, explorers outside notebooks, and no Thebe.

Thebe needs a network and declares its settings twice.
"""

import re

from docutils import nodes

from envnet_tutorial.exercises.answer_box import answer_box
from envnet_tutorial.exercises.inlined import style_and_script
from envnet_tutorial.explorers.hearing import hear_yourself

#: What stands in a page's source for an explorer, `<div data-explorer="NAME"></div>`, and who makes the explorer.
PLACE = re.compile(r'<div data-explorer="(\w+)"></div>\s*')
EXPLORERS = {"hear_yourself": hear_yourself}

#: The appendices by their letters, as README has them.
APPENDICES = {"notebooks/appendix_speed": "A", "notebooks/appendix_statistics": "B"}

#: What the folds of cells with these tags show; all others keep the theme's words.
FOLDS = {
    "solution": "the solution",
    "setup": "the imports",
    "settings": "the settings",
    "install": "the installation for Colab",
}


def name_folds(app, doctree):
    """Say on a fold what is in it, and fold a cell with its output as one."""
    for cell in doctree.findall(nodes.container):
        tags = [tag for tag in FOLDS if f"tag_{tag}" in cell.get("classes", [])]
        if not (tags and cell.get("hide_mode")):
            continue
        cell["prompt_show"], cell["prompt_hide"] = f"Show {FOLDS[tags[0]]}", f"Hide {FOLDS[tags[0]]}"
        if cell["hide_mode"] == "input+output":
            cell["hide_mode"] = "all"


def add_answer_boxes(app, doctree):
    """Put a box below each cell that asks for a number, a few numbers or a word, and its script at the end."""
    boxes = 0
    for cell in [cell for cell in doctree.findall(nodes.container) if "cell" in cell.get("classes", [])]:
        code = next(cell.findall(nodes.literal_block), None)
        if box := code and answer_box(code.astext()):
            cell.parent.insert(cell.parent.index(cell) + 1, nodes.raw("", box, format="html"))
            boxes += 1
    if boxes:
        doctree.append(nodes.raw("", style_and_script("answer_box"), format="html"))


def place_explorers(app, doctree):
    """Put each explorer where the page's source has a place for it."""
    for raw in doctree.findall(nodes.raw):
        place = PLACE.fullmatch(raw.astext())
        if place:
            raw.children = [nodes.Text(EXPLORERS[place[1]]()._repr_html_())]


def letter_appendix_figures(app, env):
    """Call an appendix's figures A.1, A.2 and so on; Sphinx numbers those of chapters, and lets all others count on."""
    for docname, letter in APPENDICES.items():
        figures = env.toc_fignumbers.get(docname, {}).get("figure", {})
        for position, name in enumerate(sorted(figures, key=figures.get), start=1):
            figures[name] = (letter, position)
    return []


def drop_thebe(app, pagename, templatename, context, doctree):
    """Remove Thebe's scripts from what a page loads."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe" not in (getattr(script, "filename", None) or "")
        and "THEBE" not in getattr(script, "attributes", {}).get("body", "")
    ]


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-read", name_folds)
    app.connect("doctree-read", add_answer_boxes)
    app.connect("doctree-read", place_explorers)
    app.connect("env-get-updated", letter_appendix_figures, priority=900)  # after Sphinx has numbered them
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
