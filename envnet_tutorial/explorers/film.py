"""What filters answer to pure tones: through training, by level, beside controls, moved in the page (lesson 5)."""

import base64
import functools
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from envnet_tutorial import probing
from envnet_tutorial.explorers import stills
from envnet_tutorial.explorers.inline import inline, squeezed
from envnet_tutorial.plotting.pictures import palette
from envnet_tutorial.results import Result, load_result, views
from envnet_tutorial.settings import ENVNET_INPUT

#: The scripts that `film.js` builds on, each after those that it needs itself.
PARTS = ("inflate", "film_reels", "film_tone", "film_picture", "film_charts")
#: A response from 0 to 1 travels as a whole number up to this one: rounding moves it by 0.00009 at most.
FINEST = 5500
#: Most responses of all reels together.
MAX_VALUES = 400_000
#: Under the picture, in Hz.
TICKS = (200, 500, 1000, 2000, 4000)
#: Most frames of the training that travel in the page: a page has room for so many. They stand closer together at its
#: beginning, where filters move most.
FRAMES, GROWTH = 14, 1.5
#: Levels of the tones in dB, where a peak at full scale is 0, and which of them the film has.
LEVELS, FILM_LEVEL = (-45, -40, -35, -30, -25, -20, -15, -10, -6, 0), -6
CONTROLS = ("untrained", "trained", "shuffled labels")


@dataclass(frozen=True)
class Reel:
    """Response matrices under one slider: one picture that changes, or several side by side (lesson 5).

    Parameters
    ----------
    name : str
        What the button says that shows it.
    control : str
        Name of the slider, such as "Step".
    captions : sequence of str
        Where the slider stands, a caption for each frame.
    panels : mapping of str to Tensor, shape (frame, filter, tone)
        Responses by the title of their picture, as `probing.response_matrix` gives them.
    note : str
        Whose filters they are: network, data, fold, seed, level.
    start : int, default 0
        Frame on which it opens.
    sorted_by : int, default -1
        Frame whose centre frequencies order the rows of its picture, so that a row keeps its place.
    kernels : Tensor, shape (frame, filter, taps), optional
        Weights of the first picture's filters, to be drawn for the row that the reader picks.
    """

    name: str
    control: str
    captions: Sequence[str]
    panels: Mapping[str, Tensor]
    note: str
    start: int = 0
    sorted_by: int = -1
    kernels: Tensor | None = None

    @property
    def scaled(self) -> np.ndarray:
        """Responses from 0 to 1, each filter's by its own range in each frame; ndarray (panel, frame, filter, tone)."""
        return np.stack([np.stack([probing.unit_range(m).numpy() for m in panel]) for panel in self.panels.values()])

    def orders(self, frequencies: Tensor) -> list[list[int]]:
        """Return the filters of each picture from the bottom to the top."""
        return [probing.sort_by_centre(panel[self.sorted_by], frequencies).tolist() for panel in self.panels.values()]

    def settings(self, frequencies: Tensor) -> dict:
        """Return what the page needs."""
        return {
            "name": self.name,
            "control": self.control,
            "captions": list(self.captions),
            "note": self.note,
            "start": self.start,
            "titles": list(self.panels),
            "orders": self.orders(frequencies),
            "responses": pack(self.scaled),
            "taps": None if self.kernels is None else pack_kernels(self.kernels),
        }


