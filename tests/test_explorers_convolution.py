"""The convolution explorer, driven in a browser and held against PyTorch's own convolution."""

from dataclasses import asdict
from itertools import product

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
from selenium.webdriver.common.keys import Keys
from torch.nn import functional

from envnet_tutorial.explorers.convolution import ConvolutionExplorer

SETTINGS_1D = [
    (1, size, kernel, stride, padding, dilation)
    for size, kernel, stride, padding, dilation in product((2, 5, 6, 14), (1, 2, 3, 6), (1, 2, 5), (0, 3), (1, 3))
]
SETTINGS_2D = [(2, *setting) for setting in product((2, 5, 8), (1, 3, 4), (1, 2, 4), (0, 1), (1, 2))]

# Moves the controls as a hand does, steps through every output, and reads from the page what is drawn there.
READ = (
    PUT
    + """
const root = document.querySelector(".convolution-explorer"), [settings] = arguments;
const places = (kind) => [...root.querySelectorAll(kind)].map((r) => [+r.dataset.row, +r.dataset.column]);
return settings.map((values) => {
  ["dimensions", "size", "kernel", "stride", "padding", "dilation"]
    .forEach((name, i) => put(root, {[name]: values[i]}));
  const steps = places("rect.output").map(() => {
    const step = {touched: places("rect.touched:not(.padding)"), padding: places("rect.padding.touched").length,
      current: places("rect.output.current"), value: root.querySelector("text.current").textContent};
    root.querySelectorAll("button")[1].click();
    return step;
  });
  return {steps, unused: places("rect.unused"), outputs: places("rect.output"),
    formula: root.querySelector(".formula").textContent, status: root.querySelector(".status").textContent,
    values: [...root.querySelectorAll("rect.input:not(.padding)")].map((r) => r.nextSibling.textContent),
    weights: [...root.querySelectorAll("rect.kernel")].map((r) => r.nextSibling.textContent)};
});
"""
)


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


def numbers(texts):
    return [float(text.replace("\N{MINUS SIGN}", "-")) for text in texts]


def torch_says(setting, found):
    """Convolve the numbers that the page shows with PyTorch; return outputs and the support of each, by gradient."""
    dimensions, size, kernel, stride, padding, dilation = setting
    values = torch.tensor(numbers(found["values"])).reshape(1, 1, *[size] * dimensions).requires_grad_()
    weights = torch.tensor(numbers(found["weights"])).reshape(1, 1, *[kernel] * dimensions)
    convolve = functional.conv1d if dimensions == 1 else functional.conv2d
    outputs = convolve(values, weights, None, stride, padding, dilation)[0, 0]
    touching = convolve(values, torch.ones_like(weights), None, stride, padding, dilation).flatten()
    inside = convolve(torch.ones_like(values), torch.ones_like(weights), None, stride, padding, dilation).flatten()
    supports = [torch.autograd.grad(value, values, retain_graph=True)[0][0, 0] != 0 for value in touching]
    return outputs, supports, weights.numel() - inside


def as_places(mask):
    rows = mask if mask.ndim == 2 else mask[None]
    return sorted(map(list, rows.nonzero().tolist()))


@pytest.mark.parametrize("settings", [SETTINGS_1D, SETTINGS_2D], ids=["one axis", "two axes"])
class TestAgainstPyTorch:
    pytestmark = NEEDS_BROWSER

    def test_every_step_of_every_setting(self, browser, tmp_path, settings):
        browser.get(page(tmp_path, ConvolutionExplorer()._repr_html_()))
        refused = 0
        for setting, found in zip(settings, browser.execute_script(READ, settings), strict=True):
            _, size, kernel, _, padding, dilation = setting
            if size + 2 * padding < dilation * (kernel - 1) + 1:
                assert found["outputs"] == []
                assert "does not fit" in found["status"]
                refused += 1
                continue
            outputs, supports, in_padding = torch_says(setting, found)
            assert len(found["steps"]) == outputs.numel(), setting
            assert found["formula"].endswith(f"= {outputs.shape[-1]}")
            assert numbers(step["value"] for step in found["steps"]) == outputs.flatten().tolist()
            for index, (step, support) in enumerate(zip(found["steps"], supports, strict=True)):
                assert sorted(step["touched"]) == as_places(support), (setting, index)
                assert step["padding"] == in_padding[index]
                assert step["current"] == [found["outputs"][index]]
            never = ~torch.stack(supports).any(dim=0)
            assert sorted(found["unused"]) == as_places(never), setting
        assert 0 < refused < len(settings) / 2


