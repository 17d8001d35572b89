"""The built book as a reader meets it: opened from the folder in a browser, without a network."""

import json
import shutil
import time
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from test_book import BOOK, LESSONS, PAGES, page

BROWSER, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
LOCAL = ("file:", "data:", "blob:", "about:", "chrome:")
PHONE, DESKTOP = (390, 844), (1280, 900)
PATIENCE = 120  # seconds: axe needs five for a lesson, and many more where other programs compute
#: One page of the reference stands for all: they are made alike.
SHOWN = [*PAGES, "book/reference/audio"]

pytestmark = [
    pytest.mark.pages,
    pytest.mark.browser,
    pytest.mark.skipif(not BOOK.is_dir(), reason="the book is not built: run `make book` first"),
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="there is no chromium with its chromedriver (see .ci/run)"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # selenium leaves its sockets to the collector
]


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    with webdriver.Chrome(options=options, service=Service(DRIVER)) as driver:
        driver.set_script_timeout(PATIENCE)
        yield driver


def show(browser, name: str, size=DESKTOP, theme: str = "light") -> None:
    """Open a page as a reader with this screen and theme sees it, once its mathematics is set."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = [{"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    browser.get((BOOK / f"{name}.html").as_uri())
    wait_until(browser, "return document.readyState == 'complete'")
    if browser.find_elements(By.CSS_SELECTOR, ".math"):
        wait_until(browser, "return Boolean(window.MathJax && MathJax.startup && MathJax.startup.promise)")
        browser.execute_async_script("const done = arguments[0]; MathJax.startup.promise.then(() => done())")


def wait_until(browser, script: str):
    return WebDriverWait(browser, PATIENCE).until(lambda driver: driver.execute_script(script))


def requests_of(browser) -> list[str]:
    """Return the addresses that were asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", [*SHOWN, "search", "genindex"])
def test_page_keeps_its_promises_at_a_desk(browser, name, theme):
    """One visit for all of them, because to open a page with its mathematics takes as long as to look at it."""
    assert_opens_offline_and_without_errors(browser, name, theme)
    assert_mathematics_is_set(browser, name)
    assert_players_play(browser)
    assert serious_violations(browser) == []
    assert_answers_are_judged_and_stay_accessible(browser, name)


def assert_opens_offline_and_without_errors(browser, name, theme):
    browser.get("about:blank")
    requests_of(browser), browser.get_log("browser")
    show(browser, name, theme=theme)
    assert wait_until(browser, f"return document.documentElement.dataset.theme == '{theme}'")
    time.sleep(0.5)  # what scripts ask for after loading
    asked = requests_of(browser)
    assert len(asked) > 5, "the log of requests is empty, so it proves nothing"
    assert [url for url in asked if not url.startswith(LOCAL)] == []
    complaints = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert complaints == []


def assert_mathematics_is_set(browser, name):
    expected = len(page(name).select("article .math"))
    assert browser.execute_script("return document.querySelectorAll('article mjx-container').length") >= expected
    assert browser.execute_script("return document.querySelectorAll('mjx-merror, [data-mjx-error]').length") == 0
    assert all(wide <= room + 1 for _, wide, room in browser.execute_script(EQUATIONS)), "an equation is cut off"


def assert_players_play(browser):
    browser.execute_script("document.querySelectorAll('audio').forEach(a => { a.preload = 'auto'; a.load(); })")
    wait_until(browser, "return [...document.querySelectorAll('audio')].every(a => a.readyState >= 1 || a.error)")
    lengths = browser.execute_script(
        "return [...document.querySelectorAll('audio')].map(a => a.error ? a.error.message : a.duration)"
    )
    assert all(isinstance(seconds, (int, float)) and seconds > 0 for seconds in lengths), lengths


def test_a_request_to_the_network_would_be_noticed(browser):
    requests_of(browser)
    browser.get('data:text/html,<img src="https://example.invalid/x.png" alt="">')
    assert "https://example.invalid/x.png" in requests_of(browser)


# Hands in something in every box and at every question of the quiz; returns what is said of it.
ANSWER = """
return [...document.querySelectorAll(".answer-box form, .quiz form")].map((form) => {
  const field = form.querySelector("input[type=text]");
  if (field) field.value = "7";
  else form.querySelector("input").click();
  form.requestSubmit();
  return form.querySelector("[role=status]").textContent;
});
"""


def assert_answers_are_judged_and_stay_accessible(browser, name):
    boxes, questions = page(name).select("article .answer-box"), page(name).select("article .quiz-question")
    said = browser.execute_script(ANSWER)
    assert len(said) == len(boxes) + len(questions)
    assert bool(said) == (name in LESSONS)
    assert all(text.startswith(("Right: ", "Not yet: ", "Not so: ")) for text in said), said
    if said:  # they alone have changed
        assert serious_violations(browser, ".answer-box, .quiz") == []
    browser.execute_script("localStorage.clear()")


