"""The convolution explorer, driven in a browser and held against PyTorch's own convolution."""

from itertools import product

import pytest
import torch
from browsing import AXE, NEEDS_BROWSER, open_browser
from selenium.webdriver.common.keys import Keys
from torch.nn import functional

from envnet_tutorial.explorers.convolution import ConvolutionExplorer

SETTINGS_1D = [
    (1, size, kernel, stride, padding, dilation)
    for size, kernel, stride, padding, dilation in product((2, 5, 6, 14), (1, 2, 3, 6), (1, 2, 5), (0, 3), (1, 3))
]
SETTINGS_2D = [(2, *setting) for setting in product((2, 5, 8), (1, 3, 4), (1, 2, 4), (0, 1), (1, 2))]

# Moves the controls as a hand does, steps through every output, and reads from the page what is drawn there.
READ = """
const root = document.querySelector(".conv-explorer"), [settings] = arguments;
function put(name, value) {
  const control = root.querySelector(`[name=${name}]`);
  control.value = value;
  control.dispatchEvent(new Event(control.tagName === "SELECT" ? "change" : "input", {bubbles: true}));
}
const places = (kind) => [...root.querySelectorAll(kind)].map((r) => [+r.dataset.row, +r.dataset.column]);
return settings.map((values) => {
  ["dimensions", "size", "kernel", "stride", "padding", "dilation"].forEach((name, i) => put(name, values[i]));
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


def page(folder, *explorers, theme="light"):
    body = "".join(explorer._repr_html_() for explorer in explorers)
    path = folder / f"explorer-{theme}.html"
    path.write_text(
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Explorer</title>'
        f'<meta name="viewport" content="width=device-width"></head><body><main><h1>E</h1>{body}</main></body></html>',
        encoding="utf-8",
    )
    return path.as_uri()


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
        browser.get(page(tmp_path, ConvolutionExplorer()))
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
        browser.get(page(tmp_path, ConvolutionExplorer(1, 8, 3, stride=3), ConvolutionExplorer(2, 5, 2, stride=3)))
        for root, unread in zip(browser.find_elements("css selector", ".conv-explorer"), (2, 9), strict=True):
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
        browser.get(page(tmp_path, ConvolutionExplorer(size=5, kernel=3)))
        stage = browser.find_element("css selector", ".stage")
        seen = []
        for key in (Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT):
            stage.send_keys(key)
            seen.append(browser.find_element("css selector", ".status").text[:11])
        assert seen == ["Step 2 of 3", "Step 3 of 3", "Step 1 of 3", "Step 3 of 3"]

    def test_play_is_not_offered_to_those_who_ask_for_less_motion(self, browser, tmp_path):
        for wish, offered in (("reduce", False), ("no-preference", True)):
            feature = {"name": "prefers-reduced-motion", "value": wish}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            browser.get(page(tmp_path, ConvolutionExplorer()))
            play = browser.find_elements("css selector", "button")[2]
            assert play.is_displayed() == offered
        play.click()
        assert play.text == "pause"
        play.click()
        assert play.text == "play"

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_page_is_accessible_asks_for_nothing_and_logs_nothing(self, browser, tmp_path, theme):
        browser.get(page(tmp_path, ConvolutionExplorer(), ConvolutionExplorer(2, 6, stride=2), theme=theme))
        browser.execute_script(AXE.read_text("utf-8"))
        results = browser.execute_async_script("axe.run().then(arguments[0])")
        assert [violation["id"] for violation in results["violations"]] == []
        assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
        assert browser.get_log("browser") == []
        assert len(browser.find_elements("css selector", ".conv-explorer[data-ready]")) == 2

    def test_fits_a_phone(self, browser, tmp_path):
        metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(page(tmp_path, ConvolutionExplorer(1, 14, padding=3), ConvolutionExplorer(2, 8, padding=2)))
        assert browser.execute_script("return document.documentElement.scrollWidth") == 390
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_html_is_the_same_each_time_and_names_its_settings():
    text = ConvolutionExplorer(2, 6, stride=2)._repr_html_()
    assert text == ConvolutionExplorer(2, 6, stride=2)._repr_html_()
    assert "&quot;dimensions&quot;: 2" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")  # the name of SVG is no request


@pytest.mark.parametrize("setting", [{"dimensions": 3}, {"size": 2, "kernel": 4}, {"stride": 0}])
def test_settings_that_no_convolution_has_are_refused(setting):
    with pytest.raises(ValueError, match=r"axes|fit|at least"):
        ConvolutionExplorer(**setting)
