"""The training clips on the device, and the batches drawn from them (lesson 4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from envnet_tutorial import augment
from envnet_tutorial.audio import levels
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.settings import InputFormat
from envnet_tutorial.training.distributed import shard
from envnet_tutorial.training.recipe import Recipe


@dataclass(frozen=True)
class DeviceClips:
    """A whole set of clips as tensors on one device.

    Parameters
    ----------
    samples : Tensor of int16, shape (clip, time)
    labels : Tensor of int64, shape (clip,)
    span : augment.Span
        The part of each clip that is used.
    num_classes : int
    """

    samples: Tensor
    labels: Tensor
    span: augment.Span
    num_classes: int

    @classmethod
    def load(cls, clips: ClipArray, device: torch.device, *, trim_silence: bool = True) -> "DeviceClips":
        """Copy decoded clips to a device, once."""
        samples = torch.tensor(np.asarray(clips.samples), device=device)
        labels = torch.tensor(np.asarray(clips.labels), dtype=torch.long, device=device)
        span = augment.sound_span(samples) if trim_silence else augment.whole_span(samples)
        return cls(samples, labels, span, clips.num_classes)


class Batch(NamedTuple):
    """What one step of the training sees.

    Parameters
    ----------
    waveforms : Tensor of float32, shape (clip, 1, time)
    targets : Tensor of float32, shape (clip, class)
        Probability of each class.
    weight : float, default 1
        What this process's mean loss counts in the mean over all processes; 1 for a process on its own.
    """

    waveforms: Tensor
    targets: Tensor
    weight: float = 1.0


def epoch_batches(
    clips: DeviceClips, recipe: Recipe, input_format: InputFormat, generator: torch.Generator
) -> Iterator[Batch]:
    """Draw the batches of one epoch, cropped, mixed and levelled; of each, this process's share (lesson 4).

    Every process draws whole batches from the same generator, so that crops and mixtures are those of a process on its
    own, and keeps its share.

    Parameters
    ----------
    clips : DeviceClips
    recipe : Recipe
    input_format : InputFormat
        What the network takes.
    generator : torch.Generator
        Source of the random numbers, on the device of the clips.

    Yields
    ------
    Batch
    """
    for rows in epoch_rows(clips, recipe, generator):
        waveforms, targets = draw_batch(clips, rows, recipe, input_format, generator)
        (waveforms, weight), (targets, _) = shard(waveforms), shard(targets)
        yield Batch(waveforms, targets, weight)


def epoch_rows(clips: DeviceClips, recipe: Recipe, generator: torch.Generator) -> Iterator[tuple[Tensor, ...]]:
    """Draw the batches of one epoch: the rows of a random order, or of random pairs of different classes.

    Yields
    ------
    tuple of Tensor of int64, shape (batch,)
        Rows of the clips; two such tensors when clips are mixed.
    """
    count = len(clips.labels)
    if recipe.mix == "bc":
        pairs = augment.draw_pairs(clips.labels, count, generator=generator)
    else:
        pairs = (torch.randperm(count, generator=generator, device=clips.labels.device),)
    yield from zip(*(rows.split(recipe.batch_size) for rows in pairs), strict=True)


def draw_batch(
    clips: DeviceClips, rows: tuple[Tensor, ...], recipe: Recipe, input_format: InputFormat, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Crop and mix one batch of clips, and set its levels (lessons 4 and 6).

    Parameters
    ----------
    clips : DeviceClips
    rows : tuple of Tensor of int64, shape (batch,)
        The clips, or the first and second clips of mixtures.
    recipe : Recipe
    input_format : InputFormat
        What the network takes.
    generator : torch.Generator
        Source of the random numbers, on the device of the clips.

    Returns
    -------
    waveforms : Tensor of float32, shape (batch, 1, time)
    targets : Tensor of float32, shape (batch, class)
        Probability of each class.
    """
    crops = [
        augment.random_crop(
            clips.samples[which],
            input_format.num_samples,
            generator=generator,
            span=clips.span.of(which),
            max_scale=recipe.max_scale,
        )
        for which in rows
    ]
    labels = [functional.one_hot(clips.labels[which], clips.num_classes).float() for which in rows]
    waveforms, targets = crops[0], labels[0]
    if recipe.mix == "bc":
        ratio = torch.rand(len(waveforms), generator=generator, device=waveforms.device)
        waveforms = augment.mix(crops[0], crops[1], ratio, input_format.sample_rate)
        targets = ratio[:, None] * labels[0] + (1 - ratio[:, None]) * labels[1]
    targets = (1 - recipe.label_smoothing) * targets + recipe.label_smoothing / clips.num_classes
    if recipe.max_gain_db:
        waveforms = augment.random_gain(waveforms, recipe.max_gain_db, generator=generator)
    if recipe.random_polarity:
        waveforms = augment.random_polarity(waveforms, generator=generator)
    return levels.compress_levels(waveforms, recipe.compression_ratio).unsqueeze(1), targets