@dataclass(frozen=True, repr=False)
class FilterFilm:
    """Reels with a tone to slide and to hear, and the answer of each filter to it (lesson 5).

    The last line of a cell shows it. It opens on the first reel's start and plays when the reader says so; for those
    who asked their system for less motion the button shows the next frame instead.

    Parameters
    ----------
    reels : sequence of Reel
        The reader chooses one, if there are several.
    frequencies : Tensor, shape (tone,)
        Of the tones, in Hz, rising.
    sample_rate : int
        Rate in Hz, of the kernels.

    Raises
    ------
    ValueError
        If the reels are no matrices of as many tones, do not match their captions, or are too many for a page.
    """

    reels: Sequence[Reel]
    frequencies: Tensor
    sample_rate: int

    def __post_init__(self):
        shapes = [panel.shape for reel in self.reels for panel in reel.panels.values()]
        if len({shape[1:] for shape in shapes}) != 1 or len(shapes[0]) != 3 or shapes[0][2] != len(self.frequencies):
            raise ValueError(f"pictures of shape (frame, filter, {len(self.frequencies)} tones) wanted, not {shapes}")
        for reel in self.reels:
            counts = {len(panel) for panel in reel.panels.values()}
            if counts != {len(reel.captions)} or not 0 <= reel.start < len(reel.captions):
                raise ValueError(f"{reel.name}: {len(reel.captions)} captions, and frames {counts}")
            if not all(torch.isfinite(panel).all() for panel in reel.panels.values()):
                raise ValueError(f"{reel.name}: a response is not finite")
            if reel.kernels is not None and reel.kernels.shape[:2] != (len(reel.captions), shapes[0][1]):
                raise ValueError(f"{reel.name}: a kernel for each frame and filter wanted, not {reel.kernels.shape}")
        if (size := sum(shape.numel() for shape in shapes)) > MAX_VALUES:
            raise ValueError(f"a film has at most {MAX_VALUES:,} responses in all its frames; got {size:,}")

    def __repr__(self) -> str:
        return f"FilterFilm({'; '.join(f'{reel.name}: {len(reel.captions)} frames' for reel in self.reels)})"

    def _repr_html_(self) -> str:
        settings = film_settings(self.reels, self.frequencies, self.sample_rate)
        settings["colours"] = "".join(palette())
        return squeezed(inline("film", settings, parts=PARTS, still=still_of(self.reels[0], self.frequencies)))


def film_settings(reels: Sequence[Reel], frequencies: Tensor, sample_rate: int) -> dict:
    """Return what `film_reels.js` reads: reels, their tones, and the marks of an axis of tones."""
    frequencies = np.asarray(frequencies, dtype=np.float64)
    places = np.interp(TICKS, frequencies, np.arange(len(frequencies)))
    return {
        "reels": [reel.settings(torch.from_numpy(frequencies)) for reel in reels],
        "frequencies": frequencies.round(2).tolist(),
        "ticks": [[round(place, 2), f"{tick / 1000:g}"] for place, tick in zip(places, TICKS, strict=True)],
        "filters": next(iter(reels[0].panels.values())).shape[1],
        "finest": FINEST,
        "rate": sample_rate,
    }


@functools.cache
def filters_through_training() -> FilterFilm:
    """Return the film of the ESC-50 run, its last filters at other levels, and the controls (lesson 5)."""
    run, controls = load_result("esc50-fast"), load_result("esc50-controls")
    reels = (training_reel(run), level_reel(run), control_reel(controls))
    return FilterFilm(reels, views.film(run).frequencies, ENVNET_INPUT.sample_rate)


def training_reel(run: Result) -> Reel:
    """Make a reel of the film of a run's first fold, thinned out."""
    film, settings = views.film(run), run.settings
    shown = np.unique((np.linspace(0, 1, FRAMES) ** GROWTH * (len(film.steps) - 1)).round().astype(int))
    note = (
        f"EnvNet, normalised after pooling, learns {settings['data']}: {settings['recipe']['epochs']} epochs, "
        f"fold {settings['folds'][0]} held out, seed {settings['seeds'][0]}. Tones of {decibels(FILM_LEVEL)}."
    )
    return Reel(
        f"Training, {settings['data']}",
        "Step",
        [f"{film.steps[i]:,}" for i in shown],
        {"filters": film.responses[shown]},
        note,
        kernels=film.kernels[shown],
    )


