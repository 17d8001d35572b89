"""The committed lessons keep the rules, and every rule refuses a notebook that breaks it."""

from pathlib import Path

import nbformat
import pytest
import torch
import yaml
from faulty_server import FaultyServer
from house import lesson_code
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from tiny_sets import esc_files, tiny_esc50

from envnet_tutorial import datasets, training
from envnet_tutorial.training import live
from scripts.notebook_rules import INSTALL, RULES, WIDGET, complaints, minutes_to_read
from scripts.notebooks import METADATA, execute, normalise, reuse
from scripts.repository import ROOT, address

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FILES = esc_files()
PNG = "iVBORw0KGgo="
FIGURE = {
    "mystnb": {
        "figure": {"name": "fig-1-wave", "caption": "A wave."},
        "image": {"alt": "A wave that rises and falls once."},
    }
}


def picture_cell(**data):
    shown = new_output("display_data", data={"image/png": PNG, "text/plain": "<Figure>", **data})
    return new_code_cell("plt.show()", outputs=[shown], metadata=nbformat.from_dict(FIGURE))


def good_notebook():
    """Make a small lesson that keeps every rule."""
    notebook = new_notebook(metadata=nbformat.from_dict(METADATA))
    notebook.cells = [
        new_markdown_cell("# A lesson\n\nAbout 5 minutes to read.\n\n```sh\n# a comment, no title\n```"),
        new_code_cell(INSTALL.format(address=address()), metadata={"tags": ["install"]}),
        picture_cell(),
        new_code_cell("1 + 1", outputs=[new_output("execute_result", data={"text/plain": "2"}, execution_count=3)]),
        new_code_cell("answer = 2", metadata={"tags": ["solution", "hide-input"]}),
    ]
    for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        cell.execution_count = count
    return notebook


def judged(notebook, folder: Path) -> list[str]:
    path = folder / "01_lesson.ipynb"
    nbformat.write(notebook, path)
    return complaints(path)


def change_source(position, source):
    return lambda notebook: notebook.cells[position].update(source=source)


def add_output(position, *args, **data):
    return lambda notebook: notebook.cells[position].outputs.append(new_output(*args, **data))


def drop_metadata(position, *keys):
    def change(notebook):
        place = notebook.cells[position].metadata
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]

    return change


BREACHES = {
    "unexecuted": (lambda nb: nb.cells[3].update(execution_count=None), "execution count None"),
    "executed out of turn": (lambda nb: nb.cells[3].update(execution_count=7), "execution count 7"),
    "stored error": (add_output(3, "error", ename="KeyError", evalue="x", traceback=[]), "stores the error KeyError"),
    "stderr": (add_output(3, "stream", name="stderr", text="a warning"), "message on stderr"),
    "path in source": (change_source(3, "open('/home/me/x.wav')"), "names a place"),
    "path in text": (add_output(3, "stream", name="stdout", text="saved to /tmp/x.png"), "names a place"),
    "path in result": (add_output(3, "display_data", data={"text/plain": "PosixPath('/root/x')"}), "names a place"),
    "path in table": (add_output(3, "display_data", data={"text/html": "<td>/Users/me/x</td>"}), "names a place"),
    "path on Windows": (change_source(3, r"open('C:\\Users\\me')"), "names a place"),
    "file address": (add_output(3, "stream", name="stdout", text="file:///srv/x"), "names a place"),
    "memory address": (add_output(3, "stream", name="stdout", text="<X at 0x7f00aa112233>"), "names a place"),
    "large": (add_output(3, "display_data", data={"text/html": "x" * 1_500_000}), "bytes, more than"),
    "other kernel": (lambda nb: nb.metadata.kernelspec.update(name="mine"), "kernel is 'mine'"),
    "no kernel": (lambda nb: nb.metadata.pop("kernelspec"), "kernel is None"),
    "no installation": (lambda nb: nb.cells[1].update(source="import torch"), "installation cell"),
    "installation of torch": (lambda nb: nb.cells[1].update(source=nb.cells[1].source + " torch"), "installation cell"),
    "untagged installation": (drop_metadata(1, "tags"), "installation cell"),
    "no caption": (drop_metadata(2, "mystnb", "figure", "caption"), "without a caption"),
    "no label": (drop_metadata(2, "mystnb", "figure", "name"), "label does not begin with 'fig-1-'"),
    "no alternative text": (drop_metadata(2, "mystnb", "image"), "without an alternative text"),
    "a path as alternative text": (
        lambda nb: nb.cells[2].metadata.mystnb.image.update(alt="_images/17c.png"),
        "without an alternative text",
    ),
    "two pictures": (add_output(2, "display_data", data={"image/png": PNG}), "2 pictures under one caption"),
    "two titles": (lambda nb: nb.cells.append(new_markdown_cell("# Again")), "2 headings of the first level"),
    "no title": (change_source(0, "## A lesson\n\nAbout 5 minutes to read."), "0 headings of the first level"),
    "late title": (lambda nb: nb.cells.insert(0, new_markdown_cell("Hello")), "1 headings of the first level"),
    "long cell": (change_source(3, "\n".join(["x = 1"] * 26)), "has 26 lines"),
    "long cells": (
        lambda nb: [cell.update(source="\n".join(["x"] * 8)) for cell in nb.cells[2:]],
        "half of the code cells",
    ),
    "long line": (change_source(3, f"x = {'1' * 85}"), "a line of 89 characters"),
    "long output": (add_output(3, "stream", name="stdout", text="short\n" + "x" * 89), "a line of 89 characters"),
    "long result": (add_output(3, "display_data", data={"text/plain": "x" * 89}), "a line of 89 characters"),
    "long source": (add_output(3, "display_data", data={"text/markdown": "x" * 89}), "a line of 89 characters"),
    "wide table": (
        add_output(3, "display_data", data={"text/plain": "   a  \\\n0  1", "text/html": "<table class='dataframe'>"}),
        "a table that is too wide",
    ),
    "widget": (add_output(3, "display_data", data={WIDGET: {"model_id": "1"}}), "widget without a picture"),
    "admonition": (lambda nb: nb.cells.append(new_markdown_cell("```{note}\nHear\n```")), "prints raw"),
    "colon fence": (lambda nb: nb.cells.append(new_markdown_cell(":::{tip}\nHear\n:::")), "prints raw"),
    "role": (lambda nb: nb.cells.append(new_markdown_cell("See {cite:p}`gabor1946theory`.")), "prints raw"),
    "no solution": (lambda nb: nb.cells.pop(4), "no solution cell"),
    "wrong length": (change_source(0, "# A lesson\n\nAbout 45 minutes to read."), "takes about 5"),
    "no length": (change_source(0, "# A lesson"), "it says [] minutes"),
    "nameless fold": (lambda nb: nb.cells[3].metadata.update(tags=["hide-input"]), "does not say what it holds"),
    "open solution": (lambda nb: nb.cells[4].metadata.update(tags=["solution"]), "is not folded"),
}


