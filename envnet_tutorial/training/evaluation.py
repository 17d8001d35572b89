"""Test a network on whole clips: ten windows, softmax averaged, no clip left out (lesson 4)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from envnet_tutorial import augment, levels
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.training.batches import DeviceClips
from envnet_tutorial.training.recipe import Preparation
from envnet_tutorial.training.runtime import choose_device, lent_to, precision_context


@dataclass(frozen=True)
class Evaluation:
    """What a network says about each clip of a test set (lesson 4).

    Parameters
    ----------
    probabilities : ndarray, shape (clip, class)
        Mean over the windows of the softmax of the scores.
    labels : ndarray of int64, shape (clip,)
        The true classes.
    """

    probabilities: np.ndarray
    labels: np.ndarray

    @property
    def predictions(self) -> np.ndarray:
        """Most probable class of each clip, shape (clip,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def accuracy(self) -> float:
        """Share of all clips whose prediction is right, from 0 to 1."""
        return float((self.predictions == self.labels).mean())

    @property
    def confusion(self) -> np.ndarray:
        """Number of clips by true class (row) and predicted class (column)."""
        return confusion_matrix(self.labels, self.predictions, self.probabilities.shape[1])


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """Count clips by true class (row) and predicted class (column), shape (class, class) (lesson 4)."""
    counts = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def average_windows(scores: Tensor) -> Tensor:
    """Average the windows' softmax: scores (clip, window, class) to probabilities (clip, class) (lesson 4)."""
    return scores.float().softmax(dim=-1).mean(dim=1)


@torch.no_grad()  # not inference_mode: weights that are moved in it could never be trained again
def evaluate(
    model: nn.Module,
    clips: ClipArray,
    *,
    num_windows: int = 10,
    device: torch.device | str | None = None,
    batch_size: int = 4,
    preparation: Preparation | None = None,
    precision: str = "float32",
) -> Evaluation:
    """Test a network on clips that it has not seen (lesson 4).

    Parameters
    ----------
    model : nn.Module
        Maps waveforms (batch, 1, time) to scores (batch, class); has ``input_format``. Afterwards it is where it was.
    clips : ClipArray
        The test set. Every clip counts, silent ones too.
    num_windows : int, default 10
        Evenly spaced windows of each padded clip.
    device : torch.device or str, optional
        Where to compute; a GPU if there is one.
    batch_size : int, default 4
        Clips at a time, with all their windows.
    preparation : Preparation, optional
        What was done to the clips in training: the recipe's ``preparation``; the paper's without.
    precision : {"float32", "bfloat16"}, default "float32"
        Number format of the convolutions and matrix products.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        If the clips are sampled at another rate than the network takes, or there are none.
    """
    check_clips(model, clips)
    device, preparation = choose_device(device), preparation or Preparation()
    was_training = model.training
    model.eval()
    data = DeviceClips.load(clips, device, trim_silence=preparation.trim_silence)
    probabilities = []
    with lent_to(model, device):
        for rows in torch.arange(len(clips), device=device).split(batch_size):
            windows = augment.cut_test_windows(
                data.samples[rows], model.input_format.num_samples, num_windows, span=data.span_of(rows)
            )  # (clip, window, time)
            windows = levels.compress_levels(windows, preparation.compression_ratio)
            with precision_context(device, precision):
                scores = model(windows.flatten(0, 1).unsqueeze(1))  # (clip * window, class)
            probabilities.append(average_windows(scores.unflatten(0, windows.shape[:2])))
    model.train(was_training)
    return Evaluation(torch.cat(probabilities).cpu().numpy(), np.asarray(clips.labels))


def check_clips(model: nn.Module, clips: ClipArray) -> None:
    """Refuse an empty set and clips at another rate than the network takes.

    Raises
    ------
    InputError
    """
    if len(clips) == 0:
        raise InputError("there are no clips: the set is empty")
    wanted = model.input_format.sample_rate
    if clips.sample_rate != wanted:
        raise InputError(
            f"{type(model).__name__} hears {wanted:,} Hz and the clips have {clips.sample_rate:,} Hz: "
            f"load them with sample_rate={wanted}"
        )
