"""Pictures of what a convolution touches: blue input, cyan output, an orange kernel between them (lesson 2).

The style of the pictures is that of V. Dumoulin and F. Visin (arXiv:1603.07285). What they show comes from
`envnet_tutorial.shapes.conv_windows`, which the tests hold against PyTorch's own convolution.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import ConnectionPatch, Rectangle

from envnet_tutorial.plotting.style import PALETTE
from envnet_tutorial.shapes import conv_windows

INPUT, TOUCHED, OUTPUT, CURRENT = "#9CC9EC", PALETTE["blue"], "#B5ECEC", "#0FB5BA"
KERNEL, EDGE, PADDING, TOUCHED_PADDING = PALETTE["vermillion"], "#404040", "#FFFFFF", "#7A7A7A"


def _cell(ax: Axes, x: float, y: float, colour: str, *, padding: bool = False, unused: bool = False) -> None:
    """Draw one sample: dashed where it is padding, hatched where no window touches it."""
    style = {"linestyle": ":", "edgecolor": "#808080"} if padding else {"edgecolor": EDGE}
    hatch = {"hatch": "////"} if unused else {}
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, linewidth=0.8, **style, **hatch))


def _colour(touched: bool, outside: bool) -> str:
    if outside:
        return TOUCHED_PADDING if touched else PADDING
    return TOUCHED if touched else INPUT


def _number(ax: Axes, x: float, y: float, value: float, colour: str = "black") -> None:
    ax.text(x, y, f"{value:g}", ha="center", va="center", fontsize=8, color=colour)


def plot_conv1d(
    length: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    ax: Axes | None = None,
) -> Axes:
    """Draw every step of a one-dimensional convolution, one row a step (lesson 2).

    Parameters
    ----------
    length, kernel, stride, padding, dilation : int
        As `torch.nn.Conv1d` takes them.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Dark is what the step touches, with the number of the tap on it; blue is input, dotted is padding, hatched
        is touched by no step. The output is cyan.
    """
    windows = conv_windows(length, kernel, stride, padding, dilation)
    ax = ax or plt.figure(figsize=(7.2, 1.1 + 0.34 * len(windows))).add_subplot()
    right = length + padding + 1
    for step, window in enumerate(windows):
        for index in range(-padding, length + padding):
            outside = not 0 <= index < length
            unused = not outside and index not in windows
            _cell(ax, index, step, _colour(index in window, outside), padding=outside, unused=unused)
        for tap, index in enumerate(window):
            _number(ax, index, step, tap, "white")
        _cell(ax, right, step, CURRENT)
    ax.set(xlim=(-padding - 0.6, right + 0.6), ylim=(len(windows) - 0.4, -0.6), aspect="equal")
    ax.set(xlabel="input (sample)", ylabel="output", yticks=range(len(windows)))
    ax.set_xticks([*range(length), right], [*range(length), "out"])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def plot_conv2d_step(
    size: tuple[int, int],
    kernel: tuple[int, int],
    step: tuple[int, int] = (0, 0),
    *,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    ax: Axes | None = None,
) -> Axes:
    """Draw one step of a two-dimensional convolution: the input on the left, the output on the right (lesson 2).

    Parameters
    ----------
    size, kernel, stride, padding, dilation : tuple of int
        (height, width), as `torch.nn.Conv2d` takes them.
    step : tuple of int
        Row and column of the output that is computed.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Colours as in `plot_conv1d`.
    """
    rows, columns = (conv_windows(size[i], kernel[i], stride[i], padding[i], dilation[i]) for i in (0, 1))
    ax = ax or plt.figure(figsize=(3.6, 2.4)).add_subplot()
    touched_rows, touched_columns = rows[step[0]], columns[step[1]]
    for y in range(-padding[0], size[0] + padding[0]):
        for x in range(-padding[1], size[1] + padding[1]):
            outside = not (0 <= y < size[0] and 0 <= x < size[1])
            touched = y in touched_rows and x in touched_columns
            unused = not outside and (y not in rows or x not in columns)
            _cell(ax, x, y, _colour(touched, outside), padding=outside, unused=unused)
    _outline(ax, touched_columns[0], touched_rows[0], touched_columns[-1], touched_rows[-1])
    left, top = size[1] + padding[1] + 1, (size[0] - len(rows)) / 2
    for y in range(len(rows)):
        for x in range(len(columns)):
            _cell(ax, left + x, top + y, CURRENT if (y, x) == tuple(step) else OUTPUT)
    _point_to(ax, touched_columns[-1] + 0.5, touched_rows, left + step[1] - 0.5, top + step[0])
    ax.set(xlim=(-padding[1] - 0.7, left + len(columns)), ylim=(size[0] + padding[0], -padding[0] - 1))
    ax.set(aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def _outline(ax: Axes, left: int, top: int, right: int, bottom: int) -> None:
    """Frame the span of the kernel, from its first tap to its last."""
    frame = Rectangle((left - 0.5, top - 0.5), right - left + 1, bottom - top + 1)
    frame.set(fill=False, edgecolor=KERNEL, linewidth=2, zorder=3)
    ax.add_patch(frame)


def _point_to(ax: Axes, x: float, rows: np.ndarray, target_x: float, target_y: float) -> None:
    """Draw the two lines that lead from the window to the output cell that it gives."""
    for y, end in ((rows[0] - 0.5, target_y - 0.5), (rows[-1] + 0.5, target_y + 0.5)):
        line = ConnectionPatch((x, y), (target_x, end), "data", "data", color=KERNEL, linewidth=0.8, alpha=0.7)
        ax.add_artist(line)


#: The settings of one axis, in the order in which `conv_windows` takes them.
_DEFAULTS = (("stride", 1), ("padding", 0), ("dilation", 1))


def plot_conv2d_steps(size: tuple[int, int], kernel: tuple[int, int], **settings) -> np.ndarray:
    """Draw every step of a two-dimensional convolution, one panel each (lesson 2).

    Parameters
    ----------
    size, kernel : tuple of int
        Height and width of input and kernel.
    **settings
        ``stride``, ``padding``, ``dilation`` of `plot_conv2d_step`.

    Returns
    -------
    ndarray of Axes, shape (output height, output width)
    """
    geometry = [[settings.get(name, (other, other))[i] for name, other in _DEFAULTS] for i in (0, 1)]
    height, width = (len(conv_windows(size[i], kernel[i], *geometry[i])) for i in (0, 1))
    figure = plt.figure(figsize=(min(7.2, 2.4 * width), max(0.2 * (size[0] + 2), 1.2) * height))
    panels = figure.subplots(height, width, squeeze=False)
    for (row, column), ax in np.ndenumerate(panels):
        plot_conv2d_step(size, kernel, (row, column), ax=ax, **settings)
        ax.set_title(f"output ({row}, {column})", fontsize=8)
    return panels
