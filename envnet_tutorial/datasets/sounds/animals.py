"""Barks and crowing: a buzzing source, its pitch contour, and the resonances of a throat."""

from dataclasses import dataclass

import numpy as np

from envnet_tutorial.datasets.sounds.filters import apply_response, vocal_tract
from envnet_tutorial.datasets.sounds.scene import Scene
from envnet_tutorial.datasets.sounds.signals import (
    CLIP_SAMPLES,
    add_at,
    contour,
    drift,
    hump,
    log_uniform,
    noise,
    normalised,
    pulse_train,
    samples,
)
from envnet_tutorial.settings import CLIP_SECONDS


@dataclass(frozen=True)
class Dog:
    """A dog barking: bursts of 0.1 to 0.3 s whose pitch leaps up and falls, with a rough, noisy voice.

    The larger the dog, the longer its throat: pitch and formants sink together (Riede and Fitch 1999,
    https://doi.org/10.1242/jeb.202.20.2859).
    """

    pitch: float
    formant: float
    seconds: float
    harshness: float
    gap: float
    group: int
    padded: bool
    scene: Scene

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Dog":
        """Draw one dog in one place."""
        pitch = log_uniform(rng, 220, 900)
        return cls(
            pitch=pitch,
            formant=600 * (pitch / 450) ** 0.6 * log_uniform(rng, 0.85, 1.2),
            seconds=log_uniform(rng, 0.11, 0.28),
            harshness=rng.uniform(0.1, 0.7),
            gap=log_uniform(rng, 0.12, 1.2),
            group=int(rng.integers(1, 4)),
            padded=bool(rng.random() < 0.4),
            scene=Scene.draw(rng, peak=(-1.5, 2.0), slope=(-2.0, 2.0)),
        )

    def take(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise one fragment, shape (220500,)."""
        line = np.zeros(CLIP_SAMPLES)
        time = rng.uniform(0.02, 0.5)
        last = CLIP_SECONDS if not self.padded else rng.uniform(0.3, 3.0)
        end = time
        while time < last - 0.25:
            for _ in range(self.group):
                bark = self._bark(rng)
                add_at(line, bark * rng.uniform(0.5, 1.0), time)
                end = time + len(bark) / samples(1)
                time = end + rng.uniform(0.05, 0.15)
            time += self.gap * log_uniform(rng, 0.7, 1.5)
        return self.scene.record(rng, line, end + rng.uniform(0.1, 0.4) if self.padded else None)

    def _bark(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise one bark: voice and breath through the same throat."""
        length = samples(self.seconds * log_uniform(rng, 0.8, 1.3))
        peak = self.pitch * log_uniform(rng, 0.92, 1.1)
        pitch = peak * contour([0, 0.25, 0.55, 1], [0.65, 1.0, 0.92, 0.5], length)
        pitch *= np.exp(0.02 * drift(rng, length, 300))  # jitter: no two turns of the vocal folds are alike
        voice = pulse_train(pitch, 0.93 - 0.06 * self.harshness)
        roughness = 1 + self.harshness * drift(rng, length, 90)
        breath = noise(rng, length) * 0.5 * self.harshness
        envelope = hump(length, 0.012, 0.7 * length / samples(1)) ** 0.8
        throat = vocal_tract(
            np.array([1.0, 2.1, 3.4, 5.5]) * self.formant * log_uniform(rng, 0.95, 1.05), [150, 260, 400, 900]
        )
        return normalised(apply_response((voice * roughness + breath) * envelope, throat, tail=samples(0.02)))


@dataclass(frozen=True)
class Rooster:
    """A rooster crowing: four syllables, "cock-a-doodle-doo", the last one long, high and falling.

    The fundamental lies at 400 to 800 Hz and the throat favours its second or third harmonic, near 1.5 kHz.
    """

    pitch: float
    formant: float
    brightness: float
    tempo: float
    roughness: float
    melody: tuple[float, float, float, float]
    padded: bool
    scene: Scene

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Rooster":
        """Draw one rooster in one yard."""
        return cls(
            pitch=log_uniform(rng, 430, 720),
            formant=log_uniform(rng, 1_200, 1_850),
            brightness=rng.uniform(0.82, 0.94),
            tempo=log_uniform(rng, 0.85, 1.4),
            roughness=rng.uniform(0.05, 0.4),
            melody=tuple((np.array([0.78, 0.95, 0.9, 1.0]) * np.exp(rng.normal(0, 0.06, 4))).tolist()),
            padded=bool(rng.random() < 0.8),
            scene=Scene.draw(rng, peak=(-2.0, 2.5), outdoors=True, background=(-60.0, -20.0), slope=(-1.5, 2.5)),
        )

    def take(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise one fragment, shape (220500,)."""
        line = np.zeros(CLIP_SAMPLES)
        time = rng.uniform(0.05, 0.7)
        lengths = np.array([0.2, 0.18, 0.32, 1.0]) * self.tempo * np.exp(rng.normal(0, 0.08, 4))
        loudness = [0.6, 0.75, 0.85, 1.0]
        for syllable, (seconds, ratio, gain) in enumerate(zip(lengths, self.melody, loudness, strict=True)):
            sound = self._syllable(rng, seconds, ratio * self.pitch, is_last=syllable == 3)
            add_at(line, gain * sound, time)
            time += seconds + rng.uniform(0.01, 0.09)
        return self.scene.record(rng, line, time + rng.uniform(0.05, 0.4) if self.padded else None)

    def _syllable(self, rng: np.random.Generator, seconds: float, pitch: float, is_last: bool) -> np.ndarray:
        """Synthesise one syllable; the last one holds its pitch, then slides down."""
        length = samples(seconds)
        times, ratios = ([0, 0.12, 0.6, 1], [0.85, 1.03, 1.0, 0.6]) if is_last else ([0, 0.4, 1], [0.8, 1.02, 0.9])
        frequency = pitch * contour(times, ratios, length) * np.exp(0.012 * drift(rng, length, 60))
        voice = pulse_train(
            frequency, self.brightness * contour(times, [0.92, 1.0, *[0.98] * (len(times) - 2)], length)
        )
        voice *= 1 + self.roughness * drift(rng, length, 70)
        voice += 0.08 * self.roughness * noise(rng, length)
        envelope = hump(length, 0.03, 0.35 * seconds if is_last else 0.04)
        throat = vocal_tract([self.formant, 2.1 * self.formant, 3.3 * self.formant], [280, 700, 1_500])
        return normalised(apply_response(voice * envelope, throat, tail=samples(0.02)))
