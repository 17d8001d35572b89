"""Evaluation mode, and back: what looks at a network must leave it as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Put a network into evaluation mode without gradients while the context lasts (lesson 4).

    Each module gets its own mode back at the end, also after an error: a batch norm that was frozen while the rest
    trained is frozen again.

    Parameters
    ----------
    model : nn.Module

    Yields
    ------
    nn.Module
        The same network. Not in inference mode: weights that are moved there could never be trained again.
    """
    modes = {module: module.training for module in model.modules()}
    try:
        with torch.no_grad():
            yield model.eval()
    finally:
        for module, training in modes.items():
            module.training = training
