"""The spectrogram explorer, driven in a browser and held against torch.stft."""

import base64
import io
import re
from itertools import product

import numpy as np
import pytest
import torch
from browsing import (
    NEEDS_BROWSER,
    PUT,
    assert_welcome_on_a_phone,
    busy,
    emulated,
    open_browser,
    page,
    without_javascript,
)
from matplotlib import colormaps
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from envnet_tutorial.audio import to_int16
from envnet_tutorial.explorers.spectrogram import OVERLAPS, STILL_FRAMES, WINDOWS, SpectrogramExplorer
from envnet_tutorial.plotting.pictures import COLOURS
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate
SETTINGS = [
    (sound, *rest)
    for sound, rest in product((0, 1), product(range(len(WINDOWS)), range(len(OVERLAPS)), ("hann", "rectangular")))
]

# Moves the controls as a hand does and reads what the explorer has computed, written and drawn.
READ = (
    PUT
    + """
const root = document.querySelector(".spectrogram-explorer"), [settings, pixels] = arguments;
return settings.map((values) => {
  ["sound", "window", "overlap", "shape", "floor"].slice(0, values.length)
    .forEach((name, i) => put(root, {[name]: values[i]}));
  const {levels, bins, frames} = root.result, canvas = root.querySelector("canvas");
  const context = canvas.getContext("2d");
  return {levels: Array.from(levels, (x) => Math.round(x * 1000) / 1000), bins, frames,
    facts: root.querySelector(".facts").textContent, label: canvas.getAttribute("aria-label"),
    outputs: [...root.querySelectorAll("output")].map((o) => o.textContent),
    pixels: (pixels || []).map(([x, y]) => Array.from(context.getImageData(x, y, 1, 1).data))};
});
"""
)


@pytest.fixture(scope="module")
def sounds():
    generator = torch.Generator().manual_seed(5)
    seconds = torch.arange(4_800) / RATE
    tones = 0.5 * torch.sin(2 * torch.pi * 1000 * seconds) + 0.05 * torch.sin(2 * torch.pi * 5000 * seconds)
    return {"tones": tones, "noise": 0.2 * torch.randn(3_000, generator=generator).clamp(-3, 3)}


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


@pytest.fixture
def opened(browser, sounds, tmp_path):
    browser.get(page(tmp_path, SpectrogramExplorer(sounds, RATE)._repr_html_()))
    return browser


def expected_levels(samples, length, overlap, shape):
    """Compute the same levels by torch.stft in double precision, shape (frame, bin)."""
    stored = torch.from_numpy(to_int16(samples)).to(torch.float64) / 32_768
    make = torch.hann_window if shape == "hann" else torch.ones
    window = make(length, dtype=torch.float64)
    hop = round(length * (1 - overlap))
    spectrum = torch.stft(stored, length, hop, length, window, center=False, return_complex=True)
    return 20 * torch.log10(spectrum.abs() * 2 / window.sum()).clamp(min=-10).T


