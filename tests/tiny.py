"""A network and a set of clips that are small enough to train in a test."""

from collections import OrderedDict

import numpy as np
import pandas as pd
import soundfile
import torch
from torch import nn

from envnet_tutorial import training
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.models import ConvBlock, EnvNet, LinearBlock, Transpose, WaveformNetwork
from envnet_tutorial.models.base import FeatureConvNetwork
from envnet_tutorial.models.pooled_norm import PooledNormFeatures
from envnet_tutorial.models.reordered import ReorderedFeatures
from envnet_tutorial.settings import InputFormat
from envnet_tutorial.training import Recipe

RATE = 8_000


class TinyNet(WaveformNetwork, name="tiny"):
    """Convolution, batch norm, ReLU, pool, dropout, linear layer: a network without any of EnvNet's parts."""

    title = "Tiny"
    input_format = InputFormat(sample_rate=RATE, num_samples=2_400)
    receptive_field, hop = 16, 8

    def __init__(self, num_classes, dropout=0.5, norm=True):
        super().__init__(num_classes)
        self.conv = nn.Conv2d(1, 6, (1, 16), stride=(1, 8), bias=not norm)
        self.norm = nn.BatchNorm2d(6) if norm else nn.Identity()
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(6 * 8, num_classes))

    @property
    def frontend_module(self):
        return self.conv

    def features(self, waveform):
        return self.norm(self.conv(waveform.unsqueeze(2))).relu().squeeze(2)  # (batch, 6, 299)

    def classify(self, features):
        return self.head(nn.functional.adaptive_max_pool2d(features.unsqueeze(2), (1, 8)).flatten(1))


class TinyFrontEnd(FeatureConvNetwork):
    """A small front end of EnvNet's kind, in one of the book's two fast orders, and a linear layer."""

    title = "Tiny front end"
    input_format = TinyNet.input_format
    receptive_field, hop = 160 + 14, 160
    order: type[nn.Sequential]

    def __init__(self, num_classes):
        super().__init__(num_classes)
        blocks = {"conv1": ConvBlock(1, 6, (1, 8)), "conv2": ConvBlock(6, 6, (1, 8))}
        rest = {"pool2": nn.MaxPool2d((1, 160)), "transpose": Transpose(1, 2)}
        self.feature_conv = self.order(OrderedDict(blocks | rest))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(6 * 14, num_classes))


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
PREPARATION = RECIPE.preparation


def train_tiny(recipe=RECIPE, seed=0, clips=None, **options):
    """Train the tiny network on tones; return it and its history."""
    model = training.build_model(TinyNet, 3, seed=seed)
    history = training.fit(model, tones() if clips is None else clips, recipe, seed=seed, progress=False, **options)
    return model, history


def with_small_head(network, num_classes, hidden=64):
    """Build a network whose hidden linear layers are small: their millions of weights take seconds to draw."""
    with torch.device("meta"):
        model = network(num_classes)
    last, features = list(model.classifier.named_children())[-1][0], None
    for name, layer in model.classifier.named_children():
        if isinstance(layer, LinearBlock):
            features = features or layer.module[0].in_features
            model.classifier.add_module(name, LinearBlock(features, hidden, dropout=0.0))
            features = hidden
    model.classifier.add_module(last, nn.Linear(features, num_classes))
    model.to_empty(device="cpu")
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return model


def losses_while_learning(model, num_samples=None, clips=8, steps=15, learning_rate=0.05):
    """Train a network on a handful of noisy tones of two classes; return the loss before each step."""
    random, rate = torch.Generator().manual_seed(0), model.input_format.sample_rate
    labels = torch.arange(clips) % 2
    time = torch.arange(num_samples or model.input_format.num_samples) / rate
    phases = 2 * torch.pi * torch.rand(clips, 1, generator=random)
    waveforms = 0.3 * torch.sin(2 * torch.pi * (400 * 4.0 ** labels[:, None]) * time + phases)
    waveforms += 0.05 * torch.randn(waveforms.shape, generator=random)
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer, losses = torch.optim.SGD(learned, learning_rate, momentum=0.9, nesterov=True), []
    for _ in range(steps):
        loss = nn.functional.cross_entropy(model.train()(waveforms[:, None]), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def output_shapes(model, names, waveform):
    """Return the shapes that named layers give for a waveform."""
    seen = {}

    def note(name):
        return lambda module, inputs, output: seen.update({name: tuple(output.shape)})

    hooks = [model.get_submodule(name).register_forward_hook(note(name)) for name in names]
    with torch.inference_mode():
        model.eval()(waveform)
    for hook in hooks:
        hook.remove()
    return seen


def weights_of(model):
    """Return every tensor of a network in one vector."""
    return torch.cat([value.detach().double().flatten() for value in model.state_dict().values()])


def parameters_of(module):
    """Count the trainable parameters of a module."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def write_set(folder):
    """Write 24 short clips in two folds into a folder, in ESC-50's layout, and return it."""
    (folder / "audio").mkdir()
    (folder / "meta").mkdir()
    clips, rows = tones(num_clips=24), []
    for row in range(24):
        name = f"{clips.folds[row]}-{row}-A-{clips.labels[row]}.wav"
        soundfile.write(folder / "audio" / name, clips.samples[row], RATE)
        category = clips.classes[clips.labels[row]]
        rows.append([name, clips.folds[row], clips.labels[row], category, False, row, "A"])
    columns = ["filename", "fold", "target", "category", "esc10", "src_file", "take"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "meta" / "esc50.csv", index=False)
    return folder


class SmallHead(EnvNet):
    """EnvNet whose 48 million weights of the head are few: they take seconds to draw and gigabytes to train."""

    def __init__(self, num_classes):
        with torch.device("meta"):
            super().__init__(num_classes)
            self.classifier.fc5 = LinearBlock(50 * 11 * 14, 4)
            self.classifier.fc6 = LinearBlock(4, 4)
            self.classifier.fc7 = nn.Linear(4, num_classes)
        self.to_empty(device=torch.get_default_device())
        for module in self.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
