"""Rain, surf and fire: sounds without pitch, made of very many small events."""

from dataclasses import dataclass

import numpy as np

from envnet_tutorial.datasets.sounds.filters import apply_response, band, cascade, fast_length, tilt
from envnet_tutorial.datasets.sounds.scene import Scene
from envnet_tutorial.datasets.sounds.signals import (
    CLIP_SAMPLES,
    drift,
    from_decibels,
    log_uniform,
    noise,
    poisson_impulses,
    samples,
    struck,
)
from envnet_tutorial.settings import CLIP_RATE


@dataclass(frozen=True)
class Rain:
    """Rain: single drops on a surface near by (Poisson in time) over the wash of all drops far away.

    Each drop is a knock of the surface it hits, or a bubble that rings at a few kHz (Franz 1959,
    https://doi.org/10.1121/1.1907831).
    """

    drops_per_second: float
    surface: float
    ring: float
    wash_slope: float
    wash_gain: float
    gusts: float
    scene: Scene

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Rain":
        """Draw one shower on one surface."""
        return cls(
            drops_per_second=log_uniform(rng, 60, 4_000),
            surface=log_uniform(rng, 500, 6_000),
            ring=log_uniform(rng, 0.0006, 0.005),
            wash_slope=rng.uniform(-6.0, 1.5),
            wash_gain=rng.uniform(0.6, 3.0),
            gusts=rng.uniform(0.02, 0.2),
            scene=Scene.draw(rng, peak=(-4.0, 2.2), outdoors=True, background=(-45.0, -12.0), slope=(-3.0, 1.5)),
        )

    def take(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise one fragment, shape (220500,)."""
        line = self.wash_gain * noise(rng, CLIP_SAMPLES, cascade(tilt(self.wash_slope), band(150, 18_000)))
        for ratio in (0.6, 1.0, 1.7):
            hits = poisson_impulses(rng, CLIP_SAMPLES, self.drops_per_second / 3, tail=4.0)
            drop = struck(
                self.surface * ratio * np.array([1.0, 1.6, 2.7]),
                self.ring * np.array([1.0, 0.7, 0.5]),
                rng.uniform(0.3, 1.0, 3),
            )
            patter = _convolve(hits, drop)
            line += patter / np.sqrt(np.mean(patter**2)) / np.sqrt(3)
        return self.scene.record(rng, line * np.exp(self.gusts * drift(rng, CLIP_SAMPLES, 1.5)))


@dataclass(frozen=True)
class SeaWaves:
    """Surf: noise that swells for seconds, and brightens as the crest breaks into foam.

    The foam is millions of bubbles, each ringing at the pitch of its radius (Minnaert 1933,
    https://doi.org/10.1080/14786443309462277): together, noise that falls with frequency.
    """

    period: float
    depth: float
    dark_slope: float
    bright_slope: float
    foam: float
    scene: Scene

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "SeaWaves":
        """Draw one beach on one day."""
        return cls(
            period=log_uniform(rng, 2.5, 9.0),
            depth=rng.uniform(0.2, 1.1),
            dark_slope=rng.uniform(-6.0, -2.5),
            bright_slope=rng.uniform(-4.0, -1.0),
            foam=log_uniform(rng, 0.1, 0.8),
            scene=Scene.draw(rng, peak=(-2.5, 1.3), outdoors=True, background=(-50.0, -18.0), slope=(-2.0, 1.5)),
        )

    def take(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise one fragment, shape (220500,)."""
        time = np.arange(CLIP_SAMPLES) / CLIP_RATE
        turns = time / self.period + rng.uniform()
        turns = turns + 0.12 * drift(rng, CLIP_SAMPLES, 0.5)
        # A wave builds slowly and breaks fast: skew the cosine.
        swell = np.cos(2 * np.pi * turns + 0.7 * np.sin(2 * np.pi * turns))
        loudness = np.exp(self.depth * (swell - 1) + 0.12 * drift(rng, CLIP_SAMPLES, 4))
        roar = noise(rng, CLIP_SAMPLES, cascade(tilt(self.dark_slope), band(150, 16_000)))
        hiss = noise(rng, CLIP_SAMPLES, cascade(tilt(self.bright_slope), band(400, 16_000)))
        return self.scene.record(rng, roar * loudness + self.foam * hiss * loudness**2.2)


@dataclass(frozen=True)
class CracklingFire:
    """A fire: crackles, where steam bursts wood cells, over the rumble of the flames' turbulent air.

    Crackles come at random times with a heavy tail of sizes: many ticks, few bangs.
    """

    crackles_per_second: float
    tail: float
    snap: float
    rumble: float
    rumble_high: float
    hiss: float
    padded: bool
    scene: Scene

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "CracklingFire":
        """Draw one fireplace."""
        return cls(
            crackles_per_second=log_uniform(rng, 2.5, 60),
            tail=rng.uniform(1.1, 2.2),
            snap=log_uniform(rng, 900, 6_000),
            rumble=from_decibels(rng.uniform(-48.0, -14.0)),
            rumble_high=log_uniform(rng, 60, 400),
            hiss=from_decibels(rng.uniform(-62.0, -28.0)),
            padded=bool(rng.random() < 0.08),
            scene=Scene.draw(rng, peak=(-4.0, 2.8), background=(-70.0, -35.0), slope=(-2.0, 2.0)),
        )

    def take(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise one fragment, shape (220500,)."""
        line = np.zeros(CLIP_SAMPLES)
        for ratio, seconds in ((0.5, 0.004), (1.0, 0.002), (2.0, 0.0008)):
            hits = poisson_impulses(rng, CLIP_SAMPLES, self.crackles_per_second / 3, self.tail)
            length = samples(12 * seconds)
            snap = noise(rng, length) * np.exp(-np.arange(length) / samples(seconds))
            snap = apply_response(snap, band(0.5 * self.snap * ratio, 3 * self.snap * ratio, order=1))
            line += _convolve(hits, snap / np.abs(snap).max())
        line /= np.abs(line).max()
        flames = noise(rng, CLIP_SAMPLES, cascade(band(15, self.rumble_high, order=2), tilt(-3.0)))
        flames *= np.exp(0.3 * drift(rng, CLIP_SAMPLES, 5))
        line += self.rumble * flames + self.hiss * noise(rng, CLIP_SAMPLES, tilt(-2.0))
        return self.scene.record(rng, line, rng.uniform(2.0, 4.0) if self.padded else None)


def _convolve(impulses: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Put a copy of the kernel wherever there is an impulse; what rings past the end is cut."""
    size = fast_length(len(impulses) + len(kernel))
    return np.fft.irfft(np.fft.rfft(impulses, size) * np.fft.rfft(kernel, size), size)[: len(impulses)]
