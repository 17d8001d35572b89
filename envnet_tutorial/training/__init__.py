"""Train and test networks (lesson 4): `fit`, `evaluate`, `k_fold`, and the recipes they follow.

Read `recipe` (what is decided), `batches` (what a step sees), `loop` (the step), `evaluation` (the test), `folds`.
"""

from envnet_tutorial.training.evaluation import Evaluation, average_windows, confusion_matrix, evaluate
from envnet_tutorial.training.folds import FoldResult, build_model, k_fold
from envnet_tutorial.training.loop import fit, kl_loss, train_epoch
from envnet_tutorial.training.recipe import FAST, LESSON, PAPER, PRESETS, SHORT, Preparation, Recipe
from envnet_tutorial.training.run import History, Run, TrainingStopped, make_optimizer, steps_per_epoch

__all__ = [
    "FAST",
    "LESSON",
    "PAPER",
    "PRESETS",
    "SHORT",
    "Evaluation",
    "FoldResult",
    "History",
    "Preparation",
    "Recipe",
    "Run",
    "TrainingStopped",
    "average_windows",
    "build_model",
    "confusion_matrix",
    "evaluate",
    "fit",
    "k_fold",
    "kl_loss",
    "make_optimizer",
    "steps_per_epoch",
    "train_epoch",
]
