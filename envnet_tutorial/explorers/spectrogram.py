"""Window, overlap and floor of a spectrogram to move, computed in the page itself (lesson 1)."""

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from envnet_tutorial.audio import to_int16
from envnet_tutorial.audio.spectrograms import decibels
from envnet_tutorial.explorers import stills
from envnet_tutorial.explorers.inline import inline
from envnet_tutorial.plotting.pictures import palette
from envnet_tutorial.plotting.sound import one_channel

#: Window lengths in samples that the reader can choose: powers of two, because the page has a radix-2 transform.
WINDOWS = (32, 64, 128, 256, 512, 1024, 2048)
#: Hops as a share of the window.
OVERLAPS = (0.0, 0.5, 0.75, 0.875)
#: Most frames in the picture for readers without JavaScript.
STILL_FRAMES = 240
#: Longest sound in samples: it travels inside the page.
MAX_SAMPLES = 1 << 16


@dataclass(frozen=True, repr=False)
class SpectrogramExplorer:
    """A short sound, its spectrogram, and the choices behind it (lesson 1).

    The last line of a cell shows it. Frames are not padded: ``floor((samples - window) / hop) + 1`` of them. Levels
    are in dB relative to a full-scale sine.

    Parameters
    ----------
    sounds : mapping of str to array-like, shape (time,) or (1, time)
        What the reader can choose from, by name, in [-1, 1]; kept with 16 bits.
    sample_rate : int
        Rate of all of them in Hz.
    window : int
        One of `WINDOWS`, in samples.
    overlap : float
        One of `OVERLAPS`, as a share of the window.
    shape : str
        ``"hann"`` or ``"rectangular"``.
    floor : int
        Level in dB of the darkest colour, a multiple of 10 from -120 to -20.

    Raises
    ------
    ValueError
        If there is no sound, one is shorter than the longest window or too long, or a setting is not offered.
    """

    sounds: Mapping
    sample_rate: int
    window: int = 256
    overlap: float = 0.75
    shape: str = "hann"
    floor: int = -80

    def __post_init__(self):
        lengths = [len(one_channel(sound)) for sound in self.sounds.values()]
        if not lengths or min(lengths) < WINDOWS[-1] or max(lengths) > MAX_SAMPLES:
            raise ValueError(f"give one or more sounds of {WINDOWS[-1]} to {MAX_SAMPLES} samples, not {lengths}")
        offered = {
            "window": WINDOWS,
            "overlap": OVERLAPS,
            "shape": ("hann", "rectangular"),
            "floor": range(-120, -19, 10),
        }
        for name, values in offered.items():
            if getattr(self, name) not in values:
                raise ValueError(f"{name} must be one of {', '.join(map(str, values))}, not {getattr(self, name)!r}")

    @property
    def hop(self) -> int:
        """Samples from frame to frame."""
        return round(self.window * (1 - self.overlap))

    def __repr__(self) -> str:
        return f"SpectrogramExplorer({', '.join(self.sounds)})"

    def _repr_html_(self) -> str:
        settings = {
            "sounds": [{"name": name, "samples": _encode(sound)} for name, sound in self.sounds.items()],
            "rate": self.sample_rate,
            "windows": WINDOWS,
            "overlaps": OVERLAPS,
            "colours": palette(),
            "start": {name: getattr(self, name) for name in ("window", "overlap", "shape", "floor")},
        }
        return inline("spectrogram", settings, parts=("sound",), still=self._still())

    def _still(self) -> str:
        """Draw the spectrogram that it opens with, for a reader without JavaScript."""
        name, sound = next(iter(self.sounds.items()))
        shape = torch.hann_window(self.window) if self.shape == "hann" else torch.ones(self.window)
        frames = torch.from_numpy(one_channel(sound)).float().unfold(0, self.window, self.hop)
        frames = frames[:: math.ceil(len(frames) / STILL_FRAMES)]
        sine = shape.sum() / 2  # what a full-scale sine makes of its bin
        levels = decibels((torch.fft.rfft(frames * shape).abs() / sine).square(), floor=self.floor).T  # (bin, frame)
        milliseconds = 1000 * self.window / self.sample_rate
        caption = (
            f"Spectrogram of {name}, frames of {milliseconds:g} ms: time to the right, "
            f"up to {self.sample_rate / 2000:g} kHz upwards, bright is loud."
        )
        return stills.figure(stills.image(stills.coarse((1 - levels / self.floor).clamp(0, 1)), caption), caption)


def _encode(sound) -> str:
    """Pack a sound as base64 of little-endian int16."""
    return base64.b64encode(to_int16(one_channel(sound)).astype("<i2").tobytes()).decode("ascii")
