"""One filter to look at, driven in a browser and held against the package's own measures and NumPy."""

import re

import numpy as np
import pytest
import torch
from browsing import (
    AXE,
    NEEDS_BROWSER,
    PUT,
    assert_welcome_on_a_phone,
    emulated,
    open_browser,
    page,
    phone,
    without_javascript,
)
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from test_explorers_hearing import SILENT_AUDIO, thread_time

from envnet_tutorial import probing
from envnet_tutorial.audio.levels import level
from envnet_tutorial.explorers.onefilter import FilterExplorer

RATE, FILTERS, TAPS = 16_000, 12, 15
FREQUENCIES = probing.probe_frequencies(96, 50, 7900)
PATIENCE = 60  # seconds
ROOT = 'const root = document.querySelector(".onefilter-explorer");'
READ = (
    PUT
    + ROOT
    + """
return Array.from({length: arguments[0]}, (_, i) => {
  put(root, {row: i + 1});
  return {...root.result, said: root.querySelector("[name=row]").getAttribute("aria-valuetext"),
    cells: [...root.querySelectorAll("td")].slice(1).map((cell) => cell.textContent)};
});
"""
)


def make_explorer():
    """Make filters at random: answers are rectified transforms of the taps, and one answers all tones alike."""
    draw = torch.Generator().manual_seed(8)
    kernels = {state: torch.randn(FILTERS, TAPS, generator=draw) for state in ("trained", "untrained")}
    responses = {
        state: (probing.frequency_response(taps, FREQUENCIES, RATE) - 2).clamp(min=0) for state, taps in kernels.items()
    }
    responses["trained"][3] = 0.5
    return FilterExplorer(responses, kernels, FREQUENCIES, RATE, "Drawn at random.", row=4)


@pytest.fixture(scope="module")
def explorer():
    return make_explorer()


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


def ready(driver):
    WebDriverWait(driver, PATIENCE).until(
        lambda d: d.execute_script(ROOT + "return root && root.result && root.querySelector('path.tones')")
    )


@pytest.fixture
def opened(browser, explorer, tmp_path):
    browser.get_log("browser")
    browser.get(page(tmp_path, explorer._repr_html_()))
    ready(browser)
    yield browser
    assert browser.get_log("browser") == []


def result(driver):
    return driver.execute_script(ROOT + "return root.result")


def choose(driver, **values):
    driver.execute_script(PUT + ROOT + "put(root, arguments[0])", values)


