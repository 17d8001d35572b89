"""The filter bank to move, driven in a browser and held against torchaudio's banks and the book's own feature."""

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
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from envnet_tutorial import audio
from envnet_tutorial.audio.spectrograms import FLOOR, log_mel
from envnet_tutorial.datasets.synthetic import example
from envnet_tutorial.explorers.melbank import APART, MAX_BANDS, RANGE, MelBankExplorer
from envnet_tutorial.plotting.pictures import COLOURS
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate
HOP, WINDOW, FOURIER = 160, 400, 512
SETTINGS = list(product((1, 7, 40, MAX_BANDS), ("mel", "hertz"), ((0, 8000), (300, 3400), (7500, 8000))))
READ = (
    PUT
    + """
const root = document.querySelector(".melbank-explorer");
return arguments[0].map(([bands, spacing, [lowest, highest]]) => {
  put(root, {lowest: 0, highest: 8000});
  put(root, {bands, spacing, lowest, highest});
  const {levels, frames} = root.result;
  return {levels: Array.from(levels), frames, facts: root.querySelector(".facts").textContent,
    triangles: root.result.bands.map((band) => ({...band}))};
});
"""
)


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def crowing():
    clip, rate = example("rooster", seed=1)
    return audio.resample(clip, rate, RATE)[0, RATE // 2 : 2 * RATE]


@pytest.fixture(scope="module")
def noise():
    return 0.2 * torch.randn(6_000, generator=torch.Generator().manual_seed(6)).clamp(-3, 3)


def expected_bank(bands, spacing, ends):
    """Ask torchaudio for the triangles, in double precision as far as it computes in it; shape (bin, band)."""
    functional = pytest.importorskip("torchaudio.functional")
    make = functional.melscale_fbanks if spacing == "mel" else functional.linear_fbanks
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return make(FOURIER // 2 + 1, *map(float, ends), bands, RATE)
    finally:
        torch.set_default_dtype(before)


def expected_levels(samples, bank):
    """Compute the levels with torch.stft in double precision; shape (band, frame)."""
    stored = torch.from_numpy(audio.to_int16(samples)).double() / 32_768
    early = (FOURIER - HOP) // 2
    padded = torch.nn.functional.pad(stored, (early, FOURIER))
    bell = torch.hann_window(WINDOW, dtype=torch.float64)
    spectrum = torch.stft(padded, FOURIER, HOP, WINDOW, bell, center=False, return_complex=True)
    power = spectrum.abs().square()[:, : len(samples) // HOP] / (bell.sum() / 2) ** 2
    return 10 * (bank.T @ power).clamp(min=10 ** (FLOOR / 10)).log10()


class TestInBrowser:
    pytestmark = NEEDS_BROWSER

    @pytest.mark.filterwarnings("ignore:At least one mel filterbank:UserWarning")  # wanted: the page says so too
    @pytest.mark.parametrize("sound", ["crowing", "noise"])
    def test_triangles_are_those_of_torchaudio_and_levels_those_of_torch(self, browser, sound, request, tmp_path):
        samples = request.getfixturevalue(sound)
        browser.get(page(tmp_path, MelBankExplorer(samples, RATE, sound)._repr_html_()))
        for setting, shown in zip(SETTINGS, browser.execute_script(READ, SETTINGS), strict=True):
            bank = expected_bank(*setting)
            triangles = torch.zeros_like(bank)
            for band, triangle in enumerate(shown["triangles"]):
                first, weights = triangle["first"] or 0, triangle["weights"]
                triangles[first : first + len(weights), band] = torch.tensor(weights, dtype=torch.float64)
            np.testing.assert_allclose(triangles, bank, atol=1e-4, err_msg=str(setting))
            levels = np.reshape(shown["levels"], (setting[0], shown["frames"]))
            np.testing.assert_allclose(levels, expected_levels(samples, triangles), atol=1e-4, err_msg=str(setting))
            empty = int((bank.sum(dim=0) == 0).sum())
            assert (f": {empty} band" in shown["facts"]) == bool(empty)
            assert f"{setting[0]} \N{MULTIPLICATION SIGN} {len(samples) // HOP} = " in shown["facts"]

    def test_it_opens_with_the_feature_of_the_book(self, browser, crowing, tmp_path):
        browser.get(page(tmp_path, MelBankExplorer(crowing, RATE, "crowing")._repr_html_()))
        shown = browser.execute_script("return Array.from(document.querySelector('.melbank-explorer').result.levels)")
        stored = torch.from_numpy(audio.to_int16(crowing)).double() / 32_768
        np.testing.assert_allclose(np.reshape(shown, (40, 150)), log_mel(stored.float(), RATE), atol=2e-3)

    def test_the_picture_has_the_colours_of_the_levels_and_the_low_bands_at_the_bottom(
        self, browser, crowing, tmp_path
    ):
        browser.get(page(tmp_path, MelBankExplorer(crowing, RATE, "crowing", bands=10)._repr_html_()))
        pixels, levels = browser.execute_script("""
            const root = document.querySelector(".melbank-explorer"), canvas = root.querySelector("canvas");
            const context = canvas.getContext("2d"), width = canvas.width / 150, height = canvas.height / 10;
            const at = (band, frame) => Array.from(context.getImageData(
              (frame + 0.5) * width, canvas.height - (band + 0.5) * height, 1, 1).data);
            return [[[0, 10], [4, 70], [9, 149]].map(([b, f]) => at(b, f)), Array.from(root.result.levels)];""")
        palette = colormaps["magma"](np.linspace(0, 1, COLOURS), bytes=True)
        for (band, frame), colour in zip(((0, 10), (4, 70), (9, 149)), pixels, strict=True):
            share = min(max((levels[band * 150 + frame] - RANGE[0]) / (RANGE[1] - RANGE[0]), 0), 1)
            np.testing.assert_allclose(colour, palette[round(share * (COLOURS - 1))], atol=1)

    def test_keys_and_fingers_pick_a_band_and_the_ends_keep_apart(self, browser, crowing, tmp_path):
        browser.get(page(tmp_path, MelBankExplorer(crowing, RATE, "crowing")._repr_html_()))
        slider = browser.find_element(By.NAME, "band")
        slider.send_keys(Keys.HOME, Keys.ARROW_RIGHT)
        assert slider.get_attribute("aria-valuetext") == "band 2 of 40"
        facts = browser.find_element(By.CLASS_NAME, "facts").text
        assert facts.startswith("Band 2 of 40: 44 Hz to 142 Hz, tip at 92 Hz")
        picture = browser.find_element(By.CLASS_NAME, "picture")
        ActionChains(browser).move_to_element_with_offset(picture, 0, -picture.size["height"] // 4).click().perform()
        assert slider.get_attribute("value") in ("30", "31")
        lowest, highest = browser.find_element(By.NAME, "lowest"), browser.find_element(By.NAME, "highest")
        lowest.send_keys(Keys.END)
        assert int(lowest.get_attribute("value")) == int(highest.get_attribute("value")) - APART == RATE / 2 - APART
        highest.send_keys(Keys.HOME)
        assert (lowest.get_attribute("value"), highest.get_attribute("value")) == ("0", str(APART))

    def test_it_answers_within_a_frame(self, browser, crowing, tmp_path):
        browser.get(page(tmp_path, MelBankExplorer(crowing, RATE, "crowing")._repr_html_()))
        for values in ("{bands: 60 - i % 2}", "{lowest: 1000 + 100 * (i % 2)}"):
            assert busy(browser, PUT + f"put(document.querySelector('.melbank-explorer'), {values});") < 16

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_is_accessible_fits_a_phone_and_asks_for_nothing(self, browser, crowing, tmp_path, theme):
        assert_welcome_on_a_phone(browser, MelBankExplorer(crowing, RATE, "crowing")._repr_html_(), tmp_path, theme)

    def test_on_paper_and_without_javascript_there_is_a_picture(self, browser, crowing, tmp_path):
        address = page(tmp_path, MelBankExplorer(crowing, RATE, "crowing")._repr_html_())
        browser.get(address)
        with emulated(browser, medium="print"):
            assert not browser.find_element(By.NAME, "bands").is_displayed()
            assert browser.find_element(By.TAG_NAME, "canvas").is_displayed()
        assert without_javascript(browser, address).startswith("crowing in 40 mel bands")


def test_what_it_cannot_show_is_refused(noise):
    for length in (100, 40_000):
        with pytest.raises(ValueError, match=f"not {length}"):
            MelBankExplorer(torch.zeros(length), RATE, "silence")
    with pytest.raises(ValueError, match="bands must be from 1 to 128"):
        MelBankExplorer(noise, RATE, "noise", bands=0)
    with pytest.raises(ValueError, match="one of mel, hertz"):
        MelBankExplorer(noise, RATE, "noise", spacing="bark")


def test_its_text_never_changes(noise):
    explorer = MelBankExplorer(noise, RATE, "noise")
    assert repr(explorer) == "MelBankExplorer(noise, 40 bands, evenly spaced in mel)"
    assert explorer._repr_html_() == MelBankExplorer(noise, RATE, "noise")._repr_html_()
