"""How weights follow their gradients: Nesterov's stochastic gradient descent and its learning rate (lesson 4)."""

from collections.abc import Callable

import torch
from torch import nn

from envnet_tutorial.training.recipe import Recipe

#: Devices on which all versions of torch that the package allows can take a step in one kernel.
FUSED = ("cpu", "cuda")


def _uncompiled(method: Callable) -> Callable:
    """Return a method as it was before torch wrapped it for its compiler, or as it is."""
    return getattr(method, "__wrapped__", method)


class _QuickSGD(torch.optim.SGD):
    """`torch.optim.SGD` that is ready seconds sooner, and takes the same steps (lesson 4).

    Torch's own tells torch's compiler, when these methods are first called, to leave them alone, and imports it for
    that: five seconds of processor time in each process that trains, for a compiler that nothing here uses.
    """

    add_param_group = _uncompiled(torch.optim.SGD.add_param_group)
    zero_grad = _uncompiled(torch.optim.SGD.zero_grad)
    state_dict = _uncompiled(torch.optim.SGD.state_dict)
    load_state_dict = _uncompiled(torch.optim.SGD.load_state_dict)
    step = torch.no_grad()(_uncompiled(torch.optim.SGD.step))


def make_optimizer(model: nn.Module, recipe: Recipe, num_steps: int):
    """Return Nesterov's stochastic gradient descent and its schedule, to be stepped once a batch (lesson 4).

    Returns
    -------
    optimizer : torch.optim.SGD
    scheduler : torch.optim.lr_scheduler.LambdaLR
    """
    optimizer = _QuickSGD(
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
