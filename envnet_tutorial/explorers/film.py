"""A matrix that changes step by step, played in the page itself (lesson 5)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from envnet_tutorial.explorers.inline import inline
from envnet_tutorial.plotting.style import SEQUENTIAL

COLOURS = 64
#: Most bytes of a film: it travels inside the page, a byte a cell and frame.
MAX_BYTES = 400_000


@dataclass(frozen=True)
class FilterTaps:
    """The weights of the filters in a film: a reader picks a row and sees its taps and their transform (lesson 5).

    Parameters
    ----------
    kernels : array-like, shape (frame, row, taps)
        The page gets them in 8 bits, each filter scaled by its largest weight.
    frequencies : array-like, shape (column,)
        Frequency of each column of the film in Hz.
    sample_rate : int
        Rate in Hz.
    """

    kernels: np.ndarray
    frequencies: np.ndarray
    sample_rate: int

    def settings(self, shape: tuple[int, int, int]) -> dict:
        """Return what the page needs, if it fits a film of that shape.

        Raises
        ------
        ValueError
            If there is no filter for each row of each frame, or no frequency for each column.
        """
        kernels = np.asarray(self.kernels, dtype=np.float64)
        if kernels.shape[:2] != shape[:2] or len(self.frequencies) != shape[2] or not np.isfinite(kernels).all():
            raise ValueError(f"a film of shape {shape} needs a finite filter a row and frame; got {kernels.shape}")
        largest = np.abs(kernels).max(axis=2, keepdims=True)
        levels = np.round(127 * kernels / np.where(largest > 0, largest, 1)).astype(np.int8)
        return {
            "count": kernels.shape[2],
            "levels": base64.b64encode(levels.tobytes()).decode("ascii"),
            "frequencies": np.round(np.asarray(self.frequencies, dtype=np.float64), 2).tolist(),
            "rate": self.sample_rate,
        }


@dataclass(frozen=True, repr=False)
class MatrixFilm:
    """The frames of a matrix, with play button and slider (lesson 5).

    The last line of a cell shows it. It plays by itself nowhere: it opens on its first frame, before any training, and
    plays when the reader says so. For those who asked their system for less motion it does not play at
    all: the button then shows the next frame.

    Parameters
    ----------
    frames : array-like, shape (frame, row, column)
        Values from 0 (darkest) to 1 (brightest); row 0 is drawn at the bottom.
    captions : sequence of str
        What stands beside the play button for each frame, such as ``"step 20"``.
    columns : sequence of (float, str)
        Ticks under the picture: position from 0 to ``column - 1``, and label.
    x_label, y_label : str
        Names of the axes, with units.
    description : str
        What a screen reader says of the picture.
    taps : FilterTaps, optional
        Weights of the filters, to be drawn beside the matrix for the row that the reader picks.

    Raises
    ------
    ValueError
        If the frames have no such shape or range, do not match the captions, or are too many for a page.
    """

    frames: np.ndarray
    captions: Sequence[str]
    columns: Sequence[tuple[float, str]]
    x_label: str
    y_label: str
    description: str
    taps: FilterTaps | None = None
    colours: tuple[str, ...] = field(
        default=tuple(to_hex(colour) for colour in colormaps[SEQUENTIAL](np.linspace(0, 1, COLOURS)))
    )

    def __post_init__(self):
        frames = np.asarray(self.frames)
        if frames.ndim != 3 or len(frames) != len(self.captions) or not len(frames):
            raise ValueError(f"frames of shape (frame, row, column) need a caption each; got {frames.shape}")
        if not (np.isfinite(frames).all() and frames.min() >= 0 and frames.max() <= 1):
            raise ValueError("the values of a film lie between 0 and 1")
        if frames.size > MAX_BYTES:
            raise ValueError(f"a film has at most {MAX_BYTES:,} cells in all its frames; got {frames.size:,}")
        if self.taps is not None:
            self.taps.settings(frames.shape)

    def __repr__(self) -> str:
        return f"MatrixFilm({len(self.captions)} frames, {self.captions[0]} to {self.captions[-1]})"

    def _repr_html_(self) -> str:
        frames = np.asarray(self.frames)
        levels = np.round(frames * (len(self.colours) - 1)).astype(np.uint8)
        settings = {
            "shape": frames.shape,
            "levels": base64.b64encode(levels.tobytes()).decode("ascii"),
            "colours": self.colours,
            "captions": list(self.captions),
            "columns": [[float(position), label] for position, label in self.columns],
            "xLabel": self.x_label,
            "yLabel": self.y_label,
            "description": self.description,
            "taps": None if self.taps is None else self.taps.settings(frames.shape),
        }
        return inline("film", settings)
