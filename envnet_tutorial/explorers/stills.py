"""What a reader without JavaScript sees in an explorer's place: pictures with a caption."""

import html

import numpy as np
from torch import Tensor

from envnet_tutorial.plotting.pictures import as_png

#: Width and height of a line's picture.
WIDE, HIGH = 300, 100


def figure(pictures: str, caption: str) -> str:
    """Put pictures (HTML) above their caption (plain text)."""
    return f"<figure>{pictures}<figcaption>{html.escape(caption)}</figcaption></figure>"


def image(scaled: np.ndarray | Tensor, alt: str) -> str:
    """Draw a map of values from 0 to 1, (row, column), with its first row at the bottom; alt is plain text."""
    return f'<img alt="{html.escape(alt, quote=True)}" src="{as_png(scaled)}">'


def coarse(scaled: Tensor, colours: int = 12) -> Tensor:
    """Round values from 0 to 1 to a few, which makes their picture lighter."""
    return (scaled * colours).round() / colours


def chart(title: str, values: Tensor) -> str:
    """Draw values from 0 to 1 as a line in an SVG with a title."""
    points = " ".join(
        f"{x:.0f},{HIGH - y:.0f}"
        for x, y in zip(np.linspace(0, WIDE, len(values)), (HIGH * values).tolist(), strict=True)
    )
    return _titled(title, f'<polyline points="{points}"/>')


def waveform(title: str, samples: Tensor, peak: float) -> str:
    """Draw a sound (time,) in an SVG with a title, up to ``peak``: a bar for each of `WIDE` spans, low to high."""
    spans = samples[: len(samples) // WIDE * WIDE].reshape(WIDE, -1)
    heights = (HIGH / 2 * (1 - spans.aminmax(dim=1).max / peak)).tolist()
    depths = (HIGH / 2 * (1 - spans.aminmax(dim=1).min / peak)).tolist()
    bars = "".join(f"M{x} {top:.0f}V{end:.0f}" for x, (top, end) in enumerate(zip(heights, depths, strict=True)))
    return _titled(title, f'<path d="{bars}"/>')


def _titled(title: str, drawing: str) -> str:
    name = html.escape(title, quote=True)
    return (
        f'<svg role="img" aria-label="{name}" viewBox="0 -16 {WIDE} {HIGH + 20}"><text y="-4">{name}</text>{drawing}'
        "</svg>"
    )
