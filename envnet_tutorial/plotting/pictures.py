"""Maps of numbers as pictures inside a page, a pixel for each number."""

import base64

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from PIL import Image

from envnet_tutorial.plotting.notebook import png_of
from envnet_tutorial.plotting.style import SEQUENTIAL

COLOURS = 64


def palette() -> list[str]:
    """Return the colours of a map, the weakest first, as ``#rrggbb``."""
    return [to_hex(colour) for colour in colormaps[SEQUENTIAL](np.linspace(0, 1, COLOURS))]


def indexed(scaled: np.ndarray) -> Image.Image:
    """Draw values from 0 to 1, (row, column), with the first row at the bottom."""
    picture = Image.fromarray(np.round(np.asarray(scaled)[::-1] * (COLOURS - 1)).astype(np.uint8))
    picture.putpalette(bytes.fromhex("".join(palette()).replace("#", "")))
    return picture


def as_png(scaled: np.ndarray) -> str:
    """Draw values from 0 to 1, (row, column), as a data URL with the first row at the bottom."""
    return "data:image/png;base64," + base64.b64encode(png_of(indexed(scaled))).decode("ascii")
