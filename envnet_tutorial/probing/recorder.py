"""Probes while a network learns: a callback of `training.fit` (lesson 5)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from envnet_tutorial.probing.responses import response_matrix


@dataclass
class ProbeRecorder:
    """Keep a response matrix of every so many steps of a training run (lesson 5).

    Parameters
    ----------
    frequencies : Tensor, shape (frequency,)
        In Hz.
    every : int, default 10
        Steps from one probe to the next.
    amplitude : float, default 0.5
        Peak of the tones.
    num_phases : int, default 2
        Phases that are averaged.
    num_frames : int, default 3
        Frames that are averaged; few, so that the probe costs little beside a step.

    Attributes
    ----------
    steps : list of int
        The steps that were probed.
    matrices : list of Tensor, each of shape (filter, frequency)
    """

    frequencies: Tensor
    every: int = 10
    amplitude: float = 0.5
    num_phases: int = 2
    num_frames: int = 3
    steps: list[int] = field(default_factory=list)
    matrices: list[Tensor] = field(default_factory=list)

    def __post_init__(self):
        if self.every < 1:
            raise ValueError(f"every must be at least 1 step, got {self.every}")

    def record(self, step: int, model: nn.Module) -> None:
        """Probe the network now, for instance at step 0, before any training."""
        options = {"amplitude": self.amplitude, "num_phases": self.num_phases, "num_frames": self.num_frames}
        self.steps.append(step)
        self.matrices.append(response_matrix(model, self.frequencies, **options))

    def __call__(self, step: int, model: nn.Module) -> None:
        """Probe the network if it is time to; called after each optimiser step."""
        if step % self.every == 0:
            self.record(step, model)

    @property
    def film(self) -> Tensor:
        """All matrices, shape (probe, filter, frequency)."""
        return torch.stack(self.matrices)
