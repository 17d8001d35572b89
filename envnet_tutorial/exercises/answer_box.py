"""A box below a cell in which a page without a kernel takes the answer, and judges it as the cell would.

The page gets the question as Python declares it; ``answer_box.js`` reads what is typed and follows the same order.
Without a script no box is shown.
"""

import html
import json
import re

from envnet_tutorial.exercises.export import to_json

#: A cell that asks: ``name = ...``, perhaps with a comment, and its check. Nothing else, so no solution.
ASKING = re.compile(r"(\w+) = \.\.\.(?:  #.*)?\n+(\w+)\.(check_\w+)\(\1\)")


def answer_box(source: str) -> str:
    """Return the box for a cell that asks for an answer which a page can judge, and nothing for any other (lesson 1).

    Parameters
    ----------
    source : str
        The cell's code. Its check has to be that of a declared question: a function cannot be typed into a page.

    Returns
    -------
    str
        HTML of a box that needs the style and the script of ``answer_box`` somewhere behind it, or "".
    """
    asking = ASKING.fullmatch(source.strip())
    content = to_json()
    question = asking and content["lessons"].get(asking[2], {}).get(asking[3])
    if not question:
        return ""
    data = {
        "key": f"{asking[2]}.{asking[3]}",
        "variable": asking[1],
        "question": question,
        "malformed": content["malformed"],
    }
    return f'<div class="answer-box" hidden data-box="{html.escape(json.dumps(data), quote=True)}"></div>'
