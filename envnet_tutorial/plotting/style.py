"""One look for every figure: colours that colour-blind readers can tell apart, on a card that suits both themes."""

import matplotlib as mpl
from cycler import cycler

from envnet_tutorial.plotting.notebook import draw_with_palette

#: Okabe and Ito's colours (2008), in the order in which lines take them; each goes with a line style of its own.
PALETTE = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "black": "#000000",
}
LINE_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))

#: Colour map of magnitudes.
SEQUENTIAL = "magma"


def use_book_style() -> None:
    """Set matplotlib's defaults for the page: size, resolution, colours; call it once at the head of a lesson.

    In a notebook, figures are drawn with a palette from then on: they take a third of the room, and look the same.
    """
    draw_with_palette()
    mpl.rcParams.update(
        {
            "figure.figsize": (7.2, 2.8),
            "figure.dpi": 110,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "figure.constrained_layout.use": True,
            "font.size": 9.5,
            "axes.titlesize": 10.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=list(PALETTE.values())) + cycler(linestyle=LINE_STYLES),
            "image.cmap": SEQUENTIAL,
            "image.origin": "lower",
            "image.aspect": "auto",
            "image.interpolation": "nearest",
            "legend.frameon": False,
            "lines.linewidth": 1.4,
        }
    )
