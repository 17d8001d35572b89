"""Recipes and schedules: the paper's numbers, torch's one-cycle schedule, wrong settings refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from envnet_tutorial.errors import InputError
from envnet_tutorial.training.recipe import FAST, PAPER, SHORT

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_paper_recipe_is_the_papers():
    assert (PAPER.epochs, PAPER.between_class().epochs, PAPER.batch_size) == (600, 1_200, 64)
    assert (PAPER.learning_rate, PAPER.momentum, PAPER.weight_decay) == (0.01, 0.9, 5e-4)
    rates = [PAPER.learning_rate_at(epoch / 600) for epoch in (0, 299, 300, 449, 450, 599)]
    np.testing.assert_allclose(rates, [1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4])
    assert (PAPER.strong().max_scale, PAPER.strong().max_gain_db) == (1.25, 6)


@pytest.mark.parametrize("recipe", [SHORT, FAST], ids=lambda recipe: recipe.name)
def test_one_cycle_agrees_with_torchs(recipe):
    steps = 2_000
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=steps, pct_start=recipe.warmup, cycle_momentum=False
    )
    ours, theirs = [], []
    for step in range(steps):
        ours.append(recipe.learning_rate_at(step / steps))
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < steps - 1:
            scheduler.step()
    np.testing.assert_allclose(ours, theirs, atol=0.015 * recipe.learning_rate)  # they count to steps - 1


def test_a_wrong_recipe_is_refused():
    for field, value in {
        "schedule": "cosine",
        "mix": "mixup",
        "precision": "half",
        "epochs": 0,
        "label_smoothing": 1,
        "batch_size": 2.5,
        "compression_ratio": 0.5,
        "learning_rate": 0,
        "warmup": 1,
        "momentum": 0,
        "weight_decay": -1e-4,
        "milestones": (75, 90),
        "max_scale": 0.8,
        "max_gain_db": float("inf"),
    }.items():
        with pytest.raises(InputError, match=field):
            replace(FAST, **{field: value})
    with pytest.raises(InputError, match="compression_ratio"):
        replace(FAST, compression_ratio=float("nan"))
