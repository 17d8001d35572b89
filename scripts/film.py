"""Draw what the 40 filters answer to pure tones while EnvNet trains on ESC-50: two moving pictures and a still.

Run as ``python -m scripts.film`` when the result ``esc50-fast`` has changed; it writes ``film.gif`` for the README, and
for the front page ``film_learning.gif`` and, for readers who want nothing to move, ``film_learned.png``.
"""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from PIL import Image

from envnet_tutorial import probing
from envnet_tutorial.plotting import filters, use_book_style
from envnet_tutorial.plotting.pictures import indexed
from envnet_tutorial.results import load_result, views
from scripts.repository import ROOT

PICTURE = ROOT / "book" / "_static" / "film.gif"
LEARNING = PICTURE.with_name("film_learning.gif")
LEARNED = PICTURE.with_name("film_learned.png")
#: Pixels for a number on the front page.
ZOOM = 4
#: Frames of the picture, how many a second, and how often the last one is repeated, to be looked at.
FRAMES, FRAMES_PER_SECOND, LAST = 24, 6, 8


def frames() -> tuple[np.ndarray, list[int], np.ndarray]:
    """Return what is drawn.

    Returns
    -------
    matrices : ndarray, shape (frame, filter, frequency)
        Responses, each filter's from 0 to 1, in the order of the last frame.
    steps : list of int
        Of the training, one a frame.
    frequencies : ndarray, shape (frequency,)
        In Hz.
    """
    film = views.film(load_result("esc50-fast"))
    order = probing.sort_by_centre(film.responses[-1], film.frequencies)
    shown = np.linspace(0, len(film.steps) - 1, FRAMES).round().astype(int)
    matrices = [probing.unit_range(film.responses[i].float())[order].numpy() for i in shown]
    return np.stack(matrices), [film.steps[i] for i in shown], film.frequencies.numpy()


def animation() -> FuncAnimation:
    """Draw the frames one after the other, the last one for longer."""
    use_book_style()
    matrices, steps, frequencies = frames()
    figure, ax = plt.subplots(figsize=(6, 3.4), dpi=90)

    def draw(frame: int) -> list:
        ax.clear()
        now = min(frame, FRAMES - 1)
        filters.plot_response_matrix(matrices[now], frequencies, colorbar=False, ax=ax)
        ax.set(title=f"training on ESC-50, step {steps[now]:,}", ylabel="filter, sorted by the last step")
        return [ax]

    return FuncAnimation(figure, draw, frames=FRAMES + LAST)


def opening() -> list[Image.Image]:
    """Return the frames of the front page: the matrices alone, so that the words beside them are the page's own."""
    matrices, _, _ = frames()
    pictures = [indexed(matrix) for matrix in matrices]
    return [picture.resize((ZOOM * picture.width, ZOOM * picture.height)) for picture in pictures]


def main() -> None:
    """Write the pictures."""
    animation().save(PICTURE, writer=PillowWriter(fps=FRAMES_PER_SECOND))
    plt.close("all")
    # Without `loop` it runs once, for less than the five seconds after which a page must offer to stop what moves.
    first, *others = opening()
    first.save(LEARNING, save_all=True, append_images=others, duration=1000 // FRAMES_PER_SECOND)
    others[-1].save(LEARNED)
    for path in (PICTURE, LEARNING, LEARNED):
        print(f"wrote {path.relative_to(ROOT)}, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
