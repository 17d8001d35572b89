"""A browser for the tests of explorers: pages from HTML, and what a reader on any device may expect of them."""

import itertools
import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
NEEDS_BROWSER = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # selenium leaves its sockets to the collector
    pytest.mark.skipif(shutil.which("chromedriver") is None, reason="chromedriver is not installed"),
]
#: Moves the controls of an explorer as a hand does; scripts of the tests begin with it.
PUT = """
function put(root, values) {
  for (const [name, value] of Object.entries(values)) {
    const control = root.querySelector(`[name=${name}]`);
    control.value = value;
    control.dispatchEvent(new Event(control.tagName === "SELECT" ? "change" : "input", {bubbles: true}));
  }
}
"""


@contextmanager
def open_browser(*flags):
    """Start a headless browser that keeps its log of requests and its console."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", *flags):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def page(folder, body: str, theme: str = "light") -> str:
    """Write a page and return its address."""
    path = folder / f"page-{theme}.html"
    path.write_text(
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Explorer</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f'<body style="margin: 0{"; background: #14181e; color: #fff" if theme == "dark" else ""}"><main><h1>E</h1>'
        f"{body}</main></body></html>",
        encoding="utf-8",
    )
    return path.as_uri()


@contextmanager
def served(folder):
    """Serve a folder at an address of its own, where no page has kept anything yet, and return the address.

    Pages that are opened from the disk share what they keep, and there Chromium loses some of it, one time in twenty,
    when a test has cleared it just before; from an address of their own it has lost nothing in 140 times.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/favicon.ico":  # which browsers ask for unasked
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")  # a test may write the page anew
        super().end_headers()

    def log_message(self, *_):
        """Print nothing."""


@contextmanager
def emulated(browser, **media):
    """Ask for media features, or with medium="print" for a medium, as long as the context lasts."""
    medium = media.pop("medium", "")
    features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": features})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


@contextmanager
def phone(browser, width: int, height: int):
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def assert_welcome_on_a_phone(browser, body: str, folder, theme: str, width: int = 360, height: int = 740) -> None:
    """Hold a page to what each explorer owes: accessible, no request, a clean console, controls beside the picture."""
    browser.get_log("browser")
    with phone(browser, width, height):
        browser.get(page(folder, body, theme))
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        browser.execute_script(AXE.read_text("utf-8"))
        results = browser.execute_async_script("axe.run().then(arguments[0])")
        assert [(found["id"], [node["html"] for node in found["nodes"]]) for found in results["violations"]] == []
        assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
        places = browser.execute_script("""
            const root = document.querySelector("[class$=-explorer][data-ready]"), all = "input, select, svg, canvas";
            const boxes = [...root.querySelectorAll(all)].map((part) => part.getBoundingClientRect());
            return [Math.min(...boxes.map((box) => box.top)), Math.max(...boxes.map((box) => box.bottom))];""")
        assert places[1] - places[0] <= height - 120, "controls and picture do not share a screen"
    assert browser.get_log("browser") == []


def without_javascript(browser, address: str) -> str:
    """Return the text that a reader without JavaScript sees."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(address)
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    return browser.find_element("css selector", "[class$=-explorer]").text


def thread_time(browser) -> float:
    """Return the seconds that the page's own thread has computed for, once the browser counts them."""
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "ThreadTime")


def busy(browser, script: str, times: int = 20) -> float:
    """Return the milliseconds of processor time that a script takes with its layout, the least of three means.

    Other programs share the cores, and a clock on the wall would count them. The script may tell its repetitions apart
    by their number ``i``, so that each has something to change.
    """
    once = f"(function () {{ {script} }})(); document.body.offsetWidth;"
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    read = [thread_time(browser)]
    for _ in range(3):
        browser.execute_script(f"for (let i = 0; i < {times}; i++) {{ {once} }}")
        read.append(thread_time(browser))
    browser.execute_cdp_cmd("Performance.disable", {})
    return 1000 * min(after - before for before, after in itertools.pairwise(read)) / times
