"""Where a sound is recorded: room, distance, microphone, background, level. All takes of one source share a scene."""

from dataclasses import dataclass

import numpy as np

from envnet_tutorial.datasets.sounds.filters import band, cascade, fast_length, smooth_magnitude, tilt
from envnet_tutorial.datasets.sounds.signals import (
    CLIP_SAMPLES,
    drift,
    from_decibels,
    log_uniform,
    noise,
    normalised,
    samples,
)
from envnet_tutorial.settings import CLIP_RATE


@dataclass(frozen=True)
class Scene:
    """The path from a sound to the file.

    Parameters
    ----------
    room_seed : int
        Seed of the room's echoes.
    reverberation : float
        Time in seconds in which the echoes fall by 60 dB.
    wetness : float
        Energy of echoes relative to the direct sound.
    slope : float
        Tilt of microphone and air in dB per octave.
    low, high : float
        Band in Hz that the recorder keeps.
    background_slope : float
        Tilt of the background in dB per octave: -6 is wind and traffic, 0 is hiss.
    background_level : float
        Background relative to the loudest 50 ms of the sound, in dB.
    hum : float
        Mains hum in the background: its frequency in Hz, or 0 for none.
    peak : float
        Largest sample of the file in dB below full scale.
    """

    room_seed: int
    reverberation: float
    wetness: float
    slope: float
    low: float
    high: float
    background_slope: float
    background_level: float
    hum: float
    peak: float

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        *,
        peak: tuple[float, float],
        background: tuple[float, float] = (-60.0, -22.0),
        outdoors: bool = False,
        slope: tuple[float, float] = (-2.5, 1.5),
    ) -> "Scene":
        """Draw a scene; `peak` is mean and spread in dBFS, `background` and `slope` are ranges in dB and dB/octave."""
        return cls(
            room_seed=int(rng.integers(2**31)),
            reverberation=log_uniform(rng, 0.15, 0.5) if outdoors else log_uniform(rng, 0.15, 0.9),
            wetness=log_uniform(rng, 0.003, 0.1) if outdoors else log_uniform(rng, 0.01, 0.6),
            slope=rng.uniform(*slope),
            low=log_uniform(rng, 15.0, 150.0),
            high=log_uniform(rng, 5_000.0, 21_000.0),
            background_slope=rng.uniform(-7.0, -1.0),
            background_level=rng.uniform(*background),
            hum=float(rng.choice([0.0, 0.0, 0.0, 50.0, 60.0])),
            peak=float(np.clip(rng.normal(*peak), -26.0, -0.2)),
        )

    def record(self, rng: np.random.Generator, dry: np.ndarray, end: float | None = None) -> np.ndarray:
        """Record one take.

        Parameters
        ----------
        rng : numpy.random.Generator
            Chance of this take: its background and its level.
        dry : ndarray of float64, shape (220500,)
            The sound at its source.
        end : float, optional
            Second after which the file is digital silence, as ESC-50 pads clips shorter than 5 s.

        Returns
        -------
        ndarray of float64, shape (220500,)
            Between -1 and 1.
        """
        wet = self._through_room(dry)
        wet = wet / max(_loudest(wet), 1e-9)
        take = wet + from_decibels(self.background_level) * self._background(rng)
        if end is not None and end < CLIP_SAMPLES / CLIP_RATE:
            take[samples(end) :] = 0.0
            fade = min(samples(0.01), samples(end))
            take[samples(end) - fade : samples(end)] *= np.linspace(1, 0, fade)
        return normalised(take) * from_decibels(min(self.peak + rng.normal(0, 0.7), -0.1))

    def _through_room(self, dry: np.ndarray) -> np.ndarray:
        """Filter by echoes (exponentially decaying noise) and by the microphone, in one multiplication of spectra."""
        size = fast_length(CLIP_SAMPLES + samples(self.reverberation))
        echoes = np.random.default_rng(self.room_seed).standard_normal(samples(self.reverberation))
        echoes *= np.exp(-6.9 * np.arange(len(echoes)) / len(echoes))
        echoes *= np.sqrt(self.wetness / np.sum(echoes**2))
        echoes[0] += 1.0
        microphone = smooth_magnitude(cascade(band(self.low, self.high), tilt(self.slope)), size)
        return np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(echoes, size) * microphone, size)[:CLIP_SAMPLES]

    def _background(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the background, root mean square 1: sloping noise whose strength wanders, and hum."""
        hiss = noise(rng, CLIP_SAMPLES, cascade(tilt(self.background_slope), band(self.low, self.high)))
        hiss *= np.exp(0.2 * drift(rng, CLIP_SAMPLES, 1.0))
        if not self.hum:
            return hiss
        turns = 2 * np.pi * self.hum * np.arange(CLIP_SAMPLES) / CLIP_RATE + rng.uniform(0, 2 * np.pi)
        return hiss + 0.4 * np.sin(turns) + 0.2 * np.sin(2 * turns)


def _loudest(wave: np.ndarray) -> float:
    """Return the root mean square of the loudest 50 ms."""
    frame = samples(0.05)
    frames = wave[: len(wave) // frame * frame].reshape(-1, frame)
    return float(np.sqrt((frames**2).mean(axis=1).max()))
