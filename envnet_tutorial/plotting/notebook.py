"""Figures as a notebook keeps them: PNG with a palette, a third of what four channels weigh."""

import io

from IPython import get_ipython
from matplotlib.figure import Figure
from PIL import Image


def draw_with_palette() -> None:
    """Draw the figures of this notebook with `figure_as_png`; outside of notebooks do nothing."""
    if shell := get_ipython():
        import matplotlib_inline.backend_inline  # noqa: F401 - where it draws, it says now how, and not later

        formatter = shell.display_formatter.formatters["image/png"]
        if Figure in formatter.type_printers:
            formatter.for_type(Figure, figure_as_png)


def figure_as_png(figure: Figure) -> bytes:
    """Draw a figure, cropped to what is on it, with a palette."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", bbox_inches="tight")
    with Image.open(drawn) as picture:
        return in_few_colours(picture)


def in_few_colours(picture: Image.Image) -> bytes:
    """Write a picture as PNG in 256 colours, chosen near its own."""
    opaque = picture.convert("RGB")
    return png_of(opaque.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE))


def png_of(picture: Image.Image) -> bytes:
    """Write a picture as PNG, as small as it gets without loss."""
    stream = io.BytesIO()
    picture.save(stream, format="png", optimize=True)
    return stream.getvalue()
