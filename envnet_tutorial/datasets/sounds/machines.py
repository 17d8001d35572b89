"""A clock, a helicopter and a chainsaw: sounds with a beat, from one a second to two hundred."""

from dataclasses import dataclass

import numpy as np

from envnet_tutorial.datasets.sounds.filters import apply_response, band, cascade, resonance, tilt
from envnet_tutorial.datasets.sounds.scene import Scene
from envnet_tutorial.datasets.sounds.signals import (
    CLIP_SAMPLES,
    add_at,
    drift,
    from_decibels,
    log_uniform,
    noise,
    pulse_train,
    samples,
    struck,
)
from envnet_tutorial.settings import CLIP_RATE, CLIP_SECONDS


@dataclass(frozen=True)
class ClockTick:
    """A clock: an escapement's two or three knocks within 20 ms ring the modes of case and wheels, tick and tock.

    A quartz clock steps once a second; a mechanical one beats two to five times a second.
    """

    period: float
    modes: np.ndarray
    decays: np.ndarray
    knocks: np.ndarray
    tock: float
    limp: float
    scene: Scene

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "ClockTick":
        """Draw one clock on one wall."""
        count = int(rng.integers(4, 9))
        lowest = log_uniform(rng, 250, 2_000)
        return cls(
            period=float(rng.choice([1.0, 1.0, 0.5, 0.4, 0.25, 0.2])) * log_uniform(rng, 0.98, 1.02),
            modes=np.minimum(lowest * np.cumprod(rng.uniform(1.15, 1.6, count)), 15_000.0),
            decays=np.array([log_uniform(rng, 0.0008, 0.015) for _ in range(count)]),
            knocks=np.cumsum(rng.uniform(0.003, 0.012, int(rng.integers(1, 4)))),
            tock=rng.uniform(0.35, 1.0),
            limp=rng.uniform(0.0, 0.06),
            scene=Scene.draw(rng, peak=(-13.5, 4.5), background=(-50.0, -8.0)),
        )

    def take(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise one fragment, shape (220500,)."""
        line = np.zeros(CLIP_SAMPLES)
        gains = np.exp(np.random.default_rng(self.scene.room_seed).normal(0, 0.6, len(self.modes)))
        start = rng.uniform(0, self.period)
        for beat in range(int((CLIP_SECONDS - start) / self.period) + 1):
            is_tock = beat % 2 == 1
            body = struck(self.modes * (0.93 if is_tock else 1.0), self.decays, gains)
            time = start + beat * self.period + (self.limp * self.period if is_tock else 0.0)
            loudness = (self.tock if is_tock else 1.0) * log_uniform(rng, 0.92, 1.08)
            for knock, gain in zip(self.knocks, (1.0, 0.5, 0.3), strict=False):
                add_at(line, loudness * gain * body, time + knock)
        return self.scene.record(rng, line)


@dataclass(frozen=True)
class Helicopter:
    """A helicopter: the main rotor's blades slap the air 9 to 28 times a second, over turbine whine and wash.

    Rotations a second times number of blades is the blade-pass frequency; its pulses are the chop that one hears
    (Leishman, Principles of Helicopter Aerodynamics, 2006, chapter 8).
    """

    blade_pass: float
    slap: float
    tail_ratio: float
    tail_gain: float
    whine: float
    whine_gain: float
    wash: float
    wash_high: float
    approach: float
    scene: Scene

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Helicopter":
        """Draw one helicopter on one path."""
        return cls(
            blade_pass=log_uniform(rng, 9, 28),
            slap=rng.uniform(0.86, 0.97),
            tail_ratio=rng.uniform(4.3, 6.2),
            tail_gain=log_uniform(rng, 0.05, 0.5),
            whine=log_uniform(rng, 900, 6_000),
            whine_gain=from_decibels(rng.uniform(-60.0, -26.0)),
            wash=from_decibels(rng.uniform(-16.0, 2.0)),
            wash_high=log_uniform(rng, 300, 3_500),
            approach=rng.normal(0, 0.12),
            scene=Scene.draw(rng, peak=(-1.7, 1.2), outdoors=True, background=(-45.0, -14.0), slope=(-2.0, 1.5)),
        )

    def take(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise one fragment, shape (220500,)."""
        time = np.arange(CLIP_SAMPLES) / CLIP_RATE
        rate = self.blade_pass * (1 + 0.003 * drift(rng, CLIP_SAMPLES, 0.5))
        start = rng.uniform(0, 2 * np.pi)
        slap = pulse_train(rate, self.slap, start)
        slap /= np.sqrt(np.mean(slap**2))
        slap = apply_response(slap, band(3.0 * self.blade_pass, np.inf, order=1))
        tail = pulse_train(rate * self.tail_ratio, 0.7, start)
        beat = 0.35 + 0.65 * (0.5 + 0.5 * np.cos(2 * np.pi * np.cumsum(rate) / CLIP_RATE + start)) ** 3
        wash = noise(rng, CLIP_SAMPLES, cascade(band(40, self.wash_high, order=1), tilt(-2.0))) * beat
        whine = pulse_train(self.whine * (1 + 0.002 * drift(rng, CLIP_SAMPLES, 2)), 0.3)
        mixed = slap + self.tail_gain * tail + self.wash * wash + self.whine_gain * whine
        loudness = np.exp(self.approach * (time - 2.5) + 0.1 * drift(rng, CLIP_SAMPLES, 1))
        return self.scene.record(rng, mixed * loudness)


@dataclass(frozen=True)
class Chainsaw:
    """A chainsaw: a two-stroke engine fires once a turn, 45 times a second idling, 100 to 200 under throttle.

    A muffler's resonances colour the pulses; the load of the cut drags the speed down, and the chain rattles.
    """

    idle: float
    full: float
    brightness: float
    muffler: np.ndarray
    irregular: float
    rattle: float
    rattle_low: float
    habit: float
    scene: Scene

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Chainsaw":
        """Draw one saw in one wood."""
        return cls(
            idle=log_uniform(rng, 38, 60),
            full=log_uniform(rng, 95, 200),
            brightness=rng.uniform(0.88, 0.98),
            muffler=np.array(
                [log_uniform(rng, 250, 700), log_uniform(rng, 800, 1_800), log_uniform(rng, 2_000, 4_500)]
            ),
            irregular=rng.uniform(0.05, 0.4),
            rattle=from_decibels(rng.uniform(-16.0, 1.0)),
            rattle_low=log_uniform(rng, 900, 4_000),
            habit=rng.uniform(0.0, 1.0),
            scene=Scene.draw(rng, peak=(-1.7, 0.9), outdoors=True, background=(-50.0, -20.0), slope=(-1.5, 3.0)),
        )

    def take(self, rng: np.random.Generator) -> np.ndarray:
        """Synthesise one fragment, shape (220500,)."""
        throttle = self._throttle(rng)
        rate = (self.idle + (self.full - self.idle) * throttle) * np.exp(0.006 * drift(rng, CLIP_SAMPLES, 30))
        engine = pulse_train(rate, self.brightness)
        # No two explosions are alike: strength wanders from one to the next.
        engine *= (1 + self.irregular * drift(rng, CLIP_SAMPLES, 0.6 * float(rate.mean()))) / engine.std()
        engine = apply_response(engine, self._exhaust)
        chop = 0.5 + 0.5 * np.cos(2 * np.pi * np.cumsum(rate) / CLIP_RATE)
        chain = noise(rng, CLIP_SAMPLES, cascade(band(self.rattle_low, 14_000, order=1), tilt(-1.0))) * (0.4 + chop)
        mixed = engine / engine.std() + self.rattle * chain * (0.15 + throttle)
        return self.scene.record(rng, mixed * (0.25 + 0.75 * throttle))

    def _throttle(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the throttle from 0 to 1, shape (220500,): some cut through, some blip."""
        knots = rng.random(8)
        target = np.where(knots < 0.45 * self.habit, 0.05, rng.uniform(0.6, 1.0, 8))
        held = np.repeat(target, CLIP_SAMPLES // 7 + 1)
        held = held[int(rng.integers(CLIP_SAMPLES // 7)) :][:CLIP_SAMPLES]
        # An engine has inertia: a moving average of 0.3 s.
        total = np.cumsum(np.concatenate([np.full(samples(0.3), held[0]), held]))
        return (total[samples(0.3) :] - total[: -samples(0.3)]) / samples(0.3)

    def _exhaust(self, frequencies: np.ndarray) -> np.ndarray:
        """Sum the muffler's resonances, and let some of the pulse through as it is."""
        peaks = sum(resonance(frequencies, centre, 0.35 * centre) for centre in self.muffler)
        return (peaks + 0.1) * band(40.0, np.inf, order=1)(frequencies)
