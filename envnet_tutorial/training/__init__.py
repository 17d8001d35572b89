"""Train and test networks (lesson 4): `fit`, `predict`, `evaluate`, `k_fold`, and the recipes they follow.

Read `recipe` (what is decided), `batches` (what a step sees), `loop` (the step), `evaluation` (the test), `folds`.
"""

from envnet_tutorial.training.evaluation import Evaluation, average_windows, confusion_matrix, evaluate, predict
from envnet_tutorial.training.folds import FoldResult, build_model, k_fold, train_fold
from envnet_tutorial.training.history import History
from envnet_tutorial.training.live import Outlook, checkpoint_file, live_recipe, outlook
from envnet_tutorial.training.loop import fit, kl_loss, train_epoch
from envnet_tutorial.training.optimizer import make_optimizer
from envnet_tutorial.training.recipe import FAST, LESSON, PAPER, PRESETS, SHORT, Preparation, Recipe
from envnet_tutorial.training.state import TrainingState, TrainingStopped

__all__ = [
    "FAST",
    "LESSON",
    "PAPER",
    "PRESETS",
    "SHORT",
    "Evaluation",
    "FoldResult",
    "History",
    "Outlook",
    "Preparation",
    "Recipe",
    "TrainingState",
    "TrainingStopped",
    "average_windows",
    "build_model",
    "checkpoint_file",
    "confusion_matrix",
    "evaluate",
    "fit",
    "k_fold",
    "kl_loss",
    "live_recipe",
    "make_optimizer",
    "outlook",
    "predict",
    "train_epoch",
    "train_fold",
]
