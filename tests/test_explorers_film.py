"""The film of a matrix, driven in a browser: every frame shows the values that it was given."""

import re
import shutil
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from envnet_tutorial.explorers.film import COLOURS, FilterTaps, MatrixFilm
from envnet_tutorial.probing import frequency_response

needs_browser = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # selenium leaves its sockets to the collector
    pytest.mark.skipif(shutil.which("chromedriver") is None, reason="chromedriver is not installed"),
]

READ = """
const root = document.querySelector(".film-explorer"), canvas = root.querySelector("canvas");
const slider = root.querySelector("input"), frames = Number(slider.max) + 1, seen = [];
for (let i = 0; i < frames; i++) {
  slider.value = i; slider.dispatchEvent(new Event("input", {bubbles: true}));
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const text = root.querySelector("output").textContent, label = canvas.getAttribute("aria-label");
  seen.push({text, label, data: Array.from(data)});
}
return seen;
"""


def make_film(frames):
    captions = [f"step {10 * i}" for i in range(len(frames))]
    return MatrixFilm(frames, captions, [(0, "0.1"), (2, "8")], "frequency (kHz)", "filter", "Responses of filters,")


@pytest.fixture
def frames():
    return np.random.default_rng(5).random((5, 4, 3))


FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking")


@contextmanager
def chromium(*flags):
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, *flags):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def browser():
    with chromium() as driver:
        yield driver


class TestInBrowser:
    pytestmark = needs_browser

    def test_every_frame_shows_its_values(self, browser, frames, tmp_path):
        film = make_film(frames)
        page = tmp_path / "film.html"
        page.write_text(f"<!doctype html><html lang='en'><meta charset='utf-8'><body>{film._repr_html_()}", "utf-8")
        browser.get(page.as_uri())
        assert browser.execute_script("return document.querySelector('output').textContent") == "step 0"
        for i, seen in enumerate(browser.execute_script(READ)):
            assert seen["text"] == f"step {10 * i}"
            assert seen["label"] == f"Responses of filters, step {10 * i}"
            pixels = np.array(seen["data"]).reshape(4, 3, 4)[::-1, :, :3]  # row 0 at the bottom
            levels = np.round(frames[i] * (COLOURS - 1)).astype(int)
            wanted = 255 * np.array([to_rgb(colour) for colour in film.colours])[levels]
            np.testing.assert_allclose(pixels, wanted, atol=1)

    def test_play_runs_to_the_last_frame_and_stops(self, browser, frames, tmp_path):
        page = tmp_path / "film.html"
        page.write_text(f"<!doctype html><meta charset='utf-8'><body>{make_film(frames)._repr_html_()}", "utf-8")
        browser.get(page.as_uri())
        browser.set_script_timeout(20)
        texts = browser.execute_async_script("""
            const done = arguments[0], root = document.querySelector(".film-explorer"), texts = [];
            const button = root.querySelector("button"), output = root.querySelector("output");
            button.click();
            texts.push(output.textContent, button.textContent);
            const wait = setInterval(() => {
              if (button.textContent === "Play") { clearInterval(wait); texts.push(output.textContent); done(texts); }
            }, 50);
        """)
        assert texts == ["step 0", "Pause", "step 40"]

    def test_a_picked_filter_shows_its_taps_and_their_transform_without_motion(self, frames, tmp_path):
        kernels = np.random.default_rng(6).standard_normal((5, 4, 7))
        frequencies = np.array([100.0, 1500.0, 3900.0])
        film = replace(make_film(frames), taps=FilterTaps(kernels, frequencies, 8000))
        page = tmp_path / "film.html"
        page.write_text(f"<!doctype html><meta charset='utf-8'><body>{film._repr_html_()}", "utf-8")
        with chromium("--force-prefers-reduced-motion") as still:
            still.get(page.as_uri())
            words, paths = still.execute_script("""
                const root = document.querySelector(".film-explorer"), button = root.querySelector("button");
                const pick = root.querySelector("input[name=row]"), words = [button.textContent];
                button.click(); words.push(root.querySelector("output").textContent);
                button.click(); words.push(root.querySelector("output").textContent);
                pick.value = 3; pick.dispatchEvent(new Event("input", {bubbles: true}));
                const path = name => root.querySelector(name).getAttribute("d");
                return [words, ["[data-chart=taps] .weights", "[data-chart=spectrum] .dashed", "path.tones"].map(path)];
            """)
        assert words == ["Next", "step 10", "step 20"]  # one at a time
        shown = [-np.array(re.findall(r"[ML][\d.]+ ([\d.]+)", path), dtype=float) for path in paths]
        spectrum = frequency_response(torch.tensor(kernels[2, 3:4]), torch.tensor(frequencies), 8000)[0].numpy()
        for heights, values in zip(shown, (kernels[2, 3], spectrum, frames[2, 3]), strict=True):
            assert len(heights) == len(values)
            assert np.corrcoef(heights, values)[0, 1] > 0.99  # drawn to a tenth of a pixel, levels in steps


def test_taps_that_do_not_fit_the_film_are_refused(frames):
    for shape, columns in (((5, 3, 7), 3), ((4, 4, 7), 3), ((5, 4, 7), 2)):
        with pytest.raises(ValueError, match="a film of shape"):
            replace(make_film(frames), taps=FilterTaps(np.ones(shape), np.arange(columns), 8000))


@pytest.mark.parametrize(
    ("frames", "captions"),
    [
        (np.zeros((2, 3)), ["a", "b"]),
        (np.zeros((2, 3, 3)), ["a"]),
        (np.full((1, 3, 3), 1.5), ["a"]),
        (np.full((1, 3, 3), np.nan), ["a"]),
        (np.zeros((5, 400, 400)), list("abcde")),
    ],
)
def test_impossible_films_are_refused(frames, captions):
    with pytest.raises(ValueError, match=r"frames|values|cells"):
        MatrixFilm(frames, captions, [], "x", "y", "z")


def test_text_is_the_same_on_every_run(frames):
    assert repr(make_film(frames)) == "MatrixFilm(5 frames, step 0 to step 40)"
    assert make_film(frames)._repr_html_() == make_film(frames)._repr_html_()
