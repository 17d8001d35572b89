"""Convolution arithmetic to move: a page-sized explorer in plain JavaScript (lesson 2).

It needs no kernel, no network and no module loader, so it is the same in the notebook, in Colab and in the static page.
"""

import html
import json
from dataclasses import asdict, dataclass
from importlib.resources import files

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
        settings = html.escape(json.dumps(asdict(self)), quote=True)
        style, script = (
            files("envnet_tutorial.explorers").joinpath(f"convolution.{kind}").read_text("utf-8")
            for kind in ("css", "js")
        )
        waiting = "<p>This explorer needs JavaScript. In a notebook, run the cell to see it.</p>"
        return (
            f'<style>{style}</style><div class="conv-explorer" data-settings="{settings}">{waiting}</div>'
            f"<script>{script}</script>"
        )
