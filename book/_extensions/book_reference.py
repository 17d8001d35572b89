"""Sphinx extension: the reference, written from the docstrings, and the links between it and the lessons.

A page ``book/reference/NAME.md`` holds a title and a sentence; what follows is every module of the floor NAME of
``book/floors.yml``. Where a docstring names a lesson, the page links it; each entry lists the lessons that use it, and
each lesson ends with a list of the entries that it uses or that name it.
"""

import gc
import sys
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import PycodeError
from sphinx.pycode import ModuleAnalyzer

# Sphinx is started by a program of its own, which does not look for modules in the repository.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from scripts import package_index as index

FOLDER = "book/reference/"
#: Characters of a constant's value that a signature shows.
LONGEST_VALUE = 60
#: Modules from which classes of the package inherit.
FOREIGN = [
    *(f"torch.nn.modules.{name}" for name in ("module", "container", "conv")),
    *("torch.autograd.function", "torch.overrides", "torch.utils._python_dispatch", "abc", "typing"),
]
MODULE = """

## {title}

```{{eval-rst}}
.. automodule:: {name}
   :members:
   :show-inheritance:
   :ignore-module-all:
```
"""


def find_names(app):
    """Read the package and the lessons once for all pages."""
    root = Path(app.srcdir)
    known = index.definitions(root)
    app.book_names = (known, index.lessons_by_name(root, known), index.lesson_pages(root))


def read_own_sources_only(app):
    """Spare autodoc the sources of PyTorch and Python, where it looks for comments on what a class inherits."""
    for name in FOREIGN:
        ModuleAnalyzer.cache["module", name] = PycodeError(f"{name} is not in this book")


def write_modules(app, docname, source):
    """Append to a page of the reference every module of its floor."""
    root = Path(app.srcdir)
    for floor in index.floors(root):
        if docname == FOLDER + floor["page"]:
            for name in index.modules_of(root, floor):
                source[0] += MODULE.format(name=name, title=name.removeprefix(f"{index.PACKAGE}.").replace("_", r"\_"))


def link_lessons(app, doctree):
    """Link the lessons that a page of the reference names, and list at each entry those that use it."""
    page = app.env.docname
    if not page.startswith(FOLDER):
        return
    _, used, pages = app.book_names
    for text in list(doctree.findall(nodes.Text)):
        if index.MENTION.search(text) and not isinstance(text.parent, (nodes.reference, addnodes.pending_xref)):
            text.parent.replace(text, linked(text, page, pages))
    for entry in doctree.findall(addnodes.desc):
        signature = entry[0]
        lessons = used.get(f"{signature.get('module')}.{signature.get('fullname')}")
        if lessons:
            entry[-1] += used_in(lessons, page, pages)
    shorten_values(doctree, str(app.srcdir))
    for called in pages.values():
        app.env.note_dependency(str(Path(app.srcdir) / f"{called}.ipynb"))


def shorten_values(doctree, folder: str) -> None:
    """Leave out long values, which are no help, and paths, which would name the computer that builds the book."""
    for value in list(doctree.findall(addnodes.desc_annotation)):
        if len(value.astext()) > LONGEST_VALUE or folder in value.astext():
            value.parent.remove(value)
    for value in doctree.findall(nodes.inline):
        if "default_value" in value["classes"] and folder in value.astext():
            value.children = [nodes.Text("...")]


def linked(text, page: str, pages: dict[str, str]) -> list:
    """Return the nodes of a text whose lessons are links; a lesson without a page stays words."""
    out, done = [], 0
    for mention in index.MENTION.finditer(text):
        for link in index.LINK.finditer(text, mention.start(), mention.end()):
            target = index.page_of(link.group(), pages)
            if target:
                out += [nodes.Text(text[done : link.start()]), to_page(link.group(), target, page)]
                done = link.end()
    return [*out, nodes.Text(text[done:])]


