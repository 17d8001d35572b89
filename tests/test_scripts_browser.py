"""Whoever tests without a browser is told what was not tested."""

import shutil

import pytest

from scripts import browser
from scripts.repository import ROOT

#: Tests of which three need a browser.
PAGE = """
import pytest

@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_page(width): ...

def test_text(): ...

@pytest.mark.browser
def test_links(): ...
"""


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({"chromium", "chromedriver"}, True),
        ({"google-chrome", "chromedriver"}, True),
        ({"chromium"}, False),
        ({"chromedriver"}, False),
        (set(), False),
    ],
)
def test_a_browser_needs_its_driver(there, expected, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: name if name in there else None)
    assert browser.has_browser() is expected


def test_nothing_is_said_where_nothing_was_skipped(monkeypatch, capsys):
    monkeypatch.setattr(browser, "has_browser", lambda: True)
    browser.main()
    assert capsys.readouterr().out == ""


def test_the_tests_that_need_a_browser_are_counted(tmp_path):
    (tmp_path / "test_page.py").write_text(PAGE)
    assert browser.count_browser_tests(tmp_path) == 3


def test_the_skipped_are_counted_and_the_way_out_is_named(monkeypatch, capsys):
    monkeypatch.setattr(browser, "has_browser", lambda: False)
    monkeypatch.setattr(browser, "count_browser_tests", lambda: 12)
    browser.main()
    line = capsys.readouterr().out
    assert line.startswith("12 tests were skipped: ") and "apt-get install chromium chromium-driver" in line
    assert line.count("\n") == 1 and line.endswith("\n")


def test_it_is_the_last_word_of_make_test():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\ntest: ")[1].split("\n\n")[0]
    assert recipe.splitlines()[-1].endswith("-m scripts.browser")
