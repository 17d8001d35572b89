"""The film of the filters, driven in a browser as a person would, and held against PyTorch."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from browsing import AXE, NEEDS_BROWSER, open_browser, page, thread_time
from matplotlib.colors import to_rgb
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from envnet_tutorial import probing
from envnet_tutorial.explorers import film
from envnet_tutorial.explorers.film import FilterFilm, Reel
from envnet_tutorial.plotting.pictures import COLOURS, palette
from envnet_tutorial.results import load_result, views

LOCAL = ("file:", "data:", "blob:", "about:")
PATIENCE = 60  # seconds
RATE, FREQUENCIES = 8000, torch.tensor([100.0, 900.0, 1500.0, 3900.0])

FILM = 'const film = document.querySelector(".film-explorer").film;'
# Every response of every reel: (picture, frame, filter, tone).
VALUES = f"""{FILM}
return film.reels.map(reel => reel.given.titles.map((_, panel) => Array.from({{length: reel.frames}}, (_, frame) => {{
  reel.frame = frame;
  const rows = Array.from({{length: film.given.filters}}, (_, filter) => reel.curve(panel, filter));
  reel.frame = reel.given.start;
  return rows;
}})));"""
# Web Audio that keeps what it is asked for, and has no clock.
SILENT_AUDIO = """
window.heard = [];
const say = name => (...values) => window.heard.push([name, ...values]);
window.AudioContext = class {
  constructor() { this.currentTime = 1; this.destination = {}; }
  createGain() { return {connect() {}, gain: {cancelScheduledValues() {}, setValueAtTime() {},
    linearRampToValueAtTime: say("gain")}}; }
  createOscillator() { return {connect() {}, frequency: {set value(hertz) { say("tone")(hertz); },
    setTargetAtTime: say("glide")}, start: say("start"), stop: say("stop")}; }
  resume() {}
};
"""


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


def make_film():
    """Make a film of two reels: one picture that is trained, and two side by side."""
    draw = torch.Generator().manual_seed(5)
    responses, others = (torch.rand(5, 6, 4, generator=draw), torch.rand(2, 2, 6, 4, generator=draw))
    responses[2, 1] = 0.25  # answers all tones alike
    trained = Reel(
        "Training, noise", "Step", [str(10 * i) for i in range(5)], {"filters": responses}, "Drawn at random."
    )
    trained = replace(trained, kernels=torch.randn(5, 6, 7, generator=draw))
    beside = Reel("Controls, noise", "Level", ["loud", "quiet"], dict(zip("ab", others, strict=True)), "Two.")
    return FilterFilm((trained, replace(beside, start=1, sorted_by=0)), FREQUENCIES, RATE)


@pytest.fixture(scope="module")
def drawn():
    return make_film()


@pytest.fixture(scope="module")
def shipped():
    """Make the book's film, with two of its levels: each takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(film, "LEVELS", (-40, -6))
        yield film.filters_through_training.__wrapped__()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


def open_page(driver, address):
    driver.get("about:blank")
    driver.get_log("browser"), driver.get_log("performance")
    driver.get(address)
    ready = (By.CSS_SELECTOR, ".film-explorer[data-ready=shown]")
    WebDriverWait(driver, PATIENCE).until(lambda d: d.find_elements(*ready))