def used_in(lessons: list[str], page: str, pages: dict[str, str]):
    """Return the line that lists the lessons whose code uses an entry."""
    line = nodes.paragraph(classes=["used-in"])
    line += nodes.Text("Used in ")
    for position, called in enumerate(lessons):
        words = f"lesson {called}" if called.isdigit() else f"the appendix on {called}"
        line += [nodes.Text(", " if position else ""), to_page(words, pages[called], page)]
    return line


def to_page(words: str, target: str, page: str):
    """Return a link to a page of the book, which Sphinx checks; without words it shows the page's title."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", words),
        refdomain="std",
        reftype="doc",
        reftarget=f"/{target}",
        refexplicit=bool(words),
        refwarn=True,
        refdoc=page,
    )


def to_entry(definition, page: str):
    """Return a link to an entry of the reference that Sphinx checks."""
    return addnodes.pending_xref(
        "",
        nodes.literal("", definition.name, classes=["py", "py-obj"]),
        refdomain="py",
        reftype="obj",
        reftarget=definition.full_name,
        refexplicit=True,
        refwarn=True,
        refdoc=page,
    )


def list_entries(app, doctree):
    """End a lesson with what the reference has on it, floor by floor."""
    page = app.env.docname
    known, used, pages = app.book_names
    called = next((called for called, lesson in pages.items() if lesson == page), None)
    lesson = next(doctree.findall(nodes.section), None)
    if called is None or lesson is None:
        return
    of_lesson = [
        definition
        for definition in known
        if called in used[definition.full_name] or called in index.mentions(definition.docstring)
    ]
    if of_lesson:
        lesson += entries_by_floor(of_lesson, page, Path(app.srcdir))


def entries_by_floor(entries: list, page: str, root: Path):
    """Return the section that lists entries of the reference, one line a floor."""
    section = nodes.section(ids=["in-the-reference"], names=["in the reference"], classes=["in-the-reference"])
    section += nodes.title("", "In the reference")
    lines = nodes.bullet_list()
    for floor in index.floors(root):
        names = index.modules_of(root, floor)
        here = sorted((entry for entry in entries if entry.module in names), key=lambda entry: entry.name.lower())
        if here:
            line = nodes.paragraph()
            line += [to_page("", FOLDER + floor["page"], page), nodes.Text(": ")]
            for position, entry in enumerate(here):
                line += [nodes.Text(", " if position else ""), to_entry(entry, page)]
            lines += nodes.list_item("", line)
    section += lines
    return section


def link_names(app, env, node, contnode):
    """Lead a name in single backticks to its entry if the package has one of that name, and else leave it as code."""
    page = node.get("refdoc", "")
    if node.get("refdomain") != "py" or not page.startswith(FOLDER):
        return None
    if not hasattr(app, "book_entries"):
        app.book_entries = {}
        for name, entry in env.get_domain("py").objects.items():
            app.book_entries.setdefault(name.rpartition(".")[2], []).append((name, entry))
    found = app.book_entries.get(node["reftarget"].rpartition(".")[2], [])
    found = [(name, entry) for name, entry in found if f".{name}".endswith(f".{node['reftarget']}")]
    if len(found) != 1:
        return contnode if node.get("reftype") == "obj" else None
    [(name, entry)] = found
    uri = f"{app.builder.get_relative_uri(page, entry.docname)}#{entry.node_id}"
    return nodes.reference("", "", contnode, internal=True, refuri=uri, reftitle=name)


def setup(app):
    """Register with Sphinx."""
    # A build makes many objects and drops few: looking through all of them for garbage takes a fifth of its time.
    gc.disable()
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.connect("builder-inited", find_names)
    app.connect("builder-inited", read_own_sources_only)
    app.connect("source-read", write_modules)
    # Before Sphinx collects the headings, so that a lesson's contents name the list.
    app.connect("doctree-read", link_lessons, priority=400)
    app.connect("doctree-read", list_entries, priority=400)
    app.connect("missing-reference", link_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
