"""What is written down of a training: a row for each epoch (lesson 4)."""

import time
from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import Tensor

from envnet_tutorial.training.batches import Batch
from envnet_tutorial.training.distributed import sum_over_processes


@dataclass
class History:
    """What happened in each epoch of a training run (lesson 4).

    Parameters
    ----------
    rows : list of dict
        One for each epoch: epoch (from 1), loss (nats per clip), accuracy (share of the training crops),
        learning_rate (at the epoch's last step), seconds.
    """

    rows: list[dict] = field(default_factory=list)

    @property
    def epochs(self) -> pd.DataFrame:
        """The rows as a table."""
        return pd.DataFrame(self.rows, columns=["epoch", "loss", "accuracy", "learning_rate", "seconds"])


class Tally:
    """The sums of one epoch, kept on the device so that no step waits for the processor.

    Parameters
    ----------
    device : torch.device
    """

    def __init__(self, device: torch.device):
        self.started = time.perf_counter()
        self.sums = torch.zeros(3, device=device)  # of loss, hits, clips

    def add(self, batch: Batch, logits: Tensor, loss: Tensor) -> None:
        """Count one step: its loss, and the clips whose likeliest class is the target's."""
        clips = len(batch.targets)
        hits = (logits.argmax(dim=1) == batch.targets.argmax(dim=1)).sum()
        self.sums += torch.stack([loss.detach() / batch.weight * clips, hits, torch.full_like(hits, clips)])

    def row(self, epoch: int, learning_rate: float) -> dict:
        """Return the epoch's row of the history, over all processes."""
        loss, hits, clips = sum_over_processes(self.sums).unbind()
        loss, accuracy = (loss / clips).item(), (hits / clips).item()
        seconds = time.perf_counter() - self.started
        return {
            "epoch": epoch,
            "loss": loss,
            "accuracy": accuracy,
            "learning_rate": learning_rate,
            "seconds": seconds,
        }
