"""Window, overlap and floor of a spectrogram to move, computed in the page itself (lesson 1)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from envnet_tutorial.audio import to_int16
from envnet_tutorial.explorers.inline import inline
from envnet_tutorial.plotting.pictures import palette
from envnet_tutorial.plotting.sound import one_channel

#: Window lengths in samples that the reader can choose: powers of two, because the page has a radix-2 transform.
WINDOWS = (32, 64, 128, 256, 512, 1024, 2048)
#: Hops as a share of the window.
OVERLAPS = (0.0, 0.5, 0.75, 0.875)
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
        return inline("spectrogram", settings, parts=("sound",))


def _encode(sound) -> str:
    """Pack a sound as base64 of little-endian int16."""
    return base64.b64encode(to_int16(one_channel(sound)).astype("<i2").tobytes()).decode("ascii")
