"""Everything that a training run decides, in one frozen dataclass, and four sets of decisions (lesson 4)."""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from envnet_tutorial.errors import InputError

SCHEDULES = ("steps", "one-cycle")
MIXES = ("none", "bc")
PRECISIONS = ("float32", "bfloat16")


class Preparation(NamedTuple):
    """What is done to every clip before a network hears it, in training and in testing alike (lesson 4).

    Parameters
    ----------
    trim_silence : bool, default True
        Leave out the digital silence around the clip.
    compression_ratio : float, default 1
        Divide the differences between the levels of windows by this; see `levels.compress_levels`.
    """

    trim_silence: bool = True
    compression_ratio: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train a network; `PAPER`, `SHORT`, `FAST` and `LESSON` are recipes (lesson 4).

    Parameters
    ----------
    name : str
        Name to print and to record.
    epochs : int
        Passes over the training clips, each giving one random crop.
    batch_size : int
        Clips in one optimiser step.
    learning_rate : float
        Largest learning rate.
    schedule : {"steps", "one-cycle"}
        Divide the rate by 10 at each of ``milestones``, or raise it and let it fall along two half cosines.
    milestones : tuple of float, default (0.5, 0.75)
        Shares of the training after which "steps" divides the rate.
    warmup : float, default 0
        Share of the training at the start: for "steps" at a tenth of the rate, for "one-cycle" until the peak.
    momentum, weight_decay : float
        Of stochastic gradient descent with Nesterov's momentum.
    mix : {"none", "bc"}, default "none"
        Show single clips, or between-class mixtures (lesson 6).
    label_smoothing : float, default 0
        Share of each target's probability that is spread evenly over all classes.
    max_scale : float, default 1
        Largest factor of the random time scale (1.25 for strong augmentation).
    max_gain_db : float, default 0
        Largest random gain in dB (6 for strong augmentation).
    random_polarity : bool, default False
        Turn half of the waveforms upside down.
    trim_silence : bool, default True
        Use each clip without the digital silence around it, as the reference does.
    compression_ratio : float, default 1
        Divide the differences between the levels of windows by this, in training and in testing; 1 leaves them.
    precision : {"float32", "bfloat16"}, default "float32"
        Number format of the convolutions and matrix products; weights and sums stay in float32.

    Raises
    ------
    InputError
        If a field is outside its range.
    """

    name: str
    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str
    milestones: tuple[float, ...] = (0.5, 0.75)
    warmup: float = 0.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    mix: str = "none"
    label_smoothing: float = 0.0
    max_scale: float = 1.0
    max_gain_db: float = 0.0
    random_polarity: bool = False
    trim_silence: bool = True
    compression_ratio: float = 1.0
    precision: str = "float32"

    def __post_init__(self):
        choices = {"schedule": SCHEDULES, "mix": MIXES, "precision": PRECISIONS}
        for field, allowed in choices.items():
            if getattr(self, field) not in allowed:
                raise InputError(f"{field} must be one of {', '.join(allowed)}; got {getattr(self, field)!r}")
        if not all(isinstance(count, int) and count >= 1 for count in (self.epochs, self.batch_size)):
            raise InputError(f"epochs and batch_size must be at least 1; got {self.epochs} and {self.batch_size}")
        ranges = {  # none holds for what is not a number
            "learning_rate": ("above 0", 0 < self.learning_rate < math.inf),
            "milestones": ("shares from 0 to 1", all(0 <= milestone <= 1 for milestone in self.milestones)),
            "warmup": ("at least 0 and below 1", 0 <= self.warmup < 1),
            "momentum": ("above 0 and below 1", 0 < self.momentum < 1),
            "weight_decay": ("at least 0", 0 <= self.weight_decay < math.inf),
            "label_smoothing": ("at least 0 and below 1", 0 <= self.label_smoothing < 1),
            "max_scale": ("at least 1", 1 <= self.max_scale < math.inf),
            "max_gain_db": ("at least 0", 0 <= self.max_gain_db < math.inf),
            "compression_ratio": ("at least 1", self.compression_ratio >= 1),
        }
        for field, (wanted, is_within) in ranges.items():
            if not is_within:
                raise InputError(f"{field} must be {wanted}; got {getattr(self, field)}")

    @property
    def preparation(self) -> Preparation:
        """What the network is to hear of every clip, in testing too."""
        return Preparation(self.trim_silence, self.compression_ratio)

    def steps_per_epoch(self, num_clips: int) -> int:
        """Return the number of optimiser steps in one epoch; the last batch may be smaller."""
        return math.ceil(num_clips / self.batch_size)

    def between_class(self) -> "Recipe":
        """Return the same recipe with between-class mixing and, as in the paper, twice the epochs (lesson 6)."""
        return replace(self, mix="bc", epochs=2 * self.epochs)

    def strong(self) -> "Recipe":
        """Return the same recipe with the paper's strong augmentation: time scale up to 1.25, gain up to 6 dB."""
        return replace(self, max_scale=1.25, max_gain_db=6.0)

    def learning_rate_at(self, progress: float) -> float:
        """Return the learning rate after a share of the training, from 0 to 1 (lesson 4)."""
        if self.schedule == "steps":
            divisions = sum(progress >= milestone for milestone in self.milestones)
            return self.learning_rate * 0.1 ** (1 if progress < self.warmup else divisions)
        if progress < self.warmup:
            return between(self.learning_rate / 25, self.learning_rate, progress / self.warmup)
        return between(self.learning_rate, 0.0, (progress - self.warmup) / (1 - self.warmup))


def between(start: float, end: float, share: float) -> float:
    """Go from ``start`` to ``end`` along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


#: Tokozume, Ushiku and Harada (2018) for EnvNet, step for step; `PAPER.between_class()` is their BC learning. Its
#: dropout of 0.5 is the network's own default.
PAPER = Recipe(name="paper", epochs=600, batch_size=64, learning_rate=0.01, schedule="steps")

#: The paper's ingredients in a fifteenth of the epochs, the rate in one cycle: less accurate, and lesson 4 asks why.
SHORT = Recipe(name="short", epochs=40, batch_size=32, learning_rate=0.02, schedule="one-cycle", warmup=0.3)

#: Ours: a tenth of the paper's epochs, levels compressed, either polarity; lesson 4 shows what each of these is worth.
FAST = replace(SHORT, name="fast", epochs=60, warmup=0.1, random_polarity=True, compression_ratio=2.5)

#: Short enough to watch: half a minute on two idle cores with `PooledNormEnvNet` and 320 clips. Small batches, because
#: a hundred steps is what it takes to learn anything.
LESSON = replace(SHORT, name="lesson", epochs=5, batch_size=16, learning_rate=0.01, warmup=0.2)

PRESETS = {recipe.name: recipe for recipe in (PAPER, SHORT, FAST, LESSON)}
