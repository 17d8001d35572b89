"""A bank of triangular filters to move, and a sound in so many bands, computed in the page itself (lesson 1)."""

import base64
from dataclasses import dataclass

import numpy as np
import torch

from envnet_tutorial.audio import to_int16
from envnet_tutorial.audio.spectrograms import FLOOR, fourier_length, log_mel
from envnet_tutorial.explorers import stills
from envnet_tutorial.explorers.inline import inline
from envnet_tutorial.plotting.pictures import palette
from envnet_tutorial.plotting.sound import one_channel

#: Most bands that the reader can choose, and least distance of the two ends of the bank in Hz.
MAX_BANDS, APART = 128, 500
#: Longest sound in samples: it travels inside the page.
MAX_SAMPLES = 1 << 15
#: Levels in dB of the darkest and the brightest colour.
RANGE = (-80, 0)
SPACINGS = ("mel", "hertz")


@dataclass(frozen=True, repr=False)
class MelBankExplorer:
    """The triangles of a filter bank, and the log spectrogram of one sound that they give (lesson 1).

    The last line of a cell shows it. It opens with what `audio.spectrograms.log_mel` computes: frames of 25 ms, one
    every 10 ms, bands that are evenly spaced in mel from 0 Hz to half the rate.

    Parameters
    ----------
    sound : array-like, shape (time,) or (1, time)
        In [-1, 1]; kept with 16 bits.
    sample_rate : int
        Rate in Hz.
    name : str
        What it is.
    bands : int
        Number of triangles, from 1 to `MAX_BANDS`.
    spacing : str
        ``"mel"`` or ``"hertz"``: the scale on which the corners are evenly spaced.

    Raises
    ------
    ValueError
        If the sound is too long for a page or gives no frame, or a setting is not offered.
    """

    sound: np.ndarray
    sample_rate: int
    name: str
    bands: int = 40
    spacing: str = "mel"

    def __post_init__(self):
        length = len(one_channel(self.sound))
        if not self.hop <= length <= MAX_SAMPLES:
            raise ValueError(f"give a sound of {self.hop} to {MAX_SAMPLES} samples, not {length}")
        if not 1 <= self.bands <= MAX_BANDS:
            raise ValueError(f"bands must be from 1 to {MAX_BANDS}, not {self.bands}")
        if self.spacing not in SPACINGS:
            raise ValueError(f"spacing must be one of {', '.join(SPACINGS)}, not {self.spacing!r}")

    @property
    def hop(self) -> int:
        """Samples from frame to frame: 10 ms."""
        return round(0.010 * self.sample_rate)

    def __repr__(self) -> str:
        return f"MelBankExplorer({self.name}, {self.bands} bands, evenly spaced in {self.spacing})"

    def _repr_html_(self) -> str:
        window = round(0.025 * self.sample_rate)
        samples = to_int16(one_channel(self.sound)).astype("<i2")
        settings = {
            "name": self.name,
            "samples": base64.b64encode(samples.tobytes()).decode("ascii"),
            "rate": self.sample_rate,
            "hop": self.hop,
            "window": window,
            "fourier": fourier_length(window),
            "floor": FLOOR,
            "range": RANGE,
            "maxBands": MAX_BANDS,
            "apart": APART,
            "colours": palette(),
            "start": {"bands": self.bands, "spacing": self.spacing, "lowest": 0, "highest": self.sample_rate / 2},
        }
        return inline("melbank", settings, parts=("controls", "sound"), still=self._still())

    def _still(self) -> str:
        """Draw the sound in mel bands, for a reader without JavaScript."""
        low, high = RANGE
        levels = log_mel(torch.from_numpy(one_channel(self.sound)).float(), self.sample_rate)
        caption = f"{self.name} in 40 mel bands: time to the right, bands upwards, bright is loud."
        shares = ((levels - low) / (high - low)).clamp(0, 1)
        return stills.figure(stills.image(stills.coarse(shares), caption), caption)
