"""The mixture under a slider, driven in a browser and held against `augment.mix`."""

import json
import re

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
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from envnet_tutorial import augment
from envnet_tutorial.audio import to_int16
from envnet_tutorial.explorers.mixture import MixtureExplorer
from envnet_tutorial.explorers.stills import HIGH, WIDE
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


def shown(sounds):
    return MixtureExplorer(*sounds, ("whisper", "shout"), RATE)._repr_html_()


@pytest.fixture
def opened(browser, sounds, tmp_path):
    browser.get(page(tmp_path, shown(sounds)))
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

    def test_it_follows_a_hand(self, opened):
        change = "window.turn = 30 - (window.turn || 0); put(document.querySelector('.mixture-explorer'), "
        assert busy(opened, PUT + change + "{ratio: 40 + window.turn});") < 16

    def test_arrow_keys_move_the_slider(self, opened):
        slider = opened.find_element(By.NAME, "ratio")
        slider.send_keys(Keys.ARROW_RIGHT)
        assert slider.get_attribute("aria-valuetext").startswith("51\N{NO-BREAK SPACE}% in the label")

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_is_accessible_fits_a_phone_and_asks_for_nothing(self, browser, sounds, tmp_path, theme):
        assert_welcome_on_a_phone(browser, shown(sounds), tmp_path, theme)

    def test_on_paper_and_without_javascript_there_is_a_picture(self, opened, sounds, tmp_path):
        with emulated(opened, medium="print"):
            assert not opened.find_element(By.NAME, "ratio").is_displayed()
            assert opened.find_element(By.CLASS_NAME, "bars").is_displayed()
        text = without_javascript(opened, page(tmp_path, shown(sounds)))
        assert "Whisper and shout, and both together as loud as the label says: 50 % whisper, 50 % shout." in text


def test_the_still_shows_both_sounds_and_their_mixture_on_one_scale(sounds):
    explorer = MixtureExplorer(*sounds, ("whisper", "shout"), RATE, ratio=30)
    quieter_db, louder_db = explorer.levels()
    weights = np.array([0.3, 0.7 * 10 ** ((quieter_db - louder_db) / 20)])  # (6.4), multiplied by a constant
    mixed = weights[0] * sounds[0] + weights[1] * sounds[1]
    drawn = (*sounds, mixed / np.sqrt((weights**2).sum()))
    lines = re.findall(r'<path d="([^"]+)"', explorer._repr_html_().split("<figcaption>")[0])
    bars = [np.array(re.findall(r"M\d+ (-?\d+)V(-?\d+)", line), dtype=float) for line in lines]
    peak = max(sound.abs().max() for sound in drawn)
    for bar, sound in zip(bars, drawn, strict=True):
        spans = sound.reshape(WIDE, -1)
        expected = torch.stack([spans.amax(dim=1), spans.amin(dim=1)], dim=1) / peak
        np.testing.assert_allclose(1 - bar / (HIGH / 2), expected, atol=0.5 / (HIGH / 2) + 1e-6)


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
