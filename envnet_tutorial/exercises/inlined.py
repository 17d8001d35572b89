"""Style and script of something to answer, inside one piece of HTML: nothing to fetch, so it works from a folder."""

from importlib.resources import files


def style_and_script(name: str) -> str:
    """Return the files ``{name}.css`` and ``{name}.js`` of this folder as one style and one script (lesson 1).

    The script may stand in a page many times: it looks for elements that lack ``data-ready``, and sets that.
    """
    folder = files("envnet_tutorial.exercises")
    style, script = (folder.joinpath(f"{name}.{kind}").read_text("utf-8") for kind in ("css", "js"))
    return f"<style>{style}</style><script>{script}</script>"
