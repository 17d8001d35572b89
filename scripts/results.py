"""Write the book's page of results from those that come with the package: ``book/results.md``.

Run as ``python -m scripts.results`` when a result has come or gone, or holds more seeds than before.
"""

import re
import shlex
from itertools import groupby, product

from envnet_tutorial.comparison.published import published
from envnet_tutorial.results import SHIPPED, Result, load_result, statistics, views
from scripts.repository import ROOT

PAGE = ROOT / "book" / "results.md"
DATA = ("ESC-50", "ESC-10")
#: The seed and the fold in a command or in the name of its folder.
PLACES = {
    "seed": re.compile(r"(?<=--seed )\d+|(?<=-seed)\d+"),
    "fold": re.compile(r"(?<=--folds )\d+\b(?!,)|(?<=-fold)\d+\b"),
}
#: What stands before the tables.
OPENING = """\
# Every recorded run

<!-- Written by `python -m scripts.results`; change that instead. -->

Each row is a set of trainings by the code of this repository: a network for each seed and fold, tested on the fold that
it has not seen, with ten windows of each clip, after the last epoch. In brackets is the standard error, which counts
recordings and, where there are several, seeds; a row with one seed is an anecdote.
[How sure are we?](../notebooks/appendix_statistics.ipynb) says what these numbers are worth, and compares rows on the
same clips.
"""
BELOW = """\
The published numbers are means over the five folds, after 600 epochs or, between-class, 1,200
([Tokozume, Ushiku and Harada 2018](https://arxiv.org/abs/1711.10282)). `envnet-pooled-norm` has EnvNet's layers and
parameters and the second batch norm behind the pool; [lesson 7](../notebooks/07_architectures.ipynb) has all networks.
ESC-50 is ESC-50 at 16 kHz, rejoined: resampled by others, and not bit for bit what its author published.

`paper` is the paper's recipe; `fast` takes a tenth of its epochs, compresses the levels of the windows and turns half
of them upside down; `short` is the paper's, cut to a fifteenth. `fast` was chosen by folds 1 and 2 of ESC-10, seed 0;
for each fold of ESC-10, the four others prefer it to mixing for as many epochs. Products are in bfloat16 where a row
says so; where it names two formats, some networks used one and some the other. Everything else is in float32.
"""
MADE = """\
## How each was made

`ESC-10` and `ESC-50` are folders that hold these sets. Settings, history, every prediction and the front ends lie in
`envnet_tutorial/results/shipped`, a folder for each name; `envnet_tutorial.results.load_result` reads them.
"""


def runs() -> dict[str, Result]:
    """Return the shipped results of trainings on folds, by name: those of `fast` first, then in alphabetical order."""
    found = {path.name: load_result(path.name) for path in sorted(SHIPPED.iterdir())}
    found = {name: result for name, result in found.items() if result.settings["kind"] == "run"}
    return dict(sorted(found.items(), key=lambda pair: (pair[1].settings["recipe"]["name"] != "fast", pair[0])))


def recipe_of(run: Result) -> str:
    """Say in a few words by which network and recipe a run has learned."""
    recipe = run.settings["recipe"]
    words = [run.settings["network"], recipe["name"], *(["between-class"] if recipe["mix"] == "bc" else [])]
    words += [f"{recipe['epochs']} epochs", *([] if recipe["precision"] == "float32" else [recipe["precision"]])]
    return ", ".join(words)


def row(name: str, run: Result) -> str:
    """Return the row of a run in the table of its data."""
    settings, counts, found = run.settings, views.by_fold(run), statistics.accuracy(run)
    cells = [
        f"[{name}](#{name}): {recipe_of(run)}",
        f"{len(settings['seeds'])} x {len(settings['folds'])}",
        f"{counts['correct'].sum():,} of {counts['clips'].sum():,}",
        f"{found.mean:.1%} ({found.standard_error:.1%})",
    ]
    return f"| {' | '.join(cells)} |"


def table(data: str) -> str:
    """Return the table of all runs on a data set."""
    rows = [row(name, run) for name, run in runs().items() if run.settings["data"] == data]
    heads = ["| Run | Seeds x folds | Right | Accuracy |", "|---|---|---|---|"]
    standard, mixed = (published("envnet", data, mix=mix).accuracy for mix in ("none", "bc"))
    others = f"Published of EnvNet: {standard:.1%}, between-class {mixed:.1%}."
    return "\n".join([f"## {data}", "", *heads, *rows, "", others, ""])


