"""Print the built book into one PDF, with a still for each thing that moves: ``make pdf``.

The pages of ``_build/html`` become one page with a table of contents, a headless Chromium sets it, and the page numbers
that it comes to are written into the contents before it is set again.
"""

import argparse
import base64
import re
import shutil
import sys
import tomllib
from pathlib import Path

import yaml
from bs4 import BeautifulSoup
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from scripts.repository import ROOT, address

BOOK = ROOT / "_build" / "html"
TARGET = BOOK / "book.pdf"
#: What paper cannot do anything with: anchors, players, moving pictures that have a still, what the theme starts, the
#: installation, lists of links.
USELESS = "a.headerlink, audio, picture > source, script[type], .tag_install, .cell summary, .in-the-reference"
#: Pages that are left to the screen: nobody reads the reference from its first page to its last.
ON_SCREEN_ONLY = "book/reference/"
PATIENCE = 300  # seconds
PRINT = {"preferCSSPageSize": True, "printBackground": True, "generateDocumentOutline": True, "generateTaggedPDF": True}


def chapters(contents: dict) -> list[tuple[str, str]]:
    """Return the pages of the book that are printed, in their order, each with the name of its part."""
    found = [("", contents["root"])]
    for part in contents["parts"]:
        for chapter in part["chapters"]:
            if not chapter["file"].startswith(ON_SCREEN_ONLY):
                found.append((part["caption"], chapter["file"]))
    return found


def anchor(page: str, place: str = "") -> str:
    """Return the name in the PDF of a page of the book, or of a place on it."""
    return re.sub(r"[^\w-]", "-", f"{page}--{place}" if place else page)


def article(page: str, book: Path = BOOK):
    """Return what the reader reads of a built page, made for paper: no players, every fold open, its name above it."""
    soup = BeautifulSoup((book / f"{page}.html").read_text(encoding="utf-8"), "html.parser").find("article")
    for useless in soup.select(USELESS):
        useless.decompose()
    for fold in soup.find_all("details"):
        if fold.summary:
            fold.summary["class"], fold.summary.name = "fold", "p"
        fold.unwrap()
    soup.name = "section"
    soup.attrs = {"class": "chapter", "id": anchor(page)}
    return soup


def solutions_last(chapter, page: str, soup) -> None:
    """Move the solutions of a lesson behind its end, numbered, and leave a pointer where each was."""
    solutions = chapter.select("div.tag_solution")
    if not solutions:
        return
    end = soup.new_tag("section", attrs={"class": "solutions"})
    heading = soup.new_tag("h2")
    heading.string = "Solutions"
    end.append(heading)
    for number, solution in enumerate(solutions, start=1):
        pointer = soup.new_tag("p", attrs={"class": "pointer", "id": anchor(page, f"exercise-{number}")})
        pointer.append(
            link(soup, anchor(page, f"solution-{number}"), f"Solution {number} is at the end of this chapter.")
        )
        solution.replace_with(pointer)
        title = soup.new_tag("h3", id=anchor(page, f"solution-{number}"))
        title.append(link(soup, pointer["id"], f"Solution {number}"))
        end.extend([title, solution])
    chapter.append(end)


def link(soup, target: str, words: str):
    """Return a link to a place in the PDF."""
    made = soup.new_tag("a", href=f"#{target}")
    made.string = words
    return made


def bring_home(chapter, page: str, pages: set[str], book: Path = BOOK) -> None:
    """Let links lead to places in the PDF, and pictures come from the folder of the book."""
    folder = (book / page).parent
    for element in chapter.find_all(id=True):
        if not element["id"].startswith(anchor(page)):
            element["id"] = anchor(page, element["id"])
    for element in chapter.find_all("a", href=True):
        target, _, place = element["href"].partition("#")
        if "://" in target or target.startswith("mailto:") or (not target and place.startswith(anchor(page))):
            continue
        named = (folder / target).resolve().relative_to(book.resolve()).with_suffix("").as_posix() if target else page
        if named in pages:
            element["href"] = f"#{anchor(named, place)}"
        else:
            del element["href"]
    for picture in chapter.find_all("img"):
        if not picture["src"].startswith("data:"):
            picture["src"] = (folder / picture["src"]).resolve().as_uri()


def contents_of(parts: list, soup, numbers: dict[str, int]):
    """Return the table of contents: parts, chapters and their sections, with the pages that they begin on."""
    made = soup.new_tag("nav", attrs={"class": "contents"})
    heading = soup.new_tag("h1")
    heading.string = "Contents"
    made.append(heading)
    last = ""
    for caption, chapter in parts:
        if caption != last:
            part = soup.new_tag("p", attrs={"class": "part"})
            part.string = last = caption
            made.append(part)
        made.append(entry(soup, chapter["id"], chapter.find("h1").text, numbers, "chapter-line"))
        if caption in ("Lessons", "Appendix"):
            for section in chapter.select("h2"):
                place = section.parent.get("id") or section.get("id")
                if place:
                    made.append(entry(soup, place, section.text, numbers, "section-line"))
    return made


