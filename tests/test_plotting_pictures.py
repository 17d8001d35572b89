"""Pictures with a palette look like those without."""

import base64
import io

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from matplotlib import colormaps
from nbclient import NotebookClient
from PIL import Image

from envnet_tutorial.plotting.notebook import draw_with_palette, figure_as_png
from envnet_tutorial.plotting.pictures import COLOURS, as_png

DRAWN = """
import matplotlib.pyplot as plt
from envnet_tutorial.plotting import use_book_style
use_book_style()
plt.plot([1, 2], label="a line")
plt.legend()
plt.show()
"""


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_a_map_has_the_colours_of_its_values():
    values = np.random.default_rng(3).random((5, 7))
    picture = opened(base64.b64decode(as_png(values).removeprefix("data:image/png;base64,")))
    wanted = 255 * colormaps["magma"](np.round(values * (COLOURS - 1)) / (COLOURS - 1))[..., :3]
    np.testing.assert_allclose(np.asarray(picture.convert("RGB"))[::-1], wanted, atol=0.5)


@pytest.fixture
def heat_and_lines():
    """Draw what has more than 256 colours: two colour maps, lines and text."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(6, 3))
    left.imshow(np.random.default_rng(0).random((60, 60)), cmap="magma")
    right.imshow(np.linspace(-1, 1, 900).reshape(30, 30), cmap="RdBu")
    right.plot([0, 29], [29, 0], color="#0072B2", label="across")
    right.legend()
    yield figure
    plt.close(figure)


def test_a_figure_with_a_palette_looks_the_same_and_weighs_less_than_half(heat_and_lines):
    drawn = io.BytesIO()
    heat_and_lines.savefig(drawn, format="png", bbox_inches="tight")
    plain, small = drawn.getvalue(), figure_as_png(heat_and_lines)
    assert len(small) < len(plain) / 2
    pictures = [np.asarray(opened(content).convert("RGB")).astype(int) for content in (plain, small)]
    assert len(np.unique(pictures[0].reshape(-1, 3), axis=0)) > 256
    apart = np.abs(pictures[0] - pictures[1])
    assert apart.max() < 0.06 * 255 and apart.mean() < 0.005 * 255


def test_a_lesson_keeps_its_figures_with_a_palette(tmp_path):
    lesson = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(DRAWN)])
    NotebookClient(lesson, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    (output,) = [output for output in lesson.cells[0].outputs if output.output_type == "display_data"]
    assert opened(base64.b64decode(output.data["image/png"])).mode == "P"


def test_outside_of_a_notebook_nothing_happens():
    draw_with_palette()
