"""A sound inside the drawing of EnvNet: the page's layers are those of the result, pooled by PyTorch."""

import numpy as np
import pytest
import torch
from browsing import AXE, NEEDS_BROWSER, busy, emulated, open_browser, page, phone, without_javascript
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from torch.nn.functional import max_pool2d

from envnet_tutorial.explorers.flow import envnet_with_sounds, flow_settings
from envnet_tutorial.explorers.network import NetworkExplorer
from envnet_tutorial.results import load_result

FLOWING = "return Boolean(document.querySelector('.network-explorer.flowing'))"


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def body():
    return envnet_with_sounds()._repr_html_()


@pytest.fixture(scope="module")
def result():
    return load_result("esc50-activations")


@pytest.fixture
def opened(browser, body, tmp_path):
    browser.get(page(tmp_path, body))
    WebDriverWait(browser, 20).until(lambda b: b.execute_script(FLOWING))
    yield browser
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browser.get_log("browser") == []


def choose(browser, text):
    Select(browser.find_element(By.NAME, "sound")).select_by_visible_text(text)
    if text != "none":
        shown = (
            f"const f = document.querySelector('.network-explorer').explorer.flow; return f.shown?.name === '{text}'"
        )
        WebDriverWait(browser, 20).until(lambda b: b.execute_script(shown))


def status(browser):
    return browser.find_element(By.CSS_SELECTOR, ".network-explorer .status").text


