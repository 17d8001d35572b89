"""Look at one filter: its taps, its answers to tones, and what it lets through, in the page itself (lesson 5)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from envnet_tutorial import probing
from envnet_tutorial.explorers import stills
from envnet_tutorial.explorers.film import Reel, film_settings
from envnet_tutorial.explorers.inline import inline, squeezed
from envnet_tutorial.explorers.naming import pack

#: The scripts that `onefilter.js` builds on, each after those that it needs itself.
PARTS = ("controls", "inflate", "film_reels", "filter_signal", "hearing_player")


@dataclass(frozen=True, repr=False)
class FilterExplorer:
    """One filter of a network at a time, before and after training: seen, measured and heard (lesson 5).

    The last line of a cell shows it. Taps, their Fourier transform and the answers to tones are drawn for the filter
    that the reader picks; a gliding tone and hiss can be played as its taps let them through.

    Parameters
    ----------
    responses : mapping of str to Tensor, shape (filter, tone)
        Answers to tones (`probing.response_matrix`) by the state of the network, such as "trained". It opens with the
        first state, which also sorts the rows; a second one stands beside it.
    kernels : mapping of str to Tensor, shape (filter, taps)
        Merged weights (`probing.composite_kernels`) in the same states.
    frequencies : Tensor, shape (tone,)
        Of the tones, in Hz, rising.
    sample_rate : int
        Rate in Hz.
    note : str
        Whose filter it is: network, data, steps, level of the tones.
    row : int, default 20
        Row that it opens with, counted from 0, sorted.

    Raises
    ------
    ValueError
        If there are not one or two states, or shapes or values are not those of filters.
    """

    responses: Mapping[str, Tensor]
    kernels: Mapping[str, Tensor]
    frequencies: Tensor
    sample_rate: int
    note: str
    row: int = 20

    def __post_init__(self):
        if not 1 <= len(self.responses) <= 2 or list(self.responses) != list(self.kernels):
            raise ValueError(f"one or two states wanted, not {list(self.responses)} and {list(self.kernels)}")
        filters, shapes = len(self.first), [tuple(m.shape) for m in (*self.responses.values(), *self.kernels.values())]
        taps = shapes[-1][-1]
        if shapes != len(self.responses) * [(filters, len(self.frequencies))] + len(self.kernels) * [(filters, taps)]:
            raise ValueError(f"as many filters, tones and taps in each state wanted, not {shapes}")
        if not all(torch.isfinite(m).all() for m in (*self.responses.values(), *self.kernels.values())):
            raise ValueError("a response or a weight is not finite")
        if not 0 <= self.row < filters:
            raise ValueError(f"there is no row {self.row} of {filters}")

    @property
    def first(self) -> Tensor:
        """Responses in the state that it opens with."""
        return next(iter(self.responses.values()))

    def __repr__(self) -> str:
        return f"FilterExplorer({len(self.first)} filters, {', '.join(self.responses)})"

    def _repr_html_(self) -> str:
        states = list(self.responses)
        reel = Reel(
            "filters", "State", states, {"filters": torch.stack(list(self.responses.values()))}, "", sorted_by=0
        )
        kernels = torch.stack(list(self.kernels.values())).float()  # (state, filter, taps)
        settings = film_settings([reel], self.frequencies, self.sample_rate) | {
            "states": states,
            "kernels": pack(kernels),
            "taps": kernels.shape[2],
            "peaks": [peaks_of(matrix) for matrix in self.responses.values()],
            "widths": [widths_of(matrix, self.frequencies) for matrix in self.responses.values()],
            "note": self.note,
            "start": self.row,
        }
        return squeezed(inline("onefilter", settings, parts=PARTS, still=self._still()))

    def _still(self) -> str:
        """Draw the filter that it opens with, for a reader without JavaScript."""
        row = int(probing.sort_by_centre(self.first, self.frequencies)[self.row])
        taps = next(iter(self.kernels.values()))[row].double()
        charts = {
            f"{len(taps)} merged taps": taps / taps.abs().max().clamp(min=1e-12) / 2 + 0.5,
            "answer to tones, low ones on the left": probing.unit_range(self.first)[row],
        }
        pictures = "".join(stills.chart(title, values) for title, values in charts.items())
        caption = f"Filter {row + 1}: its taps over time, and its answers to tones. {self.note}"
        return stills.figure(pictures, caption)


def peaks_of(matrix: Tensor) -> list[int | None]:
    """Return which tone each filter answers most, None for one that answers all tones alike."""
    scaled = probing.unit_range(matrix)
    return [int(row.argmax()) if row.amax() > 0 else None for row in scaled]


def widths_of(matrix: Tensor, frequencies: Tensor) -> list[float | None]:
    """Return each filter's bandwidth at half height in Hz, to a tenth; None for one that answers all tones alike."""
    return [None if width != width else round(width, 1) for width in probing.bandwidths(matrix, frequencies).tolist()]
