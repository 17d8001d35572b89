"""A crying baby and a sneeze: vocal folds, breath, and where they meet."""

from dataclasses import dataclass

import numpy as np

from envnet_tutorial.datasets.sounds.filters import apply_response, band, cascade, vocal_tract
from envnet_tutorial.datasets.sounds.scene import Scene
from envnet_tutorial.datasets.sounds.signals import (
    CLIP_SAMPLES,
    add_at,
    contour,
    drift,
    filtered_burst,
    hump,
    log_uniform,
    noise,
    normalised,
    pulse_train,
    samples,
)
from envnet_tutorial.settings import CLIP_SECONDS


@dataclass(frozen=True)
class CryingBaby:
    """A baby crying: one cry a breath, pitch rising and falling around 450 Hz, and a gasp before the next.

    A short throat puts the formants near 1.1, 3.0 and 5 kHz; the melody of a cry is an arch (Wasz-Höckert et al. 1968,
    The Infant Cry).
    """

    pitch: float
    throat: float
    brightness: float
    cry_seconds: float
    roughness: float
    gasp: float
    arch: float
    scene: Scene

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "CryingBaby":
        """Draw one baby in one room."""
        return cls(
            pitch=log_uniform(rng, 340, 580),
            throat=log_uniform(rng, 0.7, 1.35),
            brightness=rng.uniform(0.84, 0.985),
            cry_seconds=log_uniform(rng, 0.45, 1.5),
            roughness=rng.uniform(0.0, 0.8),
            gasp=log_uniform(rng, 0.02, 0.25),
            arch=rng.uniform(0.05, 0.35),
            scene=Scene.draw(rng, peak=(-2.0, 1.6), slope=(-3.0, 3.5)),
        )

    def take(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise one fragment, shape (220500,)."""
        line = np.zeros(CLIP_SAMPLES)
        time = rng.uniform(-0.6, 0.4)
        while time < CLIP_SECONDS - 0.1:
            seconds = self.cry_seconds * log_uniform(rng, 0.65, 1.4)
            add_at(line, rng.uniform(0.3, 1.0) * self._cry(rng, seconds), time)
            pause = rng.uniform(0.25, 0.7)
            add_at(line, self.gasp * self._gasp(rng, 0.7 * pause), time + seconds + 0.15 * pause)
            time += seconds + pause
        return self.scene.record(rng, line)

    def _cry(self, rng: np.random.Generator, seconds: float) -> np.ndarray:
        """Synthesise one cry: the mouth opens, so the vowel moves from closed to open and back."""
        length = samples(seconds)
        pitch = self.pitch * log_uniform(rng, 0.93, 1.08)
        pitch *= 1 + self.arch * contour([0, 0.2, 0.6, 1], [-0.9, 0.4, 0.2, -1.0], length)
        pitch *= np.exp(0.012 * drift(rng, length, 25))
        effort = contour([0, 0.2, 0.7, 1], [0.8, 1.0, 1.0, 0.75], length)
        voice = pulse_train(pitch, self.brightness * effort) + 0.08 * noise(rng, length)
        voice *= 1 + self.roughness * np.clip(drift(rng, length, 4), 0, 1) * drift(rng, length, 110)
        envelope = hump(length, 0.06, 0.25 * seconds)
        opened, closed = (
            apply_response(voice * envelope, vocal_tract(np.array(formants) * self.throat, [180, 300, 450, 600]))
            for formants in ([1_150, 2_100, 3_400, 5_200], [600, 1_700, 3_000, 4_800])
        )
        mouth = hump(length, 0.3 * seconds, 0.4 * seconds)
        return normalised(normalised(opened) * mouth + normalised(closed) * (1 - mouth))

    def _gasp(self, rng: np.random.Generator, seconds: float) -> np.ndarray:
        """Synthesise the breath drawn between two cries: noise with the throat's resonances."""
        envelope = hump(samples(seconds), 0.5 * seconds, 0.3 * seconds)
        throat = vocal_tract(np.array([1_300, 2_600, 4_200]) * self.throat, [400, 500, 700])
        return filtered_burst(rng, seconds, throat, envelope)


@dataclass(frozen=True)
class Sneezing:
    """A sneeze: air drawn in, sometimes voiced, "ah", then a blast of air, "choo", over in 0.2 s.

    The blast is turbulence at the teeth, so its energy lies at 1 to 6 kHz, and vocal folds close on it as it fades.
    """

    pitch: float
    throat: float
    inhale: float
    inhale_gain: float
    blast: float
    hiss: float
    voicing: float
    repeats: int
    padded: bool
    scene: Scene

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Sneezing":
        """Draw one person in one room."""
        return cls(
            pitch=log_uniform(rng, 120, 420),
            throat=log_uniform(rng, 0.85, 1.2),
            inhale=log_uniform(rng, 0.2, 0.8),
            inhale_gain=log_uniform(rng, 0.05, 0.5),
            blast=log_uniform(rng, 0.15, 0.5),
            hiss=log_uniform(rng, 1_000, 3_800),
            voicing=float(rng.choice([0.0, 0.3, 0.8, 1.5])),
            repeats=int(rng.choice([1, 1, 1, 2])),
            padded=bool(rng.random() < 0.85),
            scene=Scene.draw(rng, peak=(-0.8, 1.5), background=(-65.0, -28.0)),
        )

    def take(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise one fragment, shape (220500,)."""
        line = np.zeros(CLIP_SAMPLES)
        time = rng.uniform(0.0, 0.4)
        for _ in range(self.repeats):
            breath = self._inhale(rng)
            add_at(line, self.inhale_gain * breath, time)
            time += len(breath) / samples(1) + rng.uniform(-0.02, 0.12)
            blast = self._blast(rng)
            add_at(line, rng.uniform(0.7, 1.0) * blast, time)
            time += len(blast) / samples(1) + rng.uniform(0.1, 0.6)
        return self.scene.record(rng, line, time if self.padded else None)

    def _inhale(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise the "ah": breath that grows, with some voice if this person sneezes so."""
        seconds = self.inhale * log_uniform(rng, 0.7, 1.3)
        length = samples(seconds)
        pitch = self.pitch * contour([0, 1], [0.9, 1.35], length)
        air = 0.5 * noise(rng, length) + self.voicing * pulse_train(pitch, 0.85)
        throat = vocal_tract(np.array([750, 1_300, 2_600, 3_800]) * self.throat, [150, 200, 300, 400])
        return normalised(apply_response(air * hump(length, 0.7 * seconds, 0.05), throat))

    def _blast(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise the "choo": a click of pressure let go, turbulence, and a voice that falls with it."""
        seconds = self.blast * log_uniform(rng, 0.8, 1.25)
        length = samples(seconds + 0.1)
        decay = np.exp(-np.arange(length) / samples(0.4 * seconds)) * hump(length, 0.006, 0.08)
        teeth = band(0.45 * self.hiss, 2.2 * self.hiss, order=1)
        turbulence = normalised(apply_response(noise(rng, length) * decay, teeth))
        pitch = self.pitch * contour([0, 1], [1.6, 0.7], length) * np.exp(0.02 * drift(rng, length, 80))
        vowel = cascade(vocal_tract(np.array([420, 1_100, 2_300, 3_600]) * self.throat, [120, 200, 300, 400]))
        voice = apply_response(pulse_train(pitch, 0.88) * decay, vowel)
        return normalised(turbulence + 0.6 * self.voicing * normalised(voice))
