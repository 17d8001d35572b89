"""How weights follow their gradients: Nesterov's stochastic gradient descent and its learning rate (lesson 4)."""

import torch
from torch import nn

from envnet_tutorial.training.recipe import Recipe

#: Devices on which all versions of torch that the package allows can take a step in one kernel.
FUSED = ("cpu", "cuda")


def make_optimizer(model: nn.Module, recipe: Recipe, num_steps: int):
    """Return Nesterov's stochastic gradient descent and its schedule, to be stepped once a batch (lesson 4).

    Returns
    -------
    optimizer : torch.optim.SGD
    scheduler : torch.optim.lr_scheduler.LambdaLR
    """
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=True,
        weight_decay=recipe.weight_decay,
        fused=next(model.parameters()).device.type in FUSED or None,
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: recipe.learning_rate_at(step / num_steps) / recipe.learning_rate
    )
    return optimizer, scheduler