def serious_violations(browser, within: str = "html") -> list[str]:
    """Ask axe-core for what keeps a reader with a disability from reading, and name the elements."""
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "const [selector, done] = arguments, parts = document.querySelectorAll(selector);"
        "axe.run(parts, {preload: false}).then(r => done(r.violations))",
        within,
    )
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def test_an_inaccessible_page_would_be_noticed(browser):
    browser.get("data:text/html,<html><title>x</title><main><h1>x</h1><img src='x.png'><button></button></main>")
    assert {line.split(":")[0] for line in serious_violations(browser)} >= {"image-alt", "button-name"}


# How many pixels of the screen each figure of a cell gives to one of its own.
SCALES = """
return [...document.querySelectorAll("article .cell_output figure img")].map(
  (image) => image.getBoundingClientRect().width / image.naturalWidth
);
"""


# For each displayed equation where it begins, measured from the edge of its paragraph, how wide it is, and its room.
EQUATIONS = """
return [...document.querySelectorAll("div.math mjx-container")].map((set) => [
  Math.round(set.getBoundingClientRect().left - set.closest("div.math").getBoundingClientRect().left),
  set.scrollWidth, set.closest("div.math").clientWidth,
]);
"""

# Tables and printed texts of cells with something wrong: they scroll sideways, and no words under them say so; or words
# do, and nothing scrolls.
WIDE_OUTPUTS = """
const outputs = "article .cell_output .output:has(table.dataframe), article .cell_output .highlight > pre";
return [...document.querySelectorAll(outputs)].filter((output) => {
  const below = getComputedStyle(output.closest(".highlight") || output, "::after").content;
  return below.includes("Swipe sideways") !== output.scrollWidth > output.clientWidth;
}).map((output) => output.textContent.trim().slice(0, 60));
"""

# Where the first thing to hear or to look at ends on the page; of what is high, a third of a screen counts.
FIRST_TO_MEET = """
const met = document.querySelectorAll("article audio, article .cell_output img, article button.play");
const boxes = [...met].map((element) => element.getBoundingClientRect()).filter((box) => box.height);
return Math.min(...boxes.map((box) => scrollY + box.top + Math.min(box.height, innerHeight / 3)));
"""


# For each figure whether it scrolls sideways, and whether its caption says so.
FIGURES = """
return [...document.querySelectorAll("article .cell_output figure:has(figcaption p)")].map((figure) => [
  figure.scrollWidth > figure.clientWidth,
  getComputedStyle(figure.querySelector("figcaption p"), "::after").content.includes("Swipe the figure"),
]);
"""


@pytest.mark.parametrize("name", SHOWN)
def test_page_fits_a_phone(browser, name):
    """And its figures can be read there: their text has 14.5 pixels (`plotting.style`), of which 0.7 leaves 10."""
    show(browser, name, size=PHONE)
    assert browser.execute_script("return innerWidth") == PHONE[0]
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0], widest(browser)
    scales = browser.execute_script(SCALES)
    assert scales or name not in LESSONS, "no figure was measured"
    assert all(scale >= 0.7 for scale in scales), scales
    if equations := len(page(name).select("article div.math")):
        wait_until(browser, f"return document.querySelectorAll('div.math mjx-container').length >= {equations}")
        assert all(begins >= 0 for begins, _, _ in browser.execute_script(EQUATIONS)), "an equation's left is cut off"
    wait_until(browser, f"return (() => {{{WIDE_OUTPUTS}}})().length === 0")
    assert all(scrolls == says_so for scrolls, says_so in browser.execute_script(FIGURES))


@pytest.mark.parametrize("name", [PAGES[0], *(lesson for lesson in LESSONS if "appendix" not in lesson)])
def test_the_first_screen_has_something_to_hear_or_to_look_at(browser, name):
    show(browser, name)
    assert browser.execute_script(FIRST_TO_MEET) <= DESKTOP[1]


def test_the_front_page_has_its_sound_and_its_moving_picture_on_the_first_screen_of_a_phone(browser):
    show(browser, PAGES[0], size=PHONE)
    assert browser.execute_script(FIRST_TO_MEET) <= PHONE[1]
    assert browser.execute_script("return document.querySelector('.opening img').getBoundingClientRect().bottom") < 600
    shown = "return document.querySelector('.opening img').currentSrc"
    assert browser.execute_script(shown).endswith("film_learned.png")  # `show` asks for reduced motion
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    wait_until(browser, f"{shown}.endsWith('film_learning.gif')")


def widest(browser) -> list[str]:
    """Name the elements that stick out, without those that scroll within one that does not."""
    return browser.execute_script(
        "return [...document.querySelectorAll('article *')]"
        f".filter(e => e.getBoundingClientRect().right > {PHONE[0]} && !e.closest('[style*=overflow]'))"
        ".slice(0, 5).map(e => e.outerHTML.slice(0, 150))"
    )


def test_search_finds_a_word(browser):
    browser.get((BOOK / "search.html").as_uri() + "?q=receptive")
    wait_until(browser, "return document.querySelector('#search-results li a[href*=glossary]')")  # they come one by one


def test_theme_button_changes_the_theme(browser):
    show(browser, PAGES[0])
    modes = set()
    for _ in range(3):
        browser.execute_script("document.querySelector('button.theme-switch-button').click()")
        modes.add(browser.execute_script("return document.documentElement.dataset.mode"))
    assert modes == {"light", "dark", "auto"}
