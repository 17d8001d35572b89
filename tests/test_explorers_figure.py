"""A figure to move: live where there is a kernel, a picture where there is none."""

import base64
import copy
import html
import io
import re
import subprocess
import sys

import ipywidgets
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from envnet_tutorial.explorers.figure import WIDGET_VIEW, as_widget, figure_panel

CELL = """
import matplotlib.pyplot as plt
from envnet_tutorial.explorers import interactive_figure

def draw(height):
    figure, ax = plt.subplots(figsize=(2, 1))
    ax.bar([0], [height])
    return figure

interactive_figure(draw, height=(1, 5))
"""


def draw_level(height):
    """Fill the picture with a grey that is read back from its pixels."""
    figure = plt.figure(figsize=(1, 1), dpi=20)
    figure.set_facecolor((height / 10,) * 3)
    return figure


def grey(encoded):
    return float(plt.imread(io.BytesIO(base64.b64decode(encoded)))[..., 0].mean())


def shown(panel):
    return re.search(r"base64,([A-Za-z0-9+/=]+)", panel.children[-1].value).group(1)


def test_the_picture_shows_the_start_value_and_follows_the_control():
    panel, bundle = figure_panel(draw_level, {"height": ipywidgets.IntSlider(value=2, min=0, max=10)})
    assert grey(bundle["image/png"]) == pytest.approx(0.2, abs=0.01)
    assert bundle["text/plain"] == "<Figure to move: height = 2>"
    panel.children[0].value = 9
    assert grey(shown(panel)) == pytest.approx(0.9, abs=0.01)
    assert 'alt="The figure at height = 9"' in panel.children[-1].value
    assert not plt.get_fignums()


def test_the_output_is_the_same_twice_but_for_the_number_of_the_widget():
    first, second = (figure_panel(draw_level, {"height": (0, 4)})[1] for _ in range(2))
    assert first.pop(WIDGET_VIEW) != second.pop(WIDGET_VIEW)
    assert first == second


def test_axes_count_as_their_figure():
    _, bundle = figure_panel(lambda height: draw_level(height).add_axes((0, 0, 0, 0)), {"height": (4, 4, 1)})
    assert grey(bundle["image/png"]) == pytest.approx(0.4, abs=0.01)


def test_a_drawing_without_figure_and_a_control_without_value_are_refused():
    with pytest.raises(TypeError, match="must return the matplotlib figure"):
        figure_panel(lambda height: None, {"height": (0, 4)})
    with pytest.raises(TypeError, match="neither a widget"):
        as_widget("height", object())
    with pytest.raises(TypeError, match="neither a widget"):
        as_widget("height", ipywidgets.Label("x").layout)


def test_an_error_under_way_is_shown_and_raised():
    def draw(height):
        if height > 3:
            raise ValueError("<too high>")
        return draw_level(height)

    panel, _ = figure_panel(draw, {"height": ipywidgets.IntSlider(value=1, max=10)})
    with pytest.raises(ValueError, match="too high"):
        panel.children[0].value = 5
    assert html.escape("<too high>") in panel.children[-1].value


def test_controls_have_a_label_and_wait_for_the_hand_to_rest():
    widget = as_widget("window_length", (1, 9))
    assert widget.description == "window length"
    assert widget.continuous_update is False
    assert as_widget("x", ipywidgets.IntSlider(description="hop (ms)")).description == "hop (ms)"
    assert as_widget("x", ["hann", "boxcar"]).options == ("hann", "boxcar")


@pytest.fixture(scope="module")
def executed():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return NotebookClient(notebook, kernel_name="python3").execute()


def test_a_cell_gets_one_output_with_widget_picture_and_text(executed):
    (output,) = executed.cells[0].outputs
    assert set(output.data) == {WIDGET_VIEW, "image/png", "text/plain"}
    picture = plt.imread(io.BytesIO(base64.b64decode(output.data["image/png"])))
    assert np.ptp(picture[..., 0]) > 0.5


def test_nbval_accepts_the_cell_with_and_without_its_widget_and_notices_another_text(executed, tmp_path):
    without = copy.deepcopy(executed)
    del without.cells[0].outputs[0].data[WIDGET_VIEW]
    other = copy.deepcopy(executed)
    other.cells[0].outputs[0].data["text/plain"] = "<Figure to move: height = 4>"
    for name, notebook in {"executed": executed, "without": without, "other": other}.items():
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-rA", "-p", "no:cacheprovider", "."]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=250)
    verdicts = dict(
        reversed(found) for found in re.findall(r"^(PASSED|FAILED) (\w+)\.ipynb", result.stdout, re.MULTILINE)
    )
    assert verdicts == {"executed": "PASSED", "without": "PASSED", "other": "FAILED"}, result.stdout
