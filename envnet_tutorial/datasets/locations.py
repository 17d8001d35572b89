"""Where data sets and decoded caches live (lesson 1)."""

import os
import warnings
from pathlib import Path

with warnings.catch_warnings():  # in a notebook, pooch's progress bar wants ipywidgets, which nothing here needs
    warnings.filterwarnings("ignore", "IProgress not found")
    import pooch


def cache_root() -> Path:
    """Return the folder for everything that can be made again: ``ENVNET_CACHE`` or the user's own cache folder."""
    return Path(os.environ.get("ENVNET_CACHE") or pooch.os_cache("envnet-tutorial"))
