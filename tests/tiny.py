"""A network and a set of clips that are small enough to train in a test."""

from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.models import ConvBlock, Transpose
from envnet_tutorial.models.pooled_norm import PooledNormFeatures
from envnet_tutorial.models.reordered import ReorderedFeatures
from envnet_tutorial.settings import InputFormat
from envnet_tutorial.training import Recipe

RATE = 8_000


class TinyNet(nn.Module):
    """Convolution, batch norm, ReLU, pool, dropout, linear layer."""

    input_format = InputFormat(sample_rate=RATE, num_samples=2_400)

    def __init__(self, num_classes, dropout=0.5, norm=True):
        super().__init__()
        self.num_classes = num_classes
        self.conv = nn.Conv2d(1, 6, (1, 16), stride=(1, 8), bias=not norm)
        self.norm = nn.BatchNorm2d(6) if norm else nn.Identity()
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(6 * 8, num_classes))

    def forward(self, waveform):
        features = self.norm(self.conv(waveform.unsqueeze(2))).relu()  # (batch, 6, 1, 299)
        return self.head(nn.functional.adaptive_max_pool2d(features, (1, 8)).flatten(1))


class TinyFrontEnd(nn.Module):
    """A small front end of EnvNet's kind, in one of the book's two fast orders, and a linear layer."""

    input_format = TinyNet.input_format
    order: type[nn.Sequential]

    def __init__(self, num_classes):
        super().__init__()
        blocks = {"conv1": ConvBlock(1, 6, (1, 8)), "conv2": ConvBlock(6, 6, (1, 8))}
        rest = {"pool2": nn.MaxPool2d((1, 160)), "transpose": Transpose(1, 2)}
        self.feature_conv = self.order(OrderedDict(blocks | rest))
        self.head = nn.Linear(6 * 14, num_classes)

    def forward(self, waveform):
        return self.head(self.feature_conv(waveform.unsqueeze(2)).flatten(1))


class TinyPooledNorm(TinyFrontEnd):
    order = PooledNormFeatures


class TinyReordered(TinyFrontEnd):
    order = ReorderedFeatures


def tones(num_clips=40, num_classes=3, seconds=1.0, seed=0):
    """Return noisy tones, a frequency a class, in two folds, each clip its own source."""
    random = np.random.default_rng(seed)
    labels = np.arange(num_clips) % num_classes
    time = np.arange(round(seconds * RATE)) / RATE
    phases = random.uniform(0, 2 * np.pi, (num_clips, 1))
    waves = 0.3 * np.sin(2 * np.pi * (400 * 2.0 ** labels[:, None]) * time + phases)
    waves += 0.1 * random.standard_normal(waves.shape)
    names = np.array([f"clip-{i:03d}.wav" for i in range(num_clips)])
    return ClipArray(
        samples=(waves.clip(-1, 1) * 32_767).astype(np.int16),
        labels=labels.astype(np.int64),
        folds=1 + np.arange(num_clips) // num_classes % 2,
        sources=names,
        names=names,
        classes=tuple("abcdefgh"[:num_classes]),
        sample_rate=RATE,
    )


RECIPE = Recipe(name="tiny", epochs=6, batch_size=8, learning_rate=0.05, schedule="one-cycle", warmup=0.3)


def weights_of(model):
    """Return every tensor of a network in one vector."""
    return torch.cat([value.detach().double().flatten() for value in model.state_dict().values()])