class TestInBrowser:
    pytestmark = NEEDS_BROWSER

    def test_every_filter_has_the_numbers_of_the_package(self, opened, explorer):
        order = probing.sort_by_centre(explorer.first, FREQUENCIES).tolist()
        found = opened.execute_script(READ, FILTERS)
        assert [shown["filter"] for shown in found] == order
        assert [shown["row"] for shown in found] == list(range(1, FILTERS + 1))
        for i, state in enumerate(explorer.responses):
            matrix, kernels = explorer.responses[state], explorer.kernels[state]
            spectra = np.abs(np.fft.rfft(kernels.double().numpy(), 1 << 16))  # so fine that the nearest bin will do
            bins = (FREQUENCIES.double().numpy() / RATE * (1 << 16)).round().astype(int)
            centres, widths = probing.centre_frequencies(matrix, FREQUENCIES), probing.bandwidths(matrix, FREQUENCIES)
            for shown in found:
                row, facts = shown["filter"], shown["states"][i]
                np.testing.assert_allclose(facts["kernel"], kernels[row], rtol=1e-6)
                np.testing.assert_allclose(facts["curve"], probing.unit_range(matrix)[row], atol=1e-4)
                sizes = spectra[row, bins]
                np.testing.assert_allclose(facts["sizes"], sizes / sizes.max(), atol=1e-3)
                exact = probing.frequency_response(kernels[row, None].double(), FREQUENCIES, RATE)[0]
                np.testing.assert_allclose(facts["sizes"], exact / exact.max(), atol=1e-4)
                if row == 3 and state == "trained":
                    assert (facts["centre"], facts["width"]) == (None, None)
                    assert shown["said"].endswith(", answers all tones alike")
                    continue
                assert facts["centre"] == pytest.approx(float(centres[row]), abs=0.01)
                assert facts["width"] == pytest.approx(float(widths[row]), abs=0.06)
                cells = [shown["cells"][2 * line + i] for line in range(3)]
                best = float(FREQUENCIES[int(exact.argmax())])
                assert cells == [f"{round(value):,} Hz" for value in (facts["centre"], facts["width"], best)]

    def test_the_bar_at_half_height_is_as_long_as_the_bandwidth(self, opened, explorer):
        places = FREQUENCIES.double().numpy()
        shown, path, wide = opened.execute_script(
            ROOT + "return [root.result, root.querySelector('path.band').getAttribute('d'),"
            "root.querySelector('.tuning svg').clientWidth - 16]"
        )
        ends = np.array(re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", path), dtype=float)
        hertz = np.interp((ends - 8) / wide * (len(places) - 1), np.arange(len(places)), places)
        assert np.diff(hertz, axis=1).sum() == pytest.approx(shown["states"][0]["width"], rel=0.02)  # to 0.1 pixels

    def test_keys_and_a_drag_over_the_tones_pick_a_filter(self, opened, explorer):
        slider = opened.find_element(By.NAME, "row")
        slider.send_keys(Keys.HOME, Keys.ARROW_RIGHT * 2)
        assert result(opened)["row"] == 3
        chart = opened.find_element(By.CSS_SELECTOR, ".tuning svg")
        ActionChains(opened).move_to_element_with_offset(chart, 100, 0).click().perform()
        shown = result(opened)
        tone = (chart.size["width"] / 2 + 100 - 8) / (chart.size["width"] - 16) * (len(FREQUENCIES) - 1)
        scaled = probing.unit_range(explorer.first)
        away = [abs(int(row.argmax()) - tone) if row.amax() > 0 else np.inf for row in scaled]
        assert away[shown["filter"]] == pytest.approx(min(away), abs=1e-6)

    def test_rows_can_be_unsorted_and_the_other_state_can_come_first(self, opened, explorer):
        picked = result(opened)["filter"]
        choose(opened, order="own")
        assert (result(opened)["filter"], result(opened)["row"]) == (picked, picked + 1)
        before = opened.find_element(By.CSS_SELECTOR, "path.other").get_attribute("d")
        choose(opened, state=1)
        assert opened.find_element(By.CSS_SELECTOR, "path.tones").get_attribute("d") == before
        assert "untrained" in opened.find_element(By.CSS_SELECTOR, ".tuning svg").get_attribute("aria-label")

    def test_one_hears_what_the_taps_let_through_at_a_safe_level(self, opened, explorer):
        opened.execute_script(SILENT_AUDIO)
        kernels, first = explorer.kernels["trained"].double().numpy(), result(opened)["filter"]
        opened.find_element(By.NAME, "plain").click()
        opened.find_element(By.NAME, "through").click()
        opened.find_element(By.NAME, "row").send_keys(Keys.ARROW_RIGHT)
        second = result(opened)["filter"]
        choose(opened, sound="hiss")
        plain, one, other, hiss = opened.execute_script("return window.heard")
        for sound, row in ((one, first), (other, second)):
            through = np.correlate(plain["samples"], kernels[row], mode="valid")
            assert np.corrcoef(sound["samples"], through)[0, 1] > 0.999999
        for sound in (plain, one, other, hiss):
            assert sound["rate"] == RATE and sound["loop"]
            assert np.abs(sound["samples"]).max() <= 0.5 + 1e-6
            assert level(np.array(sound["samples"])) <= -23 + 1e-3
        middle = np.array(plain["samples"][23_000:25_000]) * np.hanning(2000)
        heard = np.abs(np.fft.rfft(middle, 1 << 15)).argmax() * RATE / (1 << 15)
        assert heard == pytest.approx(float(FREQUENCIES[47:49].mean()), rel=0.02)  # half of the way, half of the axis
        left = np.correlate(hiss["samples"], [1.0])  # of the second filter: its spectrum is that of its taps
        power = np.square(np.abs(np.fft.rfft(left[:47_000].reshape(-1, 500) * np.hanning(500), axis=1))).mean(axis=0)
        expected = np.square(np.abs(np.fft.rfft(kernels[second], 500)))
        assert np.corrcoef(power, expected)[0, 1] > 0.95
        opened.find_element(By.NAME, "through").click()
        assert opened.find_element(By.NAME, "through").text == "Play through this filter"

    def test_what_is_said_of_the_loss_is_measured(self, opened, explorer):
        choose(opened, sound="hiss")
        taps = explorer.kernels["trained"][result(opened)["filter"]].double().numpy()
        best = np.abs(np.fft.rfft(taps, 256)).max()
        weaker = -10 * np.log10(np.square(taps / best).sum())  # hiss has every tone alike
        words = opened.find_element(By.CSS_SELECTOR, "[role=status]").text
        assert abs(int(re.search(r"hiss (\d+) dB weaker", words)[1]) - weaker) < 0.6

    def test_it_answers_within_a_frame(self, opened):
        """Processor time, because other programs may share the machine's cores."""
        opened.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        drag = "for (let i = 0; i < 60; i++) { put(root, {row: 1 + i % 12}); document.body.offsetWidth; }"
        times = [thread_time(opened)]
        for script in (drag, "put(root, {state: 1}); put(root, {sound: 'hiss'});"):
            opened.execute_script(PUT + ROOT + script)
            times.append(thread_time(opened))
        opened.execute_cdp_cmd("Performance.disable", {})
        assert (times[1] - times[0]) / 60 < 1 / 60
        assert times[2] - times[1] < 0.1

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_is_welcome_on_a_phone(self, browser, explorer, tmp_path, theme):
        assert_welcome_on_a_phone(browser, explorer._repr_html_(), tmp_path, theme)
        for width in (360, 1280):  # once more: its numbers are unpacked first, and are there by now
            with phone(browser, width, 740):
                browser.get(page(tmp_path, explorer._repr_html_(), theme))
                ready(browser)
                assert browser.execute_script("return document.documentElement.scrollWidth") <= width
                browser.execute_script(AXE.read_text("utf-8"))
                assert browser.execute_async_script("axe.run().then((r) => arguments[0](r.violations.length))") == 0

    def test_on_paper_charts_and_numbers_stay(self, opened):
        visible = "return [...document.querySelectorAll(arguments[0])].map(e => e.getClientRects().length > 0)"
        with emulated(opened, medium="print"):
            assert not any(opened.execute_script(visible, ".onefilter-explorer :is(button, input, select)"))
            assert all(opened.execute_script(visible, ".onefilter-explorer :is(.charts svg, table, output)"))

    def test_without_javascript_it_is_a_picture_with_a_caption(self, browser, explorer, tmp_path):
        words = without_javascript(browser, page(tmp_path, explorer._repr_html_()))
        row = int(probing.sort_by_centre(explorer.first, FREQUENCIES)[4]) + 1
        assert f"Filter {row}: its taps over time" in words and "needs JavaScript" in words
        assert len(browser.find_elements(By.CSS_SELECTOR, ".onefilter-explorer figure polyline")) == 2


def test_it_is_light_and_asks_for_nothing(explorer):
    whole = explorer._repr_html_()
    assert len(whole) < 50_000
    assert not re.search(r"(?:src|href)=\"(?!data:)|https?://(?!www\.w3\.org/2000/svg)", whole)
    assert whole == make_explorer()._repr_html_()
    assert repr(explorer) == "FilterExplorer(12 filters, trained, untrained)"


def test_what_is_no_filter_is_refused(explorer):
    responses, kernels = dict(explorer.responses), dict(explorer.kernels)
    rest = (FREQUENCIES, RATE, "")
    with pytest.raises(ValueError, match="one or two states"):
        FilterExplorer(responses, {"trained": kernels["trained"]}, *rest)
    with pytest.raises(ValueError, match="as many filters"):
        FilterExplorer(responses, kernels | {"untrained": kernels["trained"][:, :8]}, *rest)
    with pytest.raises(ValueError, match="not finite"):
        FilterExplorer(responses | {"untrained": responses["trained"] * torch.nan}, kernels, *rest)
    with pytest.raises(ValueError, match="no row 12 of 12"):
        FilterExplorer(responses, kernels, *rest, row=12)
