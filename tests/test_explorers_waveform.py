"""The filter that slides along a sound, driven in a browser and held against PyTorch's own convolution."""

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
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from torch.nn import functional

from envnet_tutorial import audio
from envnet_tutorial.datasets.synthetic import example
from envnet_tutorial.explorers.waveform import LIMITS, WaveformExplorer, trained_filters
from envnet_tutorial.results import load_result
from envnet_tutorial.results.views import front_end
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate
SETTINGS = list(product((0, 1), (0, 1), (1, 8), (1, 3, 12), (1, 6)))
READ = (
    PUT
    + """
const root = document.querySelector(".waveform-explorer");
const samples = (kind) => [...root.querySelectorAll(kind)].map((part) => +part.dataset.sample);
return arguments[0].map(([sound, filter, taps, stride, dilation]) => {
  put(root, {sound, filter, taps, stride, dilation});
  const steps = root.result.sums.map((_, place) => {
    put(root, {place});
    return {touched: samples(".touched circle"), status: root.querySelector(".status").textContent,
      drawn: root.querySelector("path.output").getAttribute("d").split(/[ML]/).length - 1};
  });
  return {sums: root.result.sums, steps, unread: samples("rect.unread"),
    facts: root.querySelector(".facts").textContent, note: root.querySelector(".note").textContent};
});
"""
)


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def sounds():
    dog, rate = example("dog", seed=2)
    dog = audio.resample(dog, rate, RATE)
    peak = int(dog.abs().argmax())
    noise = torch.randn(80, generator=torch.Generator().manual_seed(3))
    return {"bark": dog[:, peak - 48 : peak + 48], "noise": noise}


@pytest.fixture(scope="module")
def filters():
    noise = torch.randn(8, generator=torch.Generator().manual_seed(4))
    return {"noise": noise, **trained_filters()}


@pytest.fixture
def opened(browser, sounds, filters, tmp_path):
    browser.get(page(tmp_path, WaveformExplorer(sounds, RATE, filters)._repr_html_()))
    return browser


def torch_says(samples, taps, stride, dilation):
    """Convolve with PyTorch; return the sums, and by gradient the samples that each of them reads."""
    signal = torch.as_tensor(samples).flatten().double().requires_grad_()
    weights = torch.as_tensor(taps).double()

    def convolve(weights):
        return functional.conv1d(signal[None, None], weights[None, None], None, stride, 0, dilation)[0, 0]

    ones = convolve(torch.ones_like(weights))
    supports = [torch.autograd.grad(one, signal, retain_graph=True)[0].nonzero().flatten().tolist() for one in ones]
    return convolve(weights).detach().numpy(), supports