class TestInBrowser:
    pytestmark = NEEDS_BROWSER

    @pytest.mark.parametrize("index", [0, 1, 2])
    def test_each_layer_is_the_one_of_the_result(self, opened, result, index):
        choose(opened, result.tables["sounds"]["sound"][index])
        found = opened.execute_script("""
            const layers = document.querySelector(".network-explorer").explorer.flow.layers, found = {};
            for (const name in layers) { const own = layers[name];
              found[name] = [[own.channels, own.rows, own.steps], Array.from(own.levels)]; }
            return found;""")
        found = {name: np.array(levels, np.uint8).reshape(shape) for name, (shape, levels) in found.items()}
        stored = {name: array[index] for name, array in result.arrays.items() if name != "logits"}
        for name, levels in stored.items():
            assert (found[name].ravel() == levels.ravel()).all(), name
        for name, before, size in (("pool3", "conv3", (3, 1)), ("pool4", "conv4", (1, 3))):
            pooled = max_pool2d(torch.from_numpy(stored[before]).float(), size)
            np.testing.assert_array_equal(found[name], pooled.numpy())
        assert found["transpose"].shape == (1, 40, 150)
        assert (found["pool2"].ravel() == found["transpose"].ravel()).all()
        assert (found["flatten"].ravel() == found["pool4"].ravel()).all() and found["flatten"].size == 7700

    def test_the_likeliest_classes_are_named(self, opened, result):
        choose(opened, "a clock")
        shares = torch.from_numpy(result.arrays["logits"][2]).softmax(0)
        rows = [row.text.split("\n") for row in opened.find_elements(By.CSS_SELECTOR, "ul.classes li")]
        expected = [result.settings["classes"][i].replace("_", " ") for i in shares.argsort(descending=True)[:5]]
        assert [row[0] for row in rows] == expected
        assert rows[0][1] == f"{100 * float(shares.max()):.0f} %"

    def test_a_map_is_painted_and_picked_by_keyboard(self, opened, result):
        opened.find_element(By.XPATH, "//li/button[text()='conv3']").send_keys(Keys.ENTER)
        inside = opened.find_elements(By.CSS_SELECTOR, ".inside")[4]
        kept = result.tables["layers"].query("layer == 'conv3' and sound == 'a dog'").iloc[0]
        assert inside.is_displayed() and f"{100 * kept.zeros:.0f} % of 227,700 are zero" in inside.text
        levels = result.arrays["conv3"][0]
        best = int(levels.max(axis=(1, 2)).argmax())
        output = inside.find_element(By.TAG_NAME, "output")
        assert output.text.startswith(f"{best + 1} of 50, largest value {kept.largest:.2f}")
        inside.find_element(By.NAME, "map").send_keys(Keys.ARROW_RIGHT)
        assert output.text.startswith(f"{best + 2} of 50")
        canvas = inside.find_element(By.CSS_SELECTOR, "canvas.one")
        pixels = opened.execute_script(
            "const c = arguments[0]; return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)",
            canvas,
        )
        flow = flow_settings(result)
        colours = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in flow["colours"]]
        share = np.sqrt(levels[best + 1][::-1] / 255) * 63
        expected = np.array(colours)[np.floor(share + 0.5).astype(int)]
        np.testing.assert_array_equal(np.reshape(pixels, (33, 46, 4))[..., :3], expected)

    def test_another_network_stops_the_sound_and_the_first_brings_it_back(self, opened):
        field = opened.find_element(By.CSS_SELECTOR, "[aria-label='conv3: rows']")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys("9")
        assert not opened.execute_script(FLOWING)
        assert status(opened).startswith("conv3 is changed: this is another network, for which no weights were trained")
        assert not opened.find_element(By.CSS_SELECTOR, ".answer").is_displayed()
        opened.find_element(By.CSS_SELECTOR, "button.reset").send_keys(Keys.ENTER)
        assert opened.execute_script(FLOWING) and status(opened) == ""
        choose(opened, "none")
        assert not opened.execute_script(FLOWING) and status(opened).startswith("No sound")
        rate = opened.find_element(By.NAME, "rate")
        choose(opened, "a dog")
        rate.send_keys(Keys.BACKSPACE)
        assert "sampled at 16,000 Hz" in status(opened)

    def test_playing_moves_a_line_unless_the_reader_wants_less_motion(self, opened):
        opened.execute_script("""
            window.Audio = class {
              constructor() { this.currentTime = 0.75; this.duration = 1.5; }
              play() {}
              pause() {}
            };""")
        button = opened.find_element(By.CSS_SELECTOR, "button.play")
        button.send_keys(Keys.ENTER)
        root = opened.find_element(By.CSS_SELECTOR, ".network-explorer")
        assert button.text == "Stop" and "playing" in root.get_attribute("class")
        assert "--now: 50%" in root.get_attribute("style")
        button.send_keys(Keys.ENTER)
        assert button.text == "Play" and "playing" not in root.get_attribute("class")
        with emulated(opened, prefers_reduced_motion="reduce"):
            button.send_keys(Keys.ENTER)
            assert button.text == "Stop" and "playing" not in root.get_attribute("class")

    def test_it_answers_at_once(self, opened):
        choose(opened, "a dog")
        choose(opened, "a sneeze")
        change = """const flow = document.querySelector(".network-explorer").explorer.flow;
            flow.select.value = 1 - flow.select.value; flow.update();"""
        assert busy(opened, change) < 100

    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("width", [360, 1280])
    def test_it_is_accessible_and_fits(self, browser, body, tmp_path, theme, width):
        with phone(browser, width, 740):
            browser.get(page(tmp_path, body, theme))
            WebDriverWait(browser, 20).until(lambda b: b.execute_script(FLOWING))
            browser.execute_script("document.querySelectorAll('ol > li > button').forEach((one) => one.click())")
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
            browser.execute_script(AXE.read_text("utf-8"))
            found = browser.execute_async_script("axe.run('.network-explorer').then(arguments[0])")
            assert [(one["id"], [n["html"] for n in one["nodes"]][:2]) for one in found["violations"]] == []
        assert browser.get_log("browser") == []

    def test_without_javascript_there_is_a_still_with_its_caption(self, browser, body, tmp_path):
        text = without_javascript(browser, page(tmp_path, body))
        assert "A dog on its way through a trained EnvNet" in text and "classes: dog 100%" in text
        assert "needs JavaScript" in text


def test_the_settings_say_whose_weights_and_weigh_little(result, body):
    flow = flow_settings(result)
    assert "fold 3 held out, seed 0" in flow["origin"] and "CC BY-NC 3.0" in flow["origin"]
    assert len(body) < 350_000
    for sound, logits in zip(flow["sounds"], result.arrays["logits"], strict=True):
        np.testing.assert_allclose(sound["probabilities"], torch.from_numpy(logits).softmax(0).numpy(), atol=1e-5)


def test_sounds_flow_through_no_other_network(result):
    with pytest.raises(ValueError, match="50 classes and no other"):
        NetworkExplorer(num_classes=10, flow=flow_settings(result))