def level_reel(run: Result) -> Reel:
    """Probe the first fold's trained filters with tones of several levels."""
    film, settings = views.film(run), run.settings
    network = views.front_end(run, settings["folds"][0])
    amplitudes = [10 ** (level / 20) for level in LEVELS]
    at_film = LEVELS.index(FILM_LEVEL)
    return Reel(
        f"Levels, {settings['data']}",
        "Level",
        [decibels(level) for level in LEVELS],
        {"filters": probing.response_levels(network, film.frequencies, amplitudes)},
        f"The same filters after their last step, {film.steps[-1]:,}, and tones of other levels. Rows in the order of "
        f"{decibels(FILM_LEVEL)}. All black: the filter answers all tones alike.",
        start=at_film,
        sorted_by=at_film,
        kernels=film.kernels[-1:].expand(len(LEVELS), -1, -1),
    )


def control_reel(controls: Result) -> Reel:
    """Set networks that learned, did not, and could not side by side, at each level at which they were probed."""
    settings, amplitudes = controls.settings, controls.arrays["amplitudes"].tolist()
    panels = {
        name: torch.stack([views.responses_of(controls, name, amplitude)[0] for amplitude in amplitudes])
        for name in CONTROLS
    }
    return Reel(
        f"Controls, {settings['data']}",
        "Level",
        [decibels(20 * np.log10(amplitude)) for amplitude in amplitudes],
        panels,
        f"Other networks: {settings['data']}, {settings['recipe']['epochs']} epochs, fold {settings['folds'][0]} held "
        f"out, seed {settings['seeds'][0]}. Each picture's rows in its own order at {decibels(FILM_LEVEL)}.",
        sorted_by=0,
    )


def decibels(level: float) -> str:
    """Write a level as the page does."""
    return f"{level:.0f}\N{NO-BREAK SPACE}dB".replace("-", "\N{MINUS SIGN}")


def pack(scaled: np.ndarray) -> str:
    """Write responses from 0 to 1, last axis tones, as the page unpacks them.

    A curve over tones is smooth, so its second differences are small. They are written as whole numbers, the sign in
    the lowest bit, first all lower bytes and then all upper ones, deflated, in base64.
    """
    steps = np.round(scaled * FINEST).astype(np.int64)
    curved = np.diff(np.pad(steps, [(0, 0)] * (steps.ndim - 1) + [(2, 0)]), n=2)  # same shape
    unsigned = np.where(curved >= 0, 2 * curved, -2 * curved - 1).astype("<u2")
    planes = unsigned.view(np.uint8).reshape(-1, 2).T.tobytes()
    return base64.b64encode(zlib.compress(planes, 9)).decode("ascii")


def pack_kernels(kernels: Tensor) -> dict:
    """Write kernels (frame, filter, taps), each by its largest weight, in as many levels as its chart is high."""
    kernels = np.asarray(kernels, dtype=np.float64)
    largest = np.abs(kernels).max(axis=2, keepdims=True)
    levels = np.round(63 * kernels / np.where(largest > 0, largest, 1)).astype(np.int8)
    return {"count": kernels.shape[2], "levels": base64.b64encode(zlib.compress(levels.tobytes(), 9)).decode("ascii")}


def still_of(reel: Reel, frequencies: Tensor) -> str:
    """Return what a reader without JavaScript sees: the first and the last frame, with a caption."""
    scaled, order = reel.scaled[0], reel.orders(frequencies)[0]
    captions = [f"{reel.control.lower()} {reel.captions[i]}" for i in (0, -1)]
    images = "".join(
        stills.image(scaled[i, order], f"Responses of {len(order)} filters to tones at {caption}")
        for i, caption in zip((0, -1), captions, strict=True)
    )
    caption = f"{' (left) and '.join(captions)} (right): answers of the filters, a row each, low tones on the left."
    return stills.figure(images, f"{caption.capitalize()} {reel.note}")
