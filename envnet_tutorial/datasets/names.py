"""The sets that go by a name, and which of them is meant (lesson 4)."""

import os
from pathlib import Path

#: How many classes and folds each has.
NAMED = {"synthetic": (10, 5), "esc10": (10, 5), "esc50": (50, 5), "urbansound8k": (10, 10)}


def asked_for(data: str | Path | None) -> str:
    """Return the data set that is asked for: as given, or what ``ENVNET_DATA`` names, or ``"synthetic"``."""
    return str(data or os.environ.get("ENVNET_DATA") or "synthetic")


def set_name(data: str | Path) -> str | None:
    """Return which of the sets in `NAMED` is meant, ``"esc10"`` for ``"ESC-10"``; None for the path of a folder.

    A folder goes before a name that is written in another way than the set's own.
    """
    name = str(data).replace("-", "").lower()
    return name if name in NAMED and (name == str(data) or not Path(data).is_dir()) else None