def origin(run: Result) -> str:
    """Say on what and when the networks of a run were trained, and by which commits of this repository."""
    records = run.settings["provenance"]
    hardware = [record["hardware"] for record in records]
    processors = sorted({one["gpu"] or one["processor"].replace("(R)", "") for one in hardware})
    torch = sorted({record["versions"]["torch"] for record in records})
    days = sorted({record["started"][:10] for record in records})
    commits = sorted({record["commit"][:7] for record in records if record["commit"]})
    unknown = sum(not record["commit"] for record in records)
    notes = sorted({record["note"] for record in records if record.get("note")})
    made_by = [f"commit {', '.join(commits)}"] if commits else []
    if unknown:
        made_by += [f"{f'for {unknown} of {len(records)} records ' if commits else ''}the commit was not stored"]
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    words = [" and ".join(processors), f"torch {', '.join(torch)}", when, *made_by, *notes]
    return "; ".join(words) + "."


def looped(commands: list[str]) -> list[str]:
    """Write commands that differ by seed and fold alone as loops, and folders that do with braces, as bash has them."""
    lines = []
    for alike in like_runs(commands):
        numbers = varying(alike)
        if numbers:
            heads = [f"for {name} in {' '.join(digits)}; do" for name, digits in numbers.items()]
            command = with_numbers(alike[0], {name: f"${name}" for name in numbers})
            lines += [" ".join(heads), f"  {command}", "; ".join(["done"] * len(heads))]
        else:
            lines += [braced(line) for line in alike]
    return [part for line in lines for part in broken(line)]


def broken(line: str, width: int = 76) -> list[str]:
    """Break a command that is wider than the page, as bash lets it go on: between options, never within quotes."""
    indent = " " * (len(line) - len(line.lstrip()))
    parts = []
    for words in re.findall(r"""(?:--[\w-]+ (?!-))?(?:"[^"]*"|'[^']*'|\S)+""", line):
        if parts and len(f"{indent}{parts[-1]} {words} \\") <= width:
            parts[-1] += f" {words}"
        else:
            parts.append(f"    {words}" if parts else words)
    return [f"{indent}{part}" for part in " \\\n".join(parts).split("\n")]


def braced(command: str) -> str:
    """Write words of a command that differ by seed and fold alone as one word with braces."""
    words = []
    for alike in like_runs(shlex.split(command)):
        numbers = varying(alike)
        if numbers:
            words.append(with_numbers(alike[0], {name: f"{{{','.join(digits)}}}" for name, digits in numbers.items()}))
        else:
            words += map(shlex.quote, alike)
    return " ".join(words)


def like_runs(texts: list[str]) -> list[list[str]]:
    """Part a list into stretches of texts that are the same but for their seeds and folds."""
    return [list(group) for _, group in groupby(texts, lambda text: with_numbers(text, dict.fromkeys(PLACES, "")))]


def with_numbers(text: str, numbers: dict[str, str]) -> str:
    """Return a text with other words for its seed, its fold, or both."""
    for name, word in numbers.items():
        text = PLACES[name].sub(word, text)
    return text


def varying(alike: list[str]) -> dict[str, list[str]]:
    """Return the seeds and folds that texts run through, the seeds slowest; nothing unless each meets each once."""
    numbers = {name: list(dict.fromkeys(re.findall(place, " ".join(alike)))) for name, place in PLACES.items()}
    numbers = {name: digits for name, digits in numbers.items() if len(digits) > 1}
    met = [dict(zip(numbers, each, strict=True)) for each in product(*numbers.values())]
    return numbers if alike == [with_numbers(alike[0], each) for each in met] else {}


def making(name: str, run: Result) -> str:
    """Return the part of the page that says how a run was made."""
    lines = [f"### {name}", "", origin(run), "", "```sh", *looped(run.settings["commands"]), "```", ""]
    return "\n".join(lines)


def page() -> str:
    """Return the text of the book's page of results."""
    parts = [OPENING, *map(table, DATA), BELOW, MADE, *(making(name, run) for name, run in runs().items())]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
