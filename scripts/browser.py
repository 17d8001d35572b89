"""Say at the end of the tests how many of them were skipped because there is no browser, and how to get one.

Run as ``python -m scripts.browser``; it prints nothing where there is a browser with its driver.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.repository import ROOT

#: Programs of which one is enough, and the one that moves it.
BROWSERS, DRIVER = ("chromium", "google-chrome"), "chromedriver"
INSTALL = "On Debian: apt-get install chromium chromium-driver. Elsewhere: Chrome, and the chromedriver of its version."


def has_browser() -> bool:
    """Tell whether the tests find a browser and its driver."""
    return bool(shutil.which(DRIVER) and any(shutil.which(name) for name in BROWSERS))


def count_browser_tests(tests: Path = ROOT / "tests") -> int:
    """Return how many tests below a folder drive a browser."""
    settings = ["-c", str(ROOT / "pyproject.toml"), "-p", "no:nbval"]  # whose import takes seconds
    command = [sys.executable, "-m", "pytest", *settings, "--collect-only", "-q", "-m", "browser", str(tests)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(re.search(r"^(\d+)(?:/\d+)? tests (?:collected|found)", done.stdout, flags=re.MULTILINE)[1])


def main() -> None:
    """Print the sentence where it is needed."""
    if not has_browser():
        print(f"{count_browser_tests()} tests were skipped: they need a browser and its driver. {INSTALL}")


if __name__ == "__main__":
    main()