class TestInBrowser:
    pytestmark = NEEDS_BROWSER

    def test_levels_are_those_of_torch(self, opened, sounds):
        found = opened.execute_script(READ, SETTINGS, [])
        for (sound, window, overlap, shape), shown in zip(SETTINGS, found, strict=True):
            samples = list(sounds.values())[sound]
            expected = expected_levels(samples, WINDOWS[window], OVERLAPS[overlap], shape).numpy()
            levels = np.reshape(shown["levels"], (shown["frames"], shown["bins"]))
            assert levels.shape == expected.shape
            heard = levels > -150  # below, both are rounding noise
            np.testing.assert_allclose(levels[heard], expected[heard], atol=2e-3)

    def test_the_picture_has_the_colour_of_the_level_at_its_place(self, opened):
        window, hop, floor, width, height = 256, 64, -80, 720, 300
        places = [
            (width // 2, height - 1 - height // 8),
            (width // 2, height // 2),
            (width // 2, height * 3 // 8),
            (1, 1),
        ]
        (shown,) = opened.execute_script(READ, [[0, WINDOWS.index(window), 2, "hann", floor]], places)
        levels = np.reshape(shown["levels"], (shown["frames"], shown["bins"]))
        palette = colormaps["magma"](np.linspace(0, 1, COLOURS), bytes=True)
        for (x, y), colour in zip(places[:3], shown["pixels"], strict=False):
            frame = round(((x + 0.5) * 4_800 / width - window / 2) / hop)
            level = levels[frame, round((1 - (y + 0.5) / height) * (shown["bins"] - 1))]
            share = min(max(1 - level / floor, 0), 1)
            np.testing.assert_allclose(colour, palette[round(share * (COLOURS - 1))], atol=1)
        assert shown["pixels"][3][3] == 0, "no frame stands for the first half window, so nothing may be drawn there"
        assert max(shown["pixels"][0][:3]) > 200 > max(shown["pixels"][1][:3])

    def test_what_is_written_is_what_is_drawn(self, opened):
        (shown,) = opened.execute_script(READ, [[0, 3, 1, "hann", -60]], [])
        assert shown["outputs"] == ["256 samples, 16 ms", "50\N{NO-BREAK SPACE}%", "\N{MINUS SIGN}60 dB"]
        frames = (4_800 - 256) // 128 + 1
        assert f"62.5 Hz apart, frames 8 ms: 129 bins \N{MULTIPLICATION SIGN} {frames} frames" in shown["facts"]
        assert shown["label"].startswith("Spectrogram of tones.")

    def test_arrow_keys_move_a_control(self, opened):
        slider = opened.find_element(By.NAME, "window")
        slider.send_keys(Keys.ARROW_RIGHT)
        assert opened.execute_script("return document.querySelector('output').textContent") == "512 samples, 32 ms"
        assert slider.get_attribute("aria-valuetext") == "512 samples, 32 ms"

    def test_it_follows_a_hand(self, browser, tmp_path):
        sound = 0.1 * torch.randn(32_000, generator=torch.Generator().manual_seed(0)).clamp(-3, 3)
        browser.get(page(tmp_path, SpectrogramExplorer({"two seconds": sound}, RATE)._repr_html_()))
        change = PUT + "window.turn = 1 - (window.turn || 0); put(document.querySelector('.spectrogram-explorer'), "
        assert busy(browser, change + "{window: 2 + window.turn});") < 16
        assert busy(browser, change + "{floor: -60 - 10 * window.turn});") < 16
        assert busy(browser, change + "{window: 5 * window.turn, overlap: 3});") < 100

    def test_the_button_plays_every_sample_at_the_rate(self, opened, sounds):
        opened.execute_script("""
            window.AudioContext = class {
              createBuffer(channels, length, rate) { this.rate = rate; const data = new Float32Array(length);
                window.heard = {channels, rate, data}; return {getChannelData: () => data}; }
              createBufferSource() { return {connect() {}, start() { window.heard.started = true; }, stop() {}}; }
              resume() {}
            };""")
        opened.find_element(By.TAG_NAME, "button").click()
        heard = opened.execute_script("return {...window.heard, data: Array.from(window.heard.data)}")
        assert (heard["channels"], heard["rate"], heard["started"]) == (1, RATE, True)
        np.testing.assert_array_equal(heard["data"], to_int16(sounds["tones"]) / 32_768)

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_is_accessible_fits_a_phone_and_asks_for_nothing(self, browser, sounds, tmp_path, theme):
        assert_welcome_on_a_phone(browser, SpectrogramExplorer(sounds, RATE)._repr_html_(), tmp_path, theme)

    def test_on_paper_and_without_javascript_there_is_a_picture(self, opened, sounds, tmp_path):
        with emulated(opened, medium="print"):
            assert not opened.find_element(By.NAME, "window").is_displayed()
            assert "256 samples, 16 ms" in opened.find_element(By.TAG_NAME, "fieldset").text
            assert opened.find_element(By.TAG_NAME, "canvas").is_displayed()
        text = without_javascript(opened, page(tmp_path, SpectrogramExplorer(sounds, RATE)._repr_html_()))
        assert text.startswith("Spectrogram of tones, frames of 16 ms: time to the right, up to 8 kHz upwards")


@pytest.mark.parametrize(
    "settings", [(256, 0.75, "hann", -80), (64, 0.0, "rectangular", -40), (64, 0.875, "hann", -60)]
)
def test_the_still_has_the_levels_of_torch(sounds, settings):
    window, overlap, shape, floor = settings
    page = SpectrogramExplorer({"tones": sounds["tones"]}, RATE, *settings)._repr_html_()
    content = base64.b64decode(re.search(r"data:image/png;base64,([^\"]+)", page)[1])
    drawn = np.array(Image.open(io.BytesIO(content)).convert("RGB"))[::-1]  # (bin, frame, channel)
    levels = expected_levels(sounds["tones"], window, overlap, shape).T.numpy()
    levels = levels[:, :: -(-levels.shape[1] // STILL_FRAMES)]
    assert drawn.shape == (*levels.shape, 3)
    bright = np.clip(1 - levels / floor, 0, 1)
    colours = colormaps["magma"](np.linspace(0, 1, 256), bytes=True)[:, :3].astype(float)
    meant = np.abs(drawn[..., None, :] - colours).sum(axis=-1).argmin(axis=-1) / 255
    assert np.abs(meant - bright).max() < 0.5 / 12 + 0.5 / 63 + 0.02


def test_what_it_cannot_show_is_refused(sounds):
    for wrong in ({"window": 100}, {"overlap": 0.9}, {"shape": "hamming"}, {"floor": -75}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be one of"):
            SpectrogramExplorer(sounds, RATE, **wrong)
    for none in ({}, {"short": torch.zeros(100)}, {"long": torch.zeros(70_000)}):
        with pytest.raises(ValueError, match="give one or more sounds"):
            SpectrogramExplorer(none, RATE)


def test_its_text_never_changes(sounds):
    assert repr(SpectrogramExplorer(sounds, RATE)) == "SpectrogramExplorer(tones, noise)"
    assert SpectrogramExplorer(sounds, RATE)._repr_html_() == SpectrogramExplorer(sounds, RATE)._repr_html_()