def test_a_good_notebook_passes(tmp_path):
    assert judged(good_notebook(), tmp_path) == []


def test_ordinary_text_is_no_path(tmp_path):
    """Links, fractions and embedded sound contain slashes too."""
    notebook = good_notebook()
    notebook.cells[0].source += "\n\n[a](https://example.org/home/x) [b](../tmp/x) 1/2 and/or `m/s` </tmp>"
    sound = new_output("display_data", data={"text/html": '<audio src="data:audio/mpeg;base64,//home/abc/tmp/d=">'})
    notebook.cells[3].outputs.append(sound)
    assert judged(notebook, tmp_path) == []


def test_what_the_page_does_not_cut_off_may_be_long(tmp_path):
    """A player's text is not shown, and a solution's is wrapped."""
    notebook = good_notebook()
    add_output(3, "display_data", data={"text/plain": "x" * 89, "text/html": "<audio>"})(notebook)
    add_output(4, "display_data", data={"text/plain": "Right: " + "x" * 89})(notebook)
    assert judged(notebook, tmp_path) == []
    notebook.cells[3].source = f"x = {'1' * 85}"
    assert judged(notebook, tmp_path) != []


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_refused(breach, tmp_path):
    change, sentence = BREACHES[breach]
    notebook = good_notebook()
    change(notebook)
    found = judged(notebook, tmp_path)
    assert found, "no rule noticed"
    assert all(sentence in complaint for complaint in found)


def test_every_rule_has_a_breach(tmp_path):
    noticed = set()
    for change, _ in BREACHES.values():
        notebook = good_notebook()
        change(notebook)
        path = tmp_path / "01_lesson.ipynb"
        nbformat.write(notebook, path)
        noticed |= {rule for rule in RULES if list(rule(nbformat.read(path, as_version=4), path))}
    assert noticed == set(RULES)


def test_there_are_lessons_and_the_contents_list_them():
    contents = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
    listed = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    assert NOTEBOOKS
    lessons = [f"notebooks/{path.stem}" for path in NOTEBOOKS]
    assert [name for name in listed if name.startswith("notebooks/")] == lessons


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_lesson_keeps_the_rules(path):
    assert complaints(path) == []


FORM = ('DATASET = "synthetic"  # @param ["synthetic", "esc10", "esc50"]', 'CHECKPOINTS = ""  # @param {type:"string"}')


