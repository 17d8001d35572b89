"""Whoever tests without a browser is told what was not tested."""

import shutil

import pytest

from scripts import browser
from scripts.repository import ROOT


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


def test_the_skipped_are_counted_and_the_way_out_is_named(monkeypatch, capsys):
    monkeypatch.setattr(browser, "has_browser", lambda: False)
    browser.main()
    line = capsys.readouterr().out
    marked = [path for path in (ROOT / "tests").glob("test_*.py") if "mark.browser" in path.read_text(encoding="utf-8")]
    assert line.count("\n") == 1 and line.endswith("\n") and "apt-get install chromium chromium-driver" in line
    assert int(line.split()[0]) >= len(marked) > 2


def test_it_is_the_last_word_of_make_test():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\ntest: ")[1].split("\n\n")[0]
    assert recipe.splitlines()[-1].endswith("-m scripts.browser")
