"""The network to rebuild: hundreds of networks, held against PyTorch's own layers and the walk through them."""

import json
from collections import OrderedDict

import numpy as np
import pytest
import torch
from browsing import AXE, NEEDS_BROWSER, open_browser, page, phone
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from torch import nn

from envnet_tutorial import costs, shapes
from envnet_tutorial.explorers.network import NetworkExplorer, layer_settings
from envnet_tutorial.models import ConvBlock, EnvNet, LinearBlock, Transpose
from envnet_tutorial.settings import InputFormat


def opened_with(explorer=None):
    """Return the settings that the page opens with."""
    settings = {"samples": 24_014, "rate": 16_000, "layers": layer_settings(), "classes": 50}
    settings["layers"][-1]["outputs"] = 50
    return settings


def random_settings(random):
    """Draw a network of EnvNet's form whose layers fit in about two cases of three."""
    settings = opened_with()
    settings["samples"], settings["rate"] = (
        int(random.integers(2_000, 30_000)),
        int(random.choice([8_000, 16_000, 44_100])),
    )
    convolutions = {"conv1": (1, 40), "conv2": (1, 40), "conv3": (1, 14), "conv4": (1, 7)}
    sizes = convolutions | {"pool2": (10, 200), "pool3": (1, 5), "pool4": (1, 5)}
    for layer in settings["layers"]:
        if "outputs" in layer:
            layer["outputs"] = int(random.integers(1, 60))
        if "size" in layer:
            low, high = sizes[layer["name"]]
            height = 1 if layer["name"] in ("conv1", "conv2", "pool2", "pool4") else int(random.integers(1, 10))
            layer["size"] = [height, int(random.integers(low, high + 1))]
    return settings


def built(settings):
    """Build the layers with PyTorch, without weights, up to the first that refuses its input; say which that is."""
    layers, x = OrderedDict(), torch.empty(1, 1, 1, settings["samples"], device="meta")
    with torch.device("meta"):
        for given in settings["layers"]:
            match given["kind"]:
                case "conv":
                    layer = ConvBlock(x.shape[1], given["outputs"], tuple(given["size"]))
                case "pool":
                    layer = nn.MaxPool2d(tuple(given["size"]))
                case "transpose":
                    layer = Transpose(1, 2)
                case "flatten":
                    layer = nn.Flatten(1, -1)
                case "linear" if given["name"] == "fc7":
                    layer = nn.Linear(x.shape[1], given["outputs"])
                case "linear":
                    layer = LinearBlock(x.shape[1], given["outputs"])
            try:
                x = layer.eval()(x)
            except RuntimeError:
                return nn.Sequential(layers), given["name"]
            if 0 in x.shape:  # on a processor PyTorch refuses that too; without values it lets it pass
                return nn.Sequential(layers), given["name"]
            layers[given["name"]] = layer
    return nn.Sequential(layers), None


def torch_says(settings):
    """Return a row for each layer as the page gives it, from the walk through PyTorch's own layers."""
    model, refused = built(settings)
    rows = []
    if len(model):
        table = shapes.walk(model, (1, 1, 1, settings["samples"]), settings["rate"])
        for row, layer in zip(table.itertuples(), model, strict=True):
            weighted = next((part for part in layer.modules() if isinstance(part, (nn.Conv2d, nn.Linear))), None)
            taps = weighted.weight[0].numel() if weighted is not None else 0
            shape = list(row.output_shape[1:])
            step = None if row.step_samples is shapes.pd.NA else int(row.step_samples)
            numbers = {"parameters": row.parameters, "operations": 2 * int(np.prod(shape)) * taps}
            rows.append({"name": row.layer, "shape": shape, **numbers, "field": int(row.field_samples), "step": step})
    return rows, refused


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