def assert_silent_and_alone(driver):
    """No request has left the page, and nothing was written to the console."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url[:80] for url in asked if not url.startswith(LOCAL)] == []
    assert asked, "the log of requests is empty, so it proves nothing"
    assert driver.get_log("browser") == []


@pytest.fixture
def opened(browser, folder, drawn):
    open_page(browser, page(folder, drawn._repr_html_()))
    yield browser
    assert_silent_and_alone(browser)


def move(driver, name, value):
    driver.execute_script(
        "const input = document.querySelector(`input[name=${arguments[0]}]`); input.value = arguments[1];"
        "input.dispatchEvent(new Event('input', {bubbles: true}))",
        name,
        value,
    )


def choose(driver, index):
    driver.execute_script("document.querySelectorAll('.reels input')[arguments[0]].click()", index)


def text(driver, selector):
    return driver.execute_script("return document.querySelector(arguments[0]).textContent", selector)


def scaled(matrix):
    return probing.unit_range(matrix).numpy()


class TestInBrowser:
    pytestmark = NEEDS_BROWSER

    def test_it_opens_on_the_first_frame_and_every_value_is_pythons(self, opened, drawn):
        assert text(opened, ".controls label:nth-of-type(2) output") == "0"
        for reel, found in zip(drawn.reels, opened.execute_script(VALUES), strict=True):
            wanted = [[scaled(matrix) for matrix in panel] for panel in reel.panels.values()]
            np.testing.assert_allclose(found, wanted, atol=1e-4)

    def test_the_picture_shows_the_values_in_the_order_of_the_last_step(self, opened, drawn):
        (responses,) = drawn.reels[0].panels.values()
        order = probing.sort_by_centre(responses[-1], FREQUENCIES)
        colours = 255 * np.array([to_rgb(colour) for colour in palette()])
        for frame in (0, 3):
            move(opened, "frame", frame)
            data = opened.execute_script(f"{FILM} return Array.from(film.pictures[0].image.data)")
            pixels = np.array(data).reshape(6, 4, 4)[::-1, :, :3]  # row 0 at the bottom
            levels = np.round(scaled(responses[frame])[order] * (COLOURS - 1)).astype(int)
            # A value in the middle between two colours may get the other one.
            found = np.abs(pixels[:, :, None] - colours).sum(-1).argmin(-1)
            assert np.abs(found - levels).max() <= 1 and (found == levels).mean() > 0.9

    def test_the_keys_move_the_tone_and_the_bars_answer(self, opened, drawn):
        (responses,) = drawn.reels[0].panels.values()
        order = probing.sort_by_centre(responses[-1], FREQUENCIES)
        slider = opened.find_element(By.NAME, "tone")
        slider.send_keys(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        assert slider.get_attribute("aria-valuetext") == "1,500 Hz"
        answers = scaled(responses[0])[order, 2]
        paths = "".join(
            opened.execute_script(
                "return [...document.querySelectorAll('.weak, .strong')].map(p => p.getAttribute('d'))"
            )
        )
        bars = {round(5.1 - float(y)): float(x) for y, x in re.findall(r"M0 ([\d.]+)H([\d.e-]+)v", paths)}
        np.testing.assert_allclose([bars[row] for row in range(6)], answers, atol=1e-4)
        opened.find_element(By.NAME, "row").send_keys(Keys.HOME, Keys.ARROW_RIGHT)
        half, share = int((answers >= 0.5).sum()), f"{100 * answers[1]:.0f}\N{NO-BREAK SPACE}%"
        assert text(opened, "[role=status]") == (
            f"{half} of 6 filters give 1,500 Hz at least half of their strongest answer. Row 2: {share}."
        )
        rows = re.search(
            r"in rows? ([\d, to]+), counted",
            opened.execute_script("return document.querySelector('.panel > svg').getAttribute('aria-label')"),
        )[1]
        spelled = [range(int(a), int(b or a) + 1) for a, b in re.findall(r"(\d+)(?: to (\d+))?", rows)]
        assert [row for part in spelled for row in part] == (np.flatnonzero(answers >= 0.5) + 1).tolist()

    def test_pictures_side_by_side_answer_the_same_tone(self, opened, drawn):
        choose(opened, 1)
        move(opened, "tone", 0)
        panels = drawn.reels[1].panels
        halves = [f"{name} {int((scaled(panel[1])[:, 0] >= 0.5).sum())}" for name, panel in panels.items()]
        assert text(opened, ".panel:nth-child(2) p") == "b"
        assert f"answer: {', '.join(halves)} of 6." in text(opened, "[role=status]")
        assert opened.execute_script("return document.querySelector('[data-chart=taps]').hasAttribute('hidden')")
        assert len(opened.find_elements(By.CSS_SELECTOR, "[data-chart=spectrum] path:not(.zero)")) == 2
        choose(opened, 0)
        assert len(opened.find_elements(By.CSS_SELECTOR, ".panel")) == 1

    def test_a_filter_stays_picked_in_its_own_place_when_rows_are_unsorted(self, opened, drawn):
        (responses,) = drawn.reels[0].panels.values()
        order = probing.sort_by_centre(responses[-1], FREQUENCIES).tolist()
        canvas = opened.find_element(By.CSS_SELECTOR, "canvas")
        ActionChains(opened).move_to_element_with_offset(
            canvas, 30, int(canvas.size["height"] * 5 / 12)
        ).click().perform()
        assert opened.execute_script(f"{FILM} return film.filters") == [order[0]]  # on the lowest row
        assert opened.find_element(By.NAME, "tone").get_attribute("value") == "2"  # right of the middle
        opened.find_element(By.NAME, "sort").click()
        assert opened.execute_script(f"{FILM} return [film.filters[0], film.row]") == [order[0], order[0]]

    def test_the_tone_is_heard_quietly_and_glides(self, opened):
        opened.execute_script(SILENT_AUDIO)
        move(opened, "tone", 1)
        button = opened.find_element(By.NAME, "hear")
        button.send_keys(Keys.ENTER)
        assert button.text == "Stop"
        move(opened, "tone", 3)
        button.send_keys(Keys.ENTER)
        heard = opened.execute_script("return window.heard")
        assert [event[:2] for event in heard if event[0] in ("tone", "glide")] == [["tone", 900], ["glide", 3900]]
        assert [event[1] for event in heard if event[0] == "gain"] == [0.1, 0]
        assert heard[-1][0] == "stop" and button.text == "Hear it"

    def test_play_runs_to_the_last_frame_and_stops(self, opened):
        button = opened.find_element(By.NAME, "play")
        button.click()
        assert button.text == "Pause"
        WebDriverWait(opened, PATIENCE).until(lambda d: button.text == "Play")
        assert opened.find_element(By.NAME, "frame").get_attribute("aria-valuetext") == "40"

    def test_with_less_motion_it_shows_one_frame_at_a_time(self, browser, folder, drawn):
        preference = {"name": "prefers-reduced-motion", "value": "reduce"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preference]})
        open_page(browser, page(folder, drawn._repr_html_()))
        button, frame = browser.find_element(By.NAME, "play"), browser.find_element(By.NAME, "frame")
        for step in ("10", "20"):
            assert button.text == "Next"
            button.click()
            assert frame.get_attribute("aria-valuetext") == step
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def test_the_charts_are_of_the_picked_filter(self, opened, drawn):
        (responses,), kernels = drawn.reels[0].panels.values(), drawn.reels[0].kernels
        row = 3
        filter_ = int(probing.sort_by_centre(responses[-1], FREQUENCIES)[row])
        move(opened, "frame", 2)
        move(opened, "row", row)
        spectrum = probing.frequency_response(kernels[2, filter_, None].double(), FREQUENCIES, RATE)[0].numpy()
        names = ["[data-chart=taps] path.weights", "[data-chart=spectrum] .dashed", "path.tones"]
        path = "return arguments[0].map(name => document.querySelector(name).getAttribute('d'))"
        for shape, values in zip(
            opened.execute_script(path, names),
            (kernels[2, filter_].numpy(), spectrum, scaled(responses[2])[filter_]),
            strict=True,
        ):
            heights = -np.array(re.findall(r"[ML][\d.]+ ([\d.]+)", shape), dtype=float)
            assert len(heights) == len(values)
            assert np.corrcoef(heights, values)[0, 1] > 0.99  # drawn to a tenth of a pixel

    def test_the_books_film_shows_what_pytorch_answers(self, browser, folder, shipped):
        open_page(browser, page(folder, shipped._repr_html_()))
        training, levels, controls = browser.execute_script(VALUES)
        run, others = load_result("esc50-fast"), load_result("esc50-controls")
        recorded = views.film(run)
        np.testing.assert_allclose(training[0][0], scaled(recorded.responses[0]), atol=1e-4)
        np.testing.assert_allclose(training[0][-1], scaled(recorded.responses[-1]), atol=1e-4)
        matrix = probing.response_matrix(views.front_end(run, 1), recorded.frequencies, amplitude=0.01)
        np.testing.assert_allclose(levels[0][0], scaled(matrix), atol=1e-4)
        for picture, control in zip(controls, film.CONTROLS, strict=True):
            for frame, amplitude in zip(picture, (0.5, 0.1), strict=True):
                np.testing.assert_allclose(frame, scaled(views.responses_of(others, control, amplitude)[0]), atol=1e-4)
        assert text(browser, ".quiet").startswith("EnvNet, normalised after pooling, learns ESC-50: 60 epochs, fold 1")
        choose(browser, 2)
        assert text(browser, ".quiet").startswith("Other networks: ESC-50, 10 epochs, fold 1 held out, seed 0.")
        assert_silent_and_alone(browser)

    def test_it_is_quick(self, browser, folder, shipped):
        """Processor time, because other programs may share the machine's cores."""
        address = page(folder, shipped._repr_html_())
        browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        open_page(browser, address)
        for reel in (0, 2):
            choose(browser, reel)
            times = [thread_time(browser)]
            for drag in ("film.show(film.reel.frame)", "film.point(i % 40, i % 96)"):
                browser.execute_script(f"{FILM} for (let i = 0; i < 40; i++) {{ {drag}; document.body.offsetWidth; }}")
                times.append(thread_time(browser))
            assert max(np.diff(times)) / 40 < 1 / 60
        again = f"{FILM} return filmReels.read(film.given).then(reels => film.open(reels))"
        began = thread_time(browser)
        browser.execute_script(again)
        assert thread_time(browser) - began < 0.1
        browser.execute_cdp_cmd("Performance.disable", {})

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_is_accessible_and_fits_a_small_phone(self, browser, folder, shipped, theme):
        for width, height in ((360, 640), (1280, 800)):
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width == 360}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            open_page(browser, page(folder, shipped._repr_html_(), theme))
            browser.execute_script(AXE.read_text(encoding="utf-8"))
            for reel in range(3):
                choose(browser, reel)
                assert browser.execute_script("return document.documentElement.scrollWidth") <= width
                top, bottom = browser.execute_script(
                    "return ['.reels', '.status'].map(name => document.querySelector(name).getBoundingClientRect())"
                    ".map((box, i) => i ? box.bottom : box.top)"
                )
                assert bottom - top <= height  # choice, picture, sliders and what they say
                found = browser.execute_async_script(
                    "axe.run(document, {preload: false}).then(r => arguments[0](r.violations.map(v => [v.id, v.help])))"
                )
                assert found == []
            assert_silent_and_alone(browser)
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def test_on_paper_it_is_a_picture(self, opened):
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        visible = "return [...document.querySelectorAll(arguments[0])].map(e => e.getClientRects().length > 0)"
        assert not any(opened.execute_script(visible, ".film-explorer button, .film-explorer input"))
        assert all(opened.execute_script(visible, ".film-explorer canvas, .status, output"))
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})

    def test_an_old_browser_is_told_so(self, browser, folder, drawn):
        source = {"source": "delete window.DecompressionStream"}
        script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", source)
        browser.get(page(folder, drawn._repr_html_()))
        assert "one of 2023 or later" in text(browser, ".film-explorer")
        assert len(browser.find_elements(By.CSS_SELECTOR, ".film-explorer figure img")) == 2
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_it_is_light_and_shows_a_picture_without_javascript(shipped):
    page = shipped._repr_html_()
    assert len(page) < 200_000
    static = page[page.index("<figure>") : page.index("<script>")]
    assert re.findall(r'alt="([^"]*)"', static) == [
        "Responses of 40 filters to tones at step 0",
        "Responses of 40 filters to tones at step 3,000",
    ]
    assert "<figcaption>Step 0 (left) and step 3,000 (right): " in static and "needs JavaScript" in static
    assert not re.search(r"(?:src|href)=\"(?!data:)|https?://(?!www\.w3\.org/2000/svg)", page)


def test_what_is_no_film_is_refused(drawn):
    reel = drawn.reels[0]
    (responses,) = reel.panels.values()
    broken, bare, long = responses.clone(), replace(reel, kernels=None), responses[:1].expand(20_000, -1, -1)
    broken[0, 0, 0] = torch.nan
    for wrong, match in (
        (replace(reel, panels={"filters": responses[..., :3]}), "4 tones"),
        (replace(reel, panels={"filters": responses[0]}), "4 tones"),
        (replace(reel, captions=["0"]), "1 captions"),
        (replace(reel, start=5), "5 captions"),
        (replace(reel, panels={"filters": broken}), "not finite"),
        (replace(reel, kernels=torch.ones(5, 3, 7)), "a kernel for each"),
        (replace(bare, panels={"filters": long}, captions=["0"] * len(long)), "at most"),
    ):
        with pytest.raises(ValueError, match=match):
            replace(drawn, reels=(wrong,))
    with pytest.raises(ValueError, match="wanted, not"):
        replace(drawn, reels=())


def test_its_text_is_the_same_on_every_run(drawn):
    assert repr(drawn) == "FilterFilm(Training, noise: 5 frames; Controls, noise: 2 frames)"
    assert drawn._repr_html_() == make_film()._repr_html_()
