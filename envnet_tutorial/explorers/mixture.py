"""Two sounds under one slider, mixed while they play (lesson 6)."""

import base64
from dataclasses import dataclass

import torch
from torch import Tensor

from envnet_tutorial.audio import to_int16
from envnet_tutorial.audio.levels import a_weighted_level
from envnet_tutorial.augment import mix
from envnet_tutorial.explorers import stills
from envnet_tutorial.explorers.inline import inline

#: Longest sound in samples: it travels inside the page.
MAX_SAMPLES = 1 << 16


@dataclass(frozen=True, repr=False)
class MixtureExplorer:
    """Two sounds, played in a loop and mixed by a slider, with and without regard to their levels (lesson 6).

    The last line of a cell shows it. Nothing sounds before the reader presses the button. The gains are those of
    `augment.mix`, computed in the page.

    Parameters
    ----------
    first, second : Tensor of float32, shape (time,)
        In [-1, 1], of one length; kept with 16 bits.
    names : tuple of str
        What they are.
    sample_rate : int
        Rate of both in Hz.
    ratio : int, default 50
        Share of the first sound that the label speaks of, in percent, at the start.

    Raises
    ------
    ValueError
        If the sounds differ in length, are too long for a page or too short for a level, or the ratio is no percentage.
    """

    first: Tensor
    second: Tensor
    names: tuple[str, str]
    sample_rate: int
    ratio: int = 50

    def __post_init__(self):
        if self.first.ndim != 1 or self.first.shape != self.second.shape or len(self.first) > MAX_SAMPLES:
            shapes = f"{tuple(self.first.shape)} and {tuple(self.second.shape)}"
            raise ValueError(f"two sounds of one length, of at most {MAX_SAMPLES} samples, are needed; got {shapes}")
        if not 0 <= self.ratio <= 100:
            raise ValueError(f"a ratio is a percentage from 0 to 100; got {self.ratio}")
        self.levels()

    def levels(self) -> list[float]:
        """Return the A-weighted levels of both sounds in dB."""
        return a_weighted_level(torch.stack([self.first, self.second]).float(), self.sample_rate).tolist()

    def __repr__(self) -> str:
        return f"MixtureExplorer({', '.join(self.names)})"

    def _repr_html_(self) -> str:
        first_db, second_db = self.levels()
        packed = [to_int16(sound).astype("<i2").tobytes() for sound in (self.first, self.second)]
        settings = {
            "names": self.names,
            "samples": [base64.b64encode(content).decode("ascii") for content in packed],
            "rate": self.sample_rate,
            "louderDb": round(first_db - second_db, 4),
            "ratio": self.ratio,
        }
        return inline("mixture", settings, still=self._still())

    def _still(self) -> str:
        """Draw both sounds and their mixture on one scale, for a reader without JavaScript."""
        ratio = torch.tensor([self.ratio / 100])
        mixed = mix(self.first[None], self.second[None], ratio, self.sample_rate)[0]
        percent = (self.ratio, 100 - self.ratio)
        share = ", ".join(f"{n}\N{NO-BREAK SPACE}% {name}" for n, name in zip(percent, self.names, strict=True))
        drawn = {self.names[0]: self.first, self.names[1]: self.second, f"the mixture: {share}": mixed}
        peak = max(sound.abs().max().item() for sound in drawn.values()) or 1.0
        pictures = "".join(stills.waveform(name, sound, peak) for name, sound in drawn.items())
        caption = f"{self.names[0]} and {self.names[1]}, and both together as loud as the label says: {share}."
        return stills.figure(pictures, caption[0].upper() + caption[1:])