TRAINING = [path for path in NOTEBOOKS if path.name[:2] in ("04", "06", "07")]


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: path.stem)
def test_a_lesson_that_trains_takes_real_sounds_from_a_form(path, tmp_path, monkeypatch):
    """Chosen in the form, they are fetched, checked and decoded; without a GPU the recipe stays the lesson's."""
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path))
    monkeypatch.delenv("ENVNET_DATA", raising=False)
    monkeypatch.setattr(live, "choose_device", lambda: torch.device("cpu"))
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    settings = next(cell.source for cell in cells if "settings" in cell.metadata.get("tags", []))
    assert tuple(settings.splitlines()[:2]) == FORM
    code = lesson_code(path).replace(FORM[0], 'DATASET = "esc10"')
    (loading,) = (line for line in code.splitlines() if "load_clips(" in line)
    (recipe,) = (line for line in code.splitlines() if "live_recipe(" in line)
    with FaultyServer(FILES) as server:
        monkeypatch.setattr(datasets, "ESC50", tiny_esc50(FILES, mirrors=(server.url,)))
        names = {"load_clips": datasets.load_clips, "training": training, "RECIPE": training.LESSON, "DATASET": "esc10"}
        exec(f"{recipe}\n{loading}", names)
        assert sum(server.requests.values()) == 16  # the metadata, and what is of ESC-10
    assert len(names["clips"]) == 15 and names["RECIPE"] is training.LESSON
    assert "training.outlook(" in code and code.count("training.checkpoint_file(CHECKPOINTS, ") >= 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_lesson_is_stored_as_make_notebooks_stores_it(path):
    stored = nbformat.read(path, as_version=4)
    assert normalise(nbformat.read(path, as_version=4)) == stored, "run `make notebooks`"


def test_the_front_page_says_how_long_the_lessons_take():
    minutes = [minutes_to_read(nbformat.read(path, as_version=4)) for path in NOTEBOOKS if path.name[0].isdigit()]
    front = (ROOT / "book" / "intro.md").read_text("utf-8")
    assert f"reading a lesson takes {min(minutes)} to {max(minutes)} minutes" in front


def test_normalise_drops_what_differs_between_runs():
    notebook = good_notebook()
    cell = notebook.cells[2]
    cell.metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    cell.outputs[0].data[WIDGET] = {"model_id": "c0ffee"}
    notebook.metadata["widgets"] = {"state": {}}
    notebook.metadata.language_info["version"] = "3.11.7"
    notebook.metadata["jupytext"] = {"x": 1}
    again = good_notebook()
    assert [cell.id for cell in notebook.cells] != [cell.id for cell in again.cells]
    assert normalise(notebook) == normalise(again)
    assert nbformat.validate(notebook) is None


def test_normalise_keeps_a_widget_that_has_no_picture():
    notebook = good_notebook()
    notebook.cells[3].outputs[0].data[WIDGET] = {"model_id": "c0ffee"}
    assert WIDGET in normalise(notebook).cells[3].outputs[0].data


def test_normalise_gives_equal_cells_different_ids():
    notebook = new_notebook(cells=[new_code_cell("x"), new_code_cell("x"), new_code_cell("y")])
    assert len({cell.id for cell in normalise(notebook).cells}) == 3


def test_execute_stores_outputs_and_leaves_a_failing_notebook_alone(tmp_path):
    path = tmp_path / "x.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("6 * 7")]), path)
    execute(path)
    cell = nbformat.read(path, as_version=4).cells[0]
    assert (cell.execution_count, cell.outputs[0].data["text/plain"]) == (1, "42")
    nbformat.write(new_notebook(cells=[new_code_cell("6 / 0")]), path)
    before = path.read_bytes()
    with pytest.raises(Exception, match="ZeroDivisionError"):
        execute(path)
    assert path.read_bytes() == before


def test_the_book_build_finds_a_reused_notebook(tmp_path, monkeypatch):
    """The cache answers for the same cells, and only for them."""
    from jupyter_cache import get_cache

    monkeypatch.setattr("scripts.notebooks.CACHE", tmp_path / "cache")
    path = tmp_path / "01_lesson.ipynb"
    nbformat.write(normalise(good_notebook()), path)
    reuse(path)
    cache = get_cache(tmp_path / "cache")
    _, merged = cache.merge_match_into_notebook(nbformat.read(path, as_version=4))
    assert merged.cells[3].outputs[0].data["text/plain"] == "2"
    edited = nbformat.read(path, as_version=4)
    edited.cells[3].source = "1 + 2"
    with pytest.raises(KeyError):
        cache.match_cache_notebook(edited)
