"""The README's moving picture shows the recorded film, from before the training to its end."""

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


def test_main_draws_what_is_committed_from_the_same_frames(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(film, "ROOT", tmp_path)
    monkeypatch.setattr(film, "PICTURE", tmp_path / "film.gif")
    monkeypatch.setattr(film, "FRAMES", 2)
    film.main()
    assert "film.gif" in capsys.readouterr().out
    with Image.open(film.PICTURE) as drawn:
        assert drawn.size == (540, 306)
