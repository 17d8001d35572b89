"""A filter that slides along a real sound, sample by sample, in the page itself (lesson 2)."""

import html
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from envnet_tutorial.explorers import stills
from envnet_tutorial.explorers.inline import inline
from envnet_tutorial.plotting.sound import one_channel
from envnet_tutorial.probing import frequency_response
from envnet_tutorial.results import load_result
from envnet_tutorial.results.views import front_end
from envnet_tutorial.settings import ENVNET_INPUT

#: Most taps, and largest stride and dilation, that the reader can choose.
LIMITS = {"taps": 8, "stride": 12, "dilation": 6}
#: Fewest and most samples of a sound: the longest filter fits, and single samples can be told apart on a phone.
MIN_SAMPLES, MAX_SAMPLES = 64, 160


@dataclass(frozen=True, repr=False)
class WaveformExplorer:
    """A short sound, a filter to slide along it, and the output as far as the filter has come (lesson 2).

    The last line of a cell shows it. The reader chooses sound, filter, number of taps (the first ones of the filter),
    stride and dilation. Samples that no step reads are hatched, as in `plotting.convolution.plot_conv1d`.

    Parameters
    ----------
    sounds : mapping of str to array-like, shape (time,) or (1, time)
        What the reader can choose from, by name; the page keeps five decimals.
    sample_rate : int
        Rate of all of them in Hz.
    filters : mapping of str to array-like, shape (8,)
        Weights, by name.
    taps, stride, dilation : int
        What the explorer opens with.

    Raises
    ------
    ValueError
        If there is no sound or no filter, a length is wrong, or a setting is not offered.
    """

    sounds: Mapping
    sample_rate: int
    filters: Mapping
    taps: int = 8
    stride: int = 1
    dilation: int = 1

    def __post_init__(self):
        lengths = [len(one_channel(sound)) for sound in self.sounds.values()]
        if not lengths or min(lengths) < MIN_SAMPLES or max(lengths) > MAX_SAMPLES:
            raise ValueError(f"give one or more sounds of {MIN_SAMPLES} to {MAX_SAMPLES} samples, not {lengths}")
        counts = [len(one_channel(taps)) for taps in self.filters.values()]
        if not counts or set(counts) != {LIMITS["taps"]}:
            raise ValueError(f"give one or more filters of {LIMITS['taps']} taps, not {counts}")
        for name, largest in LIMITS.items():
            if not 1 <= getattr(self, name) <= largest:
                raise ValueError(f"{name} must be from 1 to {largest}, not {getattr(self, name)}")

    def __repr__(self) -> str:
        return f"WaveformExplorer({', '.join((*self.sounds, *self.filters))})"

    def _repr_html_(self) -> str:
        settings = {
            "sounds": [{"name": name, "samples": _rounded(sound)} for name, sound in self.sounds.items()],
            "filters": [{"name": name, "taps": _rounded(taps)} for name, taps in self.filters.items()],
            "rate": self.sample_rate,
            "limits": LIMITS,
            "start": {name: getattr(self, name) for name in LIMITS},
        }
        return inline("waveform", settings, parts=("controls",), still=self._still())

    def _still(self) -> str:
        """Draw the sound and the output of the first filter, for a reader without JavaScript."""
        sound, taps = (next(iter(given.items())) for given in (self.sounds, self.filters))
        samples = torch.tensor(_rounded(sound[1]), dtype=torch.float64)
        weights = torch.tensor(_rounded(taps[1]), dtype=torch.float64)[: self.taps]
        output = functional.conv1d(samples[None, None], weights[None, None], None, self.stride, 0, self.dilation)[0, 0]
        middle = self.dilation * (self.taps - 1) / 2
        places = middle + self.stride * torch.arange(len(output))
        lines = _line(torch.arange(len(samples)), samples, 40, "input") + _line(places, output, 120, "output")
        caption = f"{sound[0]} (above), and what {taps[0]} makes of it (below), each as large as fits."
        picture = (
            f'<svg viewBox="0 0 {len(samples) - 1} 160" height="160" preserveAspectRatio="none" role="img" '
            f'aria-label="{html.escape(caption)}">{lines}</svg>'
        )
        return stills.figure(picture, caption)


def trained_filters(run: str = "esc50-fast") -> dict[str, list[float]]:
    """Pick three filters of a trained first layer: the choosiest of each third of the frequencies (lesson 2).

    Choosy is a filter whose transform has a high maximum over its mean.

    Parameters
    ----------
    run : str
        A result with front ends; the one that was trained without fold 1 and with the first seed is taken.

    Returns
    -------
    dict of str to list of float
        Weights of conv1, eight a filter, by a name that says where the filter lets most through.
    """
    network = front_end(load_result(run))
    weights = network.feature_conv.conv1.module[0].weight.detach()[:, 0, 0]  # (filter, taps)
    half = ENVNET_INPUT.sample_rate / 2
    frequencies = torch.linspace(0, half, 513)
    responses = frequency_response(weights, frequencies, ENVNET_INPUT.sample_rate)  # (filter, frequency)
    best, choosy = frequencies[responses.argmax(dim=1)], responses.amax(dim=1) / responses.mean(dim=1)
    picked = {}
    for third in range(3):
        inside = (best >= third * half / 3) & (best <= (third + 1) * half / 3)
        number = int(choosy.where(inside, torch.tensor(0.0)).argmax())
        picked[f"EnvNet's no. {number} ({best[number] / 1000:.1f} kHz)"] = weights[number].tolist()
    return picked


def _rounded(values) -> list[float]:
    return np.round(one_channel(values), 5).tolist()


def _line(places: torch.Tensor, values: torch.Tensor, middle: float, kind: str) -> str:
    """Draw values as a line of SVG, at most 36 above and below its middle."""
    heights = middle - 36 * values / values.abs().max().clamp(min=1e-12)
    points = " ".join(f"{x:g} {y:.1f}" for x, y in zip(places.tolist(), heights.tolist(), strict=True))
    return f'<path class="{kind}" vector-effect="non-scaling-stroke" d="M{points}"/>'
