"""Test a network on whole clips: ten windows, softmax averaged, no clip left out (lesson 4)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from envnet_tutorial import augment
from envnet_tutorial.audio import levels
from envnet_tutorial.audio.samples import as_int16
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.formats import precision_context
from envnet_tutorial.models.base import WaveformNetwork
from envnet_tutorial.modes import evaluating
from envnet_tutorial.training.device import choose_device, on_device
from envnet_tutorial.training.recipe import Preparation


@dataclass(frozen=True)
class Evaluation:
    """What a network says about each clip of a test set (lesson 4).

    Parameters
    ----------
    probabilities : ndarray, shape (clip, class)
        Mean over the windows of the softmax of the logits.
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
    def nll(self) -> float:
        """Mean negative log-likelihood of the true classes, in nats: the loss on the test clips."""
        likelihood = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.maximum(likelihood, 1e-12)).mean())

    @property
    def confusion(self) -> np.ndarray:
        """Number of clips by true class (row) and predicted class (column)."""
        return confusion_matrix(self.labels, self.predictions, self.probabilities.shape[1])


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """Count clips by true class (row) and predicted class (column), shape (class, class) (lesson 4)."""
    counts = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def average_windows(logits: Tensor) -> Tensor:
    """Average the windows' softmax: logits (clip, window, class) to probabilities (clip, class) (lesson 4)."""
    return logits.float().softmax(dim=-1).mean(dim=1)


def predict(
    model: WaveformNetwork,
    waveforms: Tensor | np.ndarray,
    preparation: Preparation,
    *,
    num_windows: int = 10,
    device: torch.device | str | None = None,
    batch_size: int = 4,
    precision: str = "float32",
) -> np.ndarray:
    """Say how probable each class is for whole clips: ten windows, softmax averaged (lesson 4).

    Parameters
    ----------
    model : WaveformNetwork
        Afterwards it is where it was, in the mode that it was in.
    waveforms : Tensor or ndarray of float in [-1, 1] or of int16, shape (clip, time)
        Mono, at the rate of the network. Floats are rounded to 16 bits, as the clips of a set are.
    preparation : Preparation
        What was done to the clips in training: the recipe's ``preparation``. A wrong one gives wrong numbers and no
        error, so there is no default.
    num_windows : int, default 10
        Evenly spaced windows of each padded clip.
    device : torch.device or str, optional
        Where to compute; a GPU if there is one.
    batch_size : int, default 4
        Clips at a time, with all their windows.
    precision : {"float32", "bfloat16"}, default "float32"
        Number format of the convolutions and matrix products.

    Returns
    -------
    ndarray of float32, shape (clip, class)

    Raises
    ------
    InputError
        If these are no clips with samples, or no window is asked for.
    """
    if np.ndim(waveforms) != 2 or not all(np.shape(waveforms)):
        raise InputError(f"clips have the shape (clip, time), both at least 1; got {tuple(np.shape(waveforms))}")
    if num_windows < 1:
        raise InputError(f"num_windows must be at least 1; got {num_windows}")
    device, num_samples = choose_device(device), model.input_format.num_samples
    samples = torch.tensor(as_int16(waveforms), device=device)  # (clip, time)
    span = augment.sound_span(samples) if preparation.trim_silence else augment.whole_span(samples)
    probabilities = []
    with evaluating(model), on_device(model, device):
        for rows in torch.arange(len(samples), device=device).split(batch_size):
            windows = augment.cut_test_windows(samples[rows], num_samples, num_windows, span=span.of(rows))
            windows = levels.compress_levels(windows, preparation.compression_ratio)  # (clip, window, time)
            with precision_context(device, precision):
                logits = model(windows.flatten(0, 1).unsqueeze(1))  # (clip * window, class)
            probabilities.append(average_windows(logits.unflatten(0, windows.shape[:2])))
    return torch.cat(probabilities).cpu().numpy()


def evaluate(model: WaveformNetwork, clips: ClipArray, preparation: Preparation, **options) -> Evaluation:
    """Test a network on clips that it has not seen: `predict`, beside the true classes (lesson 4).

    Parameters
    ----------
    model : WaveformNetwork
    clips : ClipArray
        The test set. Every clip counts, silent ones too.
    preparation : Preparation
        The recipe's ``preparation``.
    **options
        Passed on to `predict`.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        If the clips are sampled at another rate than the network takes, or there are none.
    """
    check_clips(model, clips)
    return Evaluation(predict(model, clips.samples, preparation, **options), np.asarray(clips.labels))


def check_clips(model: WaveformNetwork, clips: ClipArray) -> None:
    """Refuse an empty set, and clips at another rate or of another number of classes than the network takes.

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
    if clips.num_classes != model.num_classes:
        raise InputError(
            f"{type(model).__name__} tells {model.num_classes} classes apart, and the clips are of {clips.num_classes}"
        )