def entry(soup, place: str, words: str, numbers: dict[str, int], kind: str):
    """Return one line of the table of contents."""
    line = soup.new_tag("p", attrs={"class": kind})
    line.append(link(soup, place, words.strip()))
    number = soup.new_tag("span", attrs={"class": "number"})
    number.string = str(numbers.get(place, 0))
    line.append(number)
    return line


def compose(numbers: dict[str, int], root: Path = ROOT, book: Path = BOOK) -> str:
    """Return the whole book as one page of HTML."""
    contents = yaml.safe_load((root / "book" / "_toc.yml").read_text(encoding="utf-8"))
    settings = yaml.safe_load((root / "book" / "_config.yml").read_text(encoding="utf-8"))
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    soup = BeautifulSoup("", "html.parser")
    order, parts = chapters(contents), []
    pages = {page for _, page in order}
    for caption, page in order:
        chapter = article(page, book)
        solutions_last(chapter, page, soup)
        bring_home(chapter, page, pages, book)
        parts.append((caption, chapter))
    style = (book / "_static" / "pygments.css").read_text(encoding="utf-8").split("html[data-theme=dark]")[0]
    style += (root / "book" / "print.css").read_text(encoding="utf-8")
    mathematics = (book / "_static" / settings["sphinx"]["config"]["mathjax_path"]).as_uri()
    return f"""<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{settings["title"]}</title><style>{style}</style>
<script>window.MathJax = {{options: {{processHtmlClass: "math"}}}}</script>
<script defer src="{mathematics}"></script></head>
<body><section class="cover"><h1>{settings["title"]}</h1><p>{settings["author"]}</p>
<p>Version {version}. Sounds, the figures to move and the reference of the package are in the pages:
<a href="{address()}">{address()}</a></p></section>
{contents_of(parts, soup, numbers)}
{"".join(str(chapter) for _, chapter in parts)}</body></html>"""


def page_numbers(pdf: bytes) -> dict[str, int]:
    """Return the pages, from 1, that the named places of a PDF by Chromium lie on.

    Raises
    ------
    ValueError
        If the file is not built as Chromium builds it.
    """
    objects = dict(re.findall(rb"(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL))
    found = re.search(rb"/Type /Catalog\s+/Pages (\d+) 0 R\s+/Dests (\d+) 0 R", pdf)
    if not found:
        raise ValueError("the PDF has no list of named places")

    def leaves(number: bytes) -> list[bytes]:
        kids = re.search(rb"/Kids \[([^\]]*)\]", objects[number])
        return [leaf for kid in re.findall(rb"(\d+) 0 R", kids[1]) for leaf in leaves(kid)] if kids else [number]

    position = {number: place for place, number in enumerate(leaves(found[1]), start=1)}
    places = re.findall(rb"/(\S+) \[(\d+) 0 R /XYZ", objects[found[2]])
    return {name.decode(): position[number] for name, number in places}


def print_page(browser, page: Path) -> bytes:
    """Return a page as PDF, once its figures are drawn, its sounds are named and its mathematics is set."""
    browser.get(page.as_uri())
    ready = (
        "return document.readyState == 'complete' && Boolean(window.MathJax && MathJax.startup.promise)"
        " && !document.querySelector('.names.old')"  # a network that is still computing what it says of a sound
    )
    WebDriverWait(browser, PATIENCE).until(lambda driver: driver.execute_script(ready))
    browser.execute_async_script("const done = arguments[0]; MathJax.startup.promise.then(() => done())")
    return base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", PRINT)["data"])


def browser():
    """Return a headless Chromium.

    Raises
    ------
    FileNotFoundError
        If there is none, or no driver for it.
    """
    program, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not (program and driver):
        raise FileNotFoundError("there is no chromium with its chromedriver, which print the book")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    started = webdriver.Chrome(options=options, service=Service(driver))
    started.set_script_timeout(PATIENCE)
    started.command_executor.client_config.timeout = PATIENCE
    return started


def print_book(target: Path = TARGET) -> int:
    """Write the book as PDF and return how many pages it has; twice set, so that the contents know their pages."""
    source, numbers = target.with_suffix(".print.html"), {}
    with browser() as driver:
        for _ in range(2):
            source.write_text(compose(numbers), encoding="utf-8")
            pdf = print_page(driver, source)
            numbers = page_numbers(pdf)
    source.unlink()
    target.write_bytes(pdf)
    return len(re.findall(rb"/Type /Page\n", pdf))


def main() -> int:
    """Print the built book."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    if not BOOK.is_dir():
        print("the book is not built: run `make book` first", file=sys.stderr)
        return 1
    print(f"{print_book()} pages in {TARGET.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
