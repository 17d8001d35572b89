"""The moving pictures of README and front page show the recorded film, from before the training to its end."""

import numpy as np
from PIL import Image

from envnet_tutorial.results import load_result, views
from scripts import film
from scripts.repository import ROOT


def test_the_frames_run_from_the_first_step_to_the_last():
    matrices, steps, frequencies = film.frames()
    recorded = views.film(load_result("esc50-fast"))
    assert (steps[0], steps[-1]) == (0, recorded.steps[-1]) and len(steps) == film.FRAMES == len(matrices)
    assert matrices.shape[1:] == (40, len(frequencies)) and matrices.min() >= 0 and matrices.max() <= 1
    answering = matrices[-1].max(axis=1) > 0
    assert answering.sum() > 30
    assert (np.diff(matrices[-1][answering].argmax(axis=1)) >= 0).all()  # sorted by the last
    assert not (np.diff(matrices[0][answering].argmax(axis=1)) >= 0).all()


def test_the_readme_shows_it_and_it_is_of_a_size_for_a_page():
    assert f"]({film.PICTURE.relative_to(ROOT).as_posix()})" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert film.PICTURE.stat().st_size < 600_000
    with Image.open(film.PICTURE) as picture:
        assert picture.n_frames == film.FRAMES and picture.info["loop"] == 0
        first = picture.info["duration"]
        picture.seek(film.FRAMES - 1)  # Pillow joins equal frames: the wait at the end is one long frame
        assert picture.info["duration"] > 5 * first


def test_the_front_page_shows_the_same_frames_once_and_nothing_that_moves_to_whom_that_disturbs():
    page = (ROOT / "book" / "intro.md").read_text(encoding="utf-8")
    moving, still = (f'"../_static/{path.name}"' for path in (film.LEARNING, film.LEARNED))
    assert f'<source srcset={moving} media="(prefers-reduced-motion: no-preference)">' in page
    assert f"<img src={still}" in page
    drawn = [np.asarray(frame.convert("RGB")) for frame in film.opening()]
    with Image.open(film.LEARNING) as picture, Image.open(film.LEARNED) as last:
        assert "loop" not in picture.info and picture.size == last.size == (96 * film.ZOOM, 40 * film.ZOOM)
        shown, lasts = [], 0
        for number in range(picture.n_frames):
            picture.seek(number)
            shown.append(np.asarray(picture.convert("RGB")))
            lasts += picture.info["duration"]
        assert lasts < 5000  # ms: longer, and a page must offer to stop it
        np.testing.assert_array_equal(shown[0], drawn[0])
        np.testing.assert_array_equal(shown[-1], drawn[-1])
        np.testing.assert_array_equal(np.asarray(last.convert("RGB")), drawn[-1])


def test_main_draws_what_is_committed_from_the_same_frames(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(film, "ROOT", tmp_path)
    for picture in ("PICTURE", "LEARNING", "LEARNED"):
        monkeypatch.setattr(film, picture, tmp_path / getattr(film, picture).name)
    monkeypatch.setattr(film, "FRAMES", 2)
    film.main()
    said = capsys.readouterr().out
    assert all(name in said for name in ("film.gif", "film_learning.gif", "film_learned.png"))
    with Image.open(film.PICTURE) as drawn:
        assert drawn.size == (540, 306)
