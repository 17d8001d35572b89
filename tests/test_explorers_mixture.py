"""The mixture under a slider, driven in a browser and held against `augment.mix`."""

import json

import numpy as np
import pytest
import torch
from browsing import AXE, NEEDS_BROWSER, open_browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from envnet_tutorial import augment
from envnet_tutorial.audio import to_int16
from envnet_tutorial.explorers.mixture import MixtureExplorer
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate

MOVE = """
const root = document.querySelector(".mixture-explorer"), [ratio, corrected] = arguments;
const slider = root.querySelector("[name=ratio]"), box = root.querySelector("[name=levels]");
slider.value = ratio; slider.dispatchEvent(new Event("input", {bubbles: true}));
if (box.checked !== corrected) box.click();
const width = (span) => span.getBoundingClientRect().width;
const shares = [...root.querySelectorAll("dd")].map((bar) => {
  const [first, second] = bar.children; return width(first) / (width(first) + width(second)); });
return {gains: JSON.parse(root.getAttribute("data-gains")), shares, text: slider.getAttribute("aria-valuetext")};
"""
FAKE_SPEAKERS = """
window.heard = [];
window.AudioContext = class {
  createBuffer(channels, length, rate) { const data = new Float32Array(length);
    return {channels, rate, data, getChannelData: () => data}; }
  createBufferSource() { const source = {connect(gain) { source.through = gain; },
    start() { window.heard.push(source); }, stop() { source.stopped = true; }}; return source; }
  createGain() { return {gain: {value: 1}, connect() {}}; }
  resume() {}
};"""
READ_SPEAKERS = """
return window.heard.map((s) => ({data: Array.from(s.buffer.data), rate: s.buffer.rate, loop: s.loop,
  gain: s.through.gain.value, stopped: Boolean(s.stopped)}));"""


@pytest.fixture(scope="module")
def sounds():
    quiet, loud = 0.02 * torch.randn(2, 6_000, generator=torch.Generator().manual_seed(1))
    return quiet, 8 * loud


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


def page(folder, sounds, theme="light"):
    explorer = MixtureExplorer(*sounds, ("whisper", "shout"), RATE)
    path = folder / f"mixture-{theme}.html"
    path.write_text(
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Explorer</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f'<body style="{"background: #14181e; color: #fff" if theme == "dark" else ""}"><main><h1>E</h1>'
        f"{explorer._repr_html_()}</main></body></html>",
        encoding="utf-8",
    )
    return path.as_uri()


@pytest.fixture
def opened(browser, sounds, tmp_path):
    browser.get(page(tmp_path, sounds))
    return browser


class TestInBrowser:
    pytestmark = NEEDS_BROWSER

    @pytest.mark.parametrize("percent", [0, 17, 50, 90, 100])
    def test_the_gains_are_those_of_the_mixing(self, opened, sounds, percent):
        first, second = sounds
        mixed = augment.mix(first[None], second[None], torch.tensor([percent / 100]), RATE)[0]
        expected, *_ = np.linalg.lstsq(torch.stack([first, second], dim=1).numpy(), mixed.numpy(), rcond=None)
        shown = opened.execute_script(MOVE, percent, True)
        np.testing.assert_allclose(shown["gains"], expected, atol=1e-4)
        share = expected[0] / expected.sum()
        np.testing.assert_allclose(shown["shares"], [percent / 100, share, percent / 100], atol=0.01)
        assert shown["text"].startswith(
            f"{percent}\N{NO-BREAK SPACE}% in the label, {round(100 * share)}\N{NO-BREAK SPACE}% of the amplitude"
        )

    def test_without_the_correction_the_quiet_sound_is_hardly_heard(self, opened, sounds):
        shown = opened.execute_script(MOVE, 50, False)
        np.testing.assert_allclose(shown["gains"], [0.5**0.5] * 2, atol=1e-12)
        first_db, second_db = MixtureExplorer(*sounds, ("a", "b"), RATE).levels()
        heard = 10 ** (first_db / 20) / (10 ** (first_db / 20) + 10 ** (second_db / 20))
        np.testing.assert_allclose(shown["shares"], [0.5, 0.5, heard], atol=0.01)
        assert heard < 0.2

    def test_both_sounds_play_in_a_loop_follow_the_slider_and_stop(self, opened, sounds):
        opened.execute_script(FAKE_SPEAKERS)
        button = opened.find_element(By.TAG_NAME, "button")
        assert opened.execute_script(READ_SPEAKERS) == []
        button.click()
        gains = opened.execute_script(MOVE, 30, True)["gains"]
        heard = opened.execute_script(READ_SPEAKERS)
        for source, sound, gain in zip(heard, sounds, gains, strict=True):
            np.testing.assert_array_equal(source["data"], to_int16(sound) / 32_768)
            assert (source["rate"], source["loop"], source["gain"], source["stopped"]) == (RATE, True, gain, False)
        assert button.text == "Stop"
        button.click()
        assert [source["stopped"] for source in opened.execute_script(READ_SPEAKERS)] == [True, True]

    def test_arrow_keys_move_the_slider(self, opened):
        slider = opened.find_element(By.NAME, "ratio")
        slider.send_keys(Keys.ARROW_RIGHT)
        assert slider.get_attribute("aria-valuetext").startswith("51\N{NO-BREAK SPACE}% in the label")

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_is_accessible_fits_a_phone_and_stays_silent_in_the_console(self, browser, sounds, tmp_path, theme):
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        )
        browser.get_log("browser")
        browser.get(page(tmp_path, sounds, theme))
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
        browser.execute_script(AXE.read_text(encoding="utf-8"))
        found = browser.execute_async_script(
            "axe.run().then((r) => arguments[0](r.violations.map((v) => [v.id, v.help])))"
        )
        assert found == []
        assert browser.get_log("browser") == []


def test_what_it_cannot_mix_is_refused(sounds):
    first, second = sounds
    for pair in ((first, second[:-1]), (first[None], second[None]), (torch.zeros(70_000), torch.zeros(70_000))):
        with pytest.raises(ValueError, match="two sounds of one length"):
            MixtureExplorer(*pair, ("a", "b"), RATE)
    with pytest.raises(ValueError, match="percentage"):
        MixtureExplorer(first, second, ("a", "b"), RATE, ratio=101)
    with pytest.raises(ValueError, match="2,048"):
        MixtureExplorer(first[:100], second[:100], ("a", "b"), RATE)


def test_its_settings_hold_both_sounds_and_its_text_never_changes(sounds):
    explorer = MixtureExplorer(*sounds, ("tick & tock", "rain"), RATE)
    assert repr(explorer) == "MixtureExplorer(tick & tock, rain)"
    assert json.dumps("tick & tock").replace("&", "&amp;").replace('"', "&quot;") in explorer._repr_html_()