class TestUse:
    pytestmark = NEEDS_BROWSER

    def test_what_no_step_reads_is_hatched_over_the_colour_of_the_input(self, browser, tmp_path):
        explorers = ConvolutionExplorer(1, 8, 3, stride=3), ConvolutionExplorer(2, 5, 2, stride=3)
        browser.get(page(tmp_path, "".join(explorer._repr_html_() for explorer in explorers)))
        for root, unread in zip(browser.find_elements("css selector", ".convolution-explorer"), (2, 9), strict=True):
            fills = browser.execute_script(
                """const fill = (part) => getComputedStyle(part).fill;
                const pattern = arguments[0].querySelector("pattern");
                const rest = arguments[0].querySelector("rect.input:not(.unused, .touched)");
                return [[...arguments[0].querySelectorAll("rect.unused")].map(fill), pattern.id,
                  fill(pattern.querySelector("rect")), fill(rest)];""",
                root,
            )
            assert fills[0] == [f'url("#{fills[1]}")'] * unread
            assert fills[2] == fills[3]

    def test_arrow_keys_step_and_wrap_around(self, browser, tmp_path):
        browser.get(page(tmp_path, ConvolutionExplorer(size=5, kernel=3)._repr_html_()))
        stage = browser.find_element("css selector", ".stage")
        seen = []
        for key in (Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT):
            stage.send_keys(key)
            seen.append(browser.find_element("css selector", ".status").text[:11])
        assert seen == ["Step 2 of 3", "Step 3 of 3", "Step 1 of 3", "Step 3 of 3"]

    def test_it_follows_a_hand(self, browser, tmp_path):
        change = PUT + "window.turn = 1 - (window.turn || 0); put(document.querySelector('.convolution-explorer'), "
        sound, picture = ConvolutionExplorer(1, 14, 6, padding=3), ConvolutionExplorer(2, 8, 4, padding=2)
        for explorer in (sound, picture):
            browser.get(page(tmp_path, explorer._repr_html_()))
            assert busy(browser, change + "{kernel: 3 + window.turn});") < 16
            assert busy(browser, "document.querySelectorAll('button')[1].click();") < 16

    def test_play_is_not_offered_to_those_who_ask_for_less_motion(self, browser, tmp_path):
        for wish, offered in (("reduce", False), ("no-preference", True)):
            feature = {"name": "prefers-reduced-motion", "value": wish}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            browser.get(page(tmp_path, ConvolutionExplorer()._repr_html_()))
            play = browser.find_elements("css selector", "button")[2]
            assert play.is_displayed() == offered
        play.click()
        assert play.text == "pause"
        play.click()
        assert play.text == "play"

    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("largest", [(1, 14, 6, 1, 3, 3), (2, 8, 4, 1, 2, 2)])
    def test_it_is_accessible_fits_a_phone_and_asks_for_nothing(self, browser, tmp_path, theme, largest):
        assert_welcome_on_a_phone(browser, ConvolutionExplorer(*largest)._repr_html_(), tmp_path, theme)

    def test_on_paper_there_are_numbers_and_no_knobs(self, browser, tmp_path):
        browser.get(page(tmp_path, ConvolutionExplorer(size=7)._repr_html_()))
        with emulated(browser, medium="print"):
            assert not browser.find_element("name", "kernel").is_displayed()
            assert not browser.find_element("css selector", "button").is_displayed()
            assert browser.find_element("css selector", "fieldset").text.splitlines()[-5:] == [
                "input size 7",
                "kernel 3",
                "stride 1",
                "padding 0",
                "dilation 1",
            ]
            assert browser.find_element("css selector", ".stage svg").is_displayed()

    @pytest.mark.parametrize("setting", [(1, 10, 3, 2, 1, 1), (1, 14, 4, 3, 2, 3), (2, 6, 3, 2, 1, 1), (2, 7, 2)])
    def test_the_still_has_the_numbers_of_the_page(self, browser, tmp_path, setting):
        explorer = ConvolutionExplorer(*setting)
        setting = tuple(asdict(explorer).values())
        browser.get(page(tmp_path, explorer._repr_html_()))
        (found,) = browser.execute_script(READ, [setting])
        text = without_javascript(browser, page(tmp_path, explorer._repr_html_()))
        shown = {
            name: numbers(
                cell.find_element("xpath", "following-sibling::*[1]").text
                for cell in browser.find_elements("css selector", f"figure rect.{name}")
            )
            for name in ("input", "kernel", "output")
        }
        dimensions, size, _, _, padding, _ = setting
        edges = (padding, padding, 0, 0) if dimensions == 1 else (padding,) * 4
        values = torch.tensor(numbers(found["values"])).reshape(-1, size)
        assert shown["input"] == functional.pad(values, edges).flatten().tolist()
        assert shown["kernel"] == numbers(found["weights"])
        assert shown["output"] == numbers(step["value"] for step in found["steps"])
        assert f"{size} numbers in, {len({row[1] for row in found['outputs']})} out" in text


def test_html_is_the_same_each_time_and_names_its_settings():
    text = ConvolutionExplorer(2, 6, stride=2)._repr_html_()
    assert text == ConvolutionExplorer(2, 6, stride=2)._repr_html_()
    assert "&quot;dimensions&quot;: 2" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")  # the name of SVG is no request


@pytest.mark.parametrize("setting", [{"dimensions": 3}, {"size": 2, "kernel": 4}, {"stride": 0}])
def test_settings_that_no_convolution_has_are_refused(setting):
    with pytest.raises(ValueError, match=r"axes|fit|at least"):
        ConvolutionExplorer(**setting)
