"""The frame of an explorer in plain JavaScript: style, script and settings inside one cell's output.

It needs no kernel, no network and no module loader, so it is the same in the notebook, in Colab and in a page that
is opened from a folder.
"""

import html
import json
import re
from collections.abc import Sequence
from importlib.resources import files

WAITING = "This explorer needs JavaScript. In a notebook, run the cell to see it."


def inline(name: str, settings: dict, *, parts: Sequence[str] = (), still: str = "") -> str:
    """Return the HTML of an explorer (lesson 1).

    Parameters
    ----------
    name : str
        The files ``{name}.css`` and ``{name}.js`` of this folder. The script looks for the elements of class
        ``{name}-explorer`` that lack ``data-ready``, reads their ``data-settings`` (JSON) and sets ``data-ready``.
    settings : dict
        What the explorer opens with.
    parts : sequence of str, optional
        Scripts of this folder that run before ``{name}.js``, without their ending.
    still : str, optional
        HTML that a reader without JavaScript sees above the sentence that says so.

    Returns
    -------
    str
        One style, one element and one script, with nothing to fetch.
    """
    folder = files("envnet_tutorial.explorers")
    style = folder.joinpath(f"{name}.css").read_text("utf-8")
    script = "\n".join(folder.joinpath(f"{part}.js").read_text("utf-8") for part in (*parts, name))
    stored = html.escape(json.dumps(settings), quote=True)
    return (
        f'<style>{style}</style><div class="{name}-explorer" data-settings="{stored}">{still}<p>{WAITING}</p></div>'
        f"<script>{script}</script>"
    )


def squeezed(page: str) -> str:
    """Take indentation out of an explorer's scripts and styles, and line ends where nothing can end but a line.

    A notebook spends a dozen bytes on each line of an output, and lesson 5 holds several explorers. Behind ``{``, ``,``
    and ``(`` or ``;`` a line end means nothing, unless a comment ends with it.
    """
    return re.sub(r"^((?!.*//).*[{,(;])\n", r"\1", re.sub(r"\n\s+", "\n", page), flags=re.MULTILINE)
