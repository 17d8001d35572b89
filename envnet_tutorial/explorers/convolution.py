"""Convolution arithmetic to move: a page-sized explorer in plain JavaScript (lesson 2).

It needs no kernel, no network and no module loader, so it is the same in the notebook, in Colab and in the static page.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn import functional

from envnet_tutorial.explorers import stills
from envnet_tutorial.explorers.inline import inline
from envnet_tutorial.shapes import conv_output_length


@dataclass(frozen=True)
class ConvolutionExplorer:
    """Controls for size, kernel, stride, padding and dilation beside input, kernel and output (lesson 2).

    The last line of a cell shows it. The settings are those that it opens with; a reader moves them.

    Parameters
    ----------
    dimensions : int
        1 for a sound, 2 for a square picture.
    size, kernel, stride, padding, dilation : int
        Settings of each axis, as `torch.nn.Conv1d` takes them.

    Raises
    ------
    ValueError
        If there are not one or two axes, or the kernel does not fit.
    """

    dimensions: int = 1
    size: int = 8
    kernel: int = 3
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def __post_init__(self):
        if self.dimensions not in (1, 2):
            raise ValueError(f"the explorer shows 1 or 2 axes, not {self.dimensions}")
        conv_output_length(self.size, self.kernel, self.stride, self.padding, self.dilation)

    def _repr_html_(self) -> str:
        return inline("convolution", asdict(self), still=self._still())

    def grids(self) -> dict[str, Tensor]:
        """Return the padded input, the kernel and the output, (row, column) each; a sound has one row."""
        flat = self.dimensions == 1
        sides = (self.padding, self.padding, 0, 0) if flat else (self.padding,) * 4
        padded = functional.pad(_input_values(1 if flat else self.size, self.size), sides)
        kernel = _weights(1 if flat else self.kernel, self.kernel)
        stride, dilation = ((1 if flat else along, along) for along in (self.stride, self.dilation))
        output = functional.conv2d(padded[None, None], kernel[None, None], None, stride, 0, dilation)[0, 0]
        return {"input": padded, "kernel": kernel, "output": output}

    def _still(self) -> str:
        """Draw input, kernel and the whole output, for a reader without JavaScript."""
        grids, flat = self.grids(), self.dimensions == 1
        drawn, left, top = "", 0.0, 0.0
        for name, values in grids.items():
            edge = self.padding if name == "input" else 0
            drawn += _drawn(name, values, left, top, (0 if flat else edge, edge))
            left, top = (left, top + 1.8) if flat else (left + values.shape[1] + 1.2, top)
        wide, high = (grids["input"].shape[1], top) if flat else (left - 1.2, grids["input"].shape[0] + 0.8)
        taken = ", ".join(f"{name} {getattr(self, name)}" for name in ("kernel", "stride", "padding", "dilation"))
        lengths = f"{self.size} numbers in, {grids['output'].shape[1]} out"
        caption = f"A convolution: {lengths}{'' if flat else ' on each axis'}; {taken}."
        picture = f'<svg role="img" aria-label="{caption}" viewBox="0 0 {wide:g} {high:g}">{drawn}</svg>'
        return stills.figure(picture, caption)


def _input_values(rows: int, columns: int) -> Tensor:
    """Return the small whole numbers that the page convolves."""
    row, column = torch.arange(rows)[:, None], torch.arange(columns)
    return ((5 * row + 3 * column) % 7 - 2).float()


def _weights(rows: int, columns: int) -> Tensor:
    """Return the weights that the page convolves with."""
    row, column = torch.arange(rows)[:, None], torch.arange(columns)
    return torch.tensor([1.0, 2.0, -1.0, 0.0])[(2 * row + column) % 4]


def _drawn(name: str, values: Tensor, left: float, top: float, edge: tuple[int, int]) -> str:
    """Draw numbers (row, column) in cells of SVG below their name; the edge, in rows and columns, is padding."""
    high, wide = (length - along for length, along in zip(values.shape, edge, strict=True))
    cells = ""
    for row, line in enumerate(values.tolist()):
        for column, value in enumerate(line):
            inside = edge[0] <= row < high and edge[1] <= column < wide
            kind, shown = name if inside else f"{name} padding", f"{value:g}".replace("-", "\N{MINUS SIGN}")
            x, y = left + column, top + row + 0.7
            cells += f'<rect class="{kind}" x="{x + 0.04:g}" y="{y + 0.04:g}" width=".92" height=".92"/>'
            cells += f'<text x="{x + 0.5:g}" y="{y + 0.52:g}">{shown}</text>'
    return f'<text class="row" x="{left:g}" y="{top + 0.35:g}">{name}</text>{cells}'
