"""Keep the front end of a network along its training: the reels of lesson 5's film."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from envnet_tutorial.files import write_tensors

_PREFIX = "step-"


@dataclass(frozen=True)
class FrontEndKeeper:
    """Write the front end of a network to a folder every so many steps of a training run (lesson 5).

    A resumed run writes the same files again, so nothing is lost to a kill.

    Parameters
    ----------
    folder : Path
    every : int
        Steps from one file to the next.
    """

    folder: Path
    every: int

    def __call__(self, step: int, model: nn.Module) -> None:
        """Write the state dict of the front end if it is time to; step 0 is before any training."""
        if step % self.every == 0:
            weights = model.frontend_module.state_dict()
            state = {key: value.detach().cpu().contiguous() for key, value in weights.items()}
            write_tensors(self.folder / f"{_PREFIX}{step:06d}.pt", state)


def kept_steps(folder: Path) -> dict[int, Path]:
    """Return the file of each step that was kept in a folder, in order."""
    paths = sorted(folder.glob(f"{_PREFIX}*.pt"))
    return {int(path.stem.removeprefix(_PREFIX)): path for path in paths}


def read_front_ends(folder: Path) -> dict[int, dict[str, Tensor]]:
    """Read the front ends that were kept in a folder: its state dict for each step, in order."""
    return {step: torch.load(path, weights_only=True) for step, path in kept_steps(folder).items()}