class TestInBrowser:
    pytestmark = NEEDS_BROWSER

    def test_every_step_is_that_of_pytorch_on_a_bark_and_on_noise(self, opened, sounds, filters):
        found = opened.execute_script(READ, SETTINGS)
        for setting, shown in zip(SETTINGS, found, strict=True):
            sound, filter_, count, stride, dilation = setting
            samples, taps = list(sounds.values())[sound], list(filters.values())[filter_][:count]
            sums, supports = torch_says(samples, taps, stride, dilation)
            np.testing.assert_allclose(shown["sums"], sums, atol=1e-4, err_msg=str(setting))
            assert [step["touched"] for step in shown["steps"]] == supports, setting
            assert [step["drawn"] for step in shown["steps"]] == list(range(1, len(sums) + 1))
            for step, value in zip(shown["steps"], sums, strict=True):
                said = float(step["status"].rsplit("=", 1)[1].replace("\N{MINUS SIGN}", "-"))
                assert said == pytest.approx(value, abs=1e-3)
            unread = sorted(set(range(samples.numel())) - {i for support in supports for i in support})
            assert shown["unread"] == unread, setting
            assert (f"({len(unread)} of {samples.numel()} samples)" in shown["note"]) == bool(unread)
            assert f"= {len(sums)}, at {round(RATE / stride):,} values" in shown["facts"]

    def test_arrow_keys_slide_the_filter(self, opened):
        slider = opened.find_element(By.NAME, "place")
        before = int(slider.get_attribute("value"))
        slider.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        assert slider.get_attribute("aria-valuetext") == f"output {before + 3} of 89"
        assert opened.find_element(By.CLASS_NAME, "status").text.startswith(f"Output {before + 3} of 89: ")

    def test_a_finger_on_the_picture_carries_the_filter_along(self, opened):
        stage = opened.find_element(By.CLASS_NAME, "stage")
        width = stage.size["width"]
        ActionChains(opened).move_to_element_with_offset(stage, -width // 4, 0).click_and_hold().move_by_offset(
            width // 2, 0
        ).release().perform()
        left, right = 34, 8
        sample = (width // 2 - width // 4 + width // 2 - left) / (width - left - right) * 95
        assert int(opened.find_element(By.NAME, "place").get_attribute("value")) == pytest.approx(sample - 3.5, abs=1)

    def test_it_slides_by_itself_only_when_asked_and_not_for_those_who_want_less_motion(
        self, browser, sounds, filters, tmp_path
    ):
        address = page(tmp_path, WaveformExplorer(sounds, RATE, filters)._repr_html_())
        with emulated(browser, prefers_reduced_motion="reduce"):
            browser.get(address)
            assert not browser.find_element(By.TAG_NAME, "button").is_displayed()
        with emulated(browser, prefers_reduced_motion="no-preference"):
            browser.get(address)
            button, slider = browser.find_element(By.TAG_NAME, "button"), browser.find_element(By.NAME, "place")
            start = int(slider.get_attribute("value"))
            button.click()
            browser.execute_async_script("setTimeout(arguments[0], 400)")
            button.click()
            assert button.text == "slide"
            moved = int(slider.get_attribute("value"))
            browser.execute_async_script("setTimeout(arguments[0], 150)")
            assert start < moved == int(slider.get_attribute("value"))

    def test_it_answers_within_a_frame(self, opened):
        move = PUT + "put(document.querySelector('.waveform-explorer'), {place: 60 + i % 2});"
        change = PUT + "put(document.querySelector('.waveform-explorer'), {stride: 9 - i % 2});"
        assert busy(opened, move) < 16
        assert busy(opened, change) < 100

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_is_accessible_fits_a_phone_and_asks_for_nothing(self, browser, sounds, filters, tmp_path, theme):
        body = WaveformExplorer(sounds, RATE, filters, 3, 9)._repr_html_()
        assert_welcome_on_a_phone(browser, body, tmp_path, theme)

    def test_on_paper_and_without_javascript_there_is_a_picture(self, opened, sounds, filters, tmp_path):
        with emulated(opened, medium="print"):
            assert not opened.find_element(By.NAME, "taps").is_displayed()
            assert opened.find_element(By.CSS_SELECTOR, ".stage svg").is_displayed()
        text = without_javascript(opened, page(tmp_path, WaveformExplorer(sounds, RATE, filters)._repr_html_()))
        assert text.startswith("bark (above), and what noise makes of it (below)")


def test_the_still_is_the_sound_and_its_convolution(sounds, filters):
    explorer = WaveformExplorer(sounds, RATE, filters, 3, 2, 4)
    lines = re.findall(r' d="M([^"]+)"', explorer._repr_html_().split("<figcaption>")[0])
    drawn = [np.array(line.split(), dtype=float).reshape(-1, 2) for line in lines]
    sums, supports = torch_says(sounds["bark"], filters["noise"][:3], 2, 4)
    assert len(drawn[0]) == 96
    np.testing.assert_allclose(drawn[1][:, 0], [np.mean(support) for support in supports])
    np.testing.assert_allclose((120 - drawn[1][:, 1]) / 36, sums / abs(sums).max(), atol=2e-3)


def test_trained_filters_are_rows_of_conv1_that_pass_what_their_names_say():
    conv1 = front_end(load_result("esc50-fast")).feature_conv.conv1.module[0].weight.detach().squeeze()
    before, centres = torch.random.get_rng_state(), []
    picked = trained_filters()
    assert torch.equal(torch.random.get_rng_state(), before), "the random numbers of a lesson are its own"
    for name, taps in picked.items():
        number, best = re.fullmatch(r"EnvNet's no\. (\d+) \((\d\.\d) kHz\)", name).groups()
        torch.testing.assert_close(torch.tensor(taps), conv1[int(number)])
        spectrum = np.abs(np.fft.rfft(taps, 1024))
        assert spectrum.argmax() * RATE / 1024 / 1000 == pytest.approx(float(best), abs=0.06)
        centres.append(float(best))
    assert [int(centre / (8.01 / 3)) for centre in centres] == [0, 1, 2]


def test_what_it_cannot_show_is_refused(sounds, filters):
    for name, largest in LIMITS.items():
        with pytest.raises(ValueError, match=f"{name} must be from 1 to {largest}"):
            WaveformExplorer(sounds, RATE, filters, **{name: largest + 1})
    for wrong in ({}, {"short": torch.zeros(40)}, {"long": torch.zeros(400)}):
        with pytest.raises(ValueError, match="give one or more sounds"):
            WaveformExplorer(wrong, RATE, filters)
    for wrong in ({}, {"three": torch.zeros(3)}):
        with pytest.raises(ValueError, match="give one or more filters"):
            WaveformExplorer(sounds, RATE, wrong)


def test_its_text_never_changes(sounds, filters):
    assert repr(WaveformExplorer(sounds, RATE, {"a": filters["noise"]})) == "WaveformExplorer(bark, noise, a)"
    texts = {WaveformExplorer(sounds, RATE, filters)._repr_html_() for _ in range(2)}
    assert len(texts) == 1
