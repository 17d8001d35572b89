"""What the server of `forked` imports: all that takes time, on one thread."""

import torch
import torch._dynamo  # an optimiser imports it at its first step, which takes seconds

from envnet_tutorial import run_folder, training  # noqa: F401
from envnet_tutorial.__main__ import main  # noqa: F401

torch.set_num_threads(1)