class TestInBrowser:
    pytestmark = NEEDS_BROWSER

    def test_hundreds_of_networks_are_those_of_torch(self, browser, tmp_path):
        browser.get(page(tmp_path, NetworkExplorer()._repr_html_()))
        random = np.random.default_rng(0)
        settings = [opened_with(), *(random_settings(random) for _ in range(300))]
        walk = "const walk = document.querySelector('.network-explorer').walk; return arguments[0].map(walk);"
        refusals = 0
        for given, found in zip(settings, browser.execute_script(walk, settings), strict=True):
            expected, refused = torch_says(given)
            if refused:
                refusals += 1
                assert found[-1]["name"] == refused and found.pop()["problem"].startswith(f"{refused} needs ")
            keys = ("name", "shape", "parameters", "operations", "field", "step")
            assert [{key: row[key] for key in keys} for row in found] == expected
        assert 30 < refusals < 200

    def test_it_opens_with_envnet(self, browser, tmp_path):
        browser.get(page(tmp_path, NetworkExplorer()._repr_html_()))
        passes = costs.training_passes(EnvNet, 50)
        operations = passes.loc[passes["pass"] == "forward", "operations"].sum()
        total = browser.find_element(By.CSS_SELECTOR, ".total").text
        assert total.startswith("48,560,638 parameters") and f"{operations / 1e6:.1f} million operations" in total
        rows = [row.text for row in browser.find_elements(By.CSS_SELECTOR, ".shape")]
        assert rows[4] == "(N, 50, 33, 138)" and rows[-1] == "(N, 50)"

    def test_by_keyboard_a_layer_breaks_explains_itself_and_mends(self, browser, tmp_path):
        browser.get(page(tmp_path, NetworkExplorer()._repr_html_()))
        field = browser.find_element(By.CSS_SELECTOR, "[aria-label='conv3: rows']")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys("41")
        total = browser.find_element(By.CSS_SELECTOR, ".total")
        assert total.text == "This network cannot be built: conv3 needs 41 rows and gets 40."
        assert len(browser.find_elements(By.CSS_SELECTOR, "li.unreached")) == 7
        browser.find_element(By.CSS_SELECTOR, "button.reset").send_keys(Keys.ENTER)
        assert total.text.startswith("48,560,638") and field.get_attribute("value") == "8"
        name = browser.find_element(By.XPATH, "//li/button[text()='pool2']")
        name.send_keys(Keys.SPACE)
        work = browser.find_elements(By.CSS_SELECTOR, ".work")[2]
        assert name.get_attribute("aria-expanded") == "true" and "floor(24,000 / 160) = 150" in work.text

    @pytest.mark.parametrize("typed", ["0", "-3", "2.5", "", "99999999"])
    def test_what_is_no_size_is_marked_and_changes_nothing(self, browser, tmp_path, typed):
        browser.get(page(tmp_path, NetworkExplorer()._repr_html_()))
        field = browser.find_element(By.CSS_SELECTOR, "[aria-label='pool2: samples']")
        set_to = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}));"
        browser.execute_script(set_to, field, typed)
        assert field.get_attribute("aria-invalid") == "true"
        assert browser.find_element(By.CSS_SELECTOR, ".total").text == (
            "pool2, samples: a whole number from 1 to 4,096 is wanted; the drawing still has 160."
        )
        rows = [row.text for row in browser.find_elements(By.CSS_SELECTOR, ".shape")]
        assert rows[2] == "(N, 40, 1, 150)"
        browser.execute_script(set_to, field, "160")
        assert browser.find_element(By.CSS_SELECTOR, ".total").text.startswith("48,560,638")

    def test_answers_within_a_frame(self, browser, tmp_path):
        browser.get(page(tmp_path, NetworkExplorer()._repr_html_()))
        timed = """const root = document.querySelector('.network-explorer').explorer, started = performance.now();
        for (let i = 0; i < 50; i++) { root.settings.samples = 24014 + i; root.draw(); }
        return (performance.now() - started) / 50;"""
        assert browser.execute_script(timed) < 16

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_axe_finds_nothing_and_the_console_is_clean(self, browser, tmp_path, theme):
        browser.get(page(tmp_path, NetworkExplorer()._repr_html_(), theme))
        browser.execute_script(AXE.read_text("utf-8"))
        found = browser.execute_async_script("axe.run('.network-explorer').then(arguments[arguments.length - 1])")
        assert [violation["id"] for violation in found["violations"]] == []
        assert browser.get_log("browser") == []

    def test_a_phone_is_wide_enough(self, browser, tmp_path):
        with phone(browser, 360, 740):
            browser.get(page(tmp_path, NetworkExplorer()._repr_html_()))
            assert browser.execute_script("return document.documentElement.scrollWidth") <= 360


def test_the_layers_are_read_off_the_network_that_trains():
    layers = {layer["name"]: layer for layer in json.loads(json.dumps(layer_settings()))}
    assert layers["conv3"] == {"name": "conv3", "kind": "conv", "outputs": 50, "size": [8, 13]}
    assert layers["pool3"]["size"] == [3, 3] and layers["fc6"]["outputs"] == 4096
    assert list(layers) == [row.layer for row in shapes.walk(EnvNet(50), (1, 1, 24_014)).itertuples()]


def test_another_window_opens_it_and_no_classes_do_not():
    explorer = NetworkExplorer(InputFormat(sample_rate=8_000, num_samples=12_000), num_classes=10)
    assert "&quot;samples&quot;: 12000" in explorer._repr_html_() and repr(explorer).endswith("10 classes)")
    with pytest.raises(ValueError, match="at least 1"):
        NetworkExplorer(num_classes=0)
