"""Draw the package from its imports: the page ``book/architecture.md`` and the floors in CONTRIBUTING.md.

Run as ``python -m scripts.architecture`` when a module or an import between floors has come or gone.
"""

import re
from collections import Counter
from functools import cache
from html import escape
from pathlib import Path

from scripts.package_index import PACKAGE, floors, imports, modules, modules_of
from scripts.repository import ROOT

#: What is written anew in CONTRIBUTING.md: the block of code in which the ground floor stands.
HOUSE = re.compile(r"```\n(?:  .*\n)*  settings.*\n```")
WIDTH, COLUMN = 400, 292  # of the picture, and of its boxes: the rest is for the arrows
CHARACTER, LINE, GAP = 6.35, 17, 4  # of 10.5 px type, in the picture's pixels
#: The picture takes the colours of the page that it is on, dark or light.
STYLE = """\
<style>
svg.architecture { width: 100%; font: 10.5px var(--pst-font-family-monospace); fill: var(--pst-color-text-base); }
svg.architecture .floor { font-weight: 700; }
svg.architecture .storey { fill: var(--pst-color-surface); }
svg.architecture .box { fill: var(--pst-color-background); stroke: var(--pst-color-text-muted); stroke-width: 0.6; }
svg.architecture .folder { stroke-width: 1.8; }
svg.architecture .arrow { fill: none; stroke: var(--pst-color-primary); opacity: 0.75; }
svg.architecture .head { fill: var(--pst-color-primary); }
</style>"""
NUMBERS = {8: "eight", 9: "nine", 10: "ten", 11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen"}


def floor_names(root: Path = ROOT) -> dict[str, str]:
    """Return the page of the floor that each module stands on, from the ground up."""
    return {module: floor["page"] for floor in floors(root) for module in modules_of(root, floor)}


@cache
def imported_modules(root: Path = ROOT) -> dict[str, set[str]]:
    """Return, for each module of the package, those that it imports."""
    known = modules(root)
    found = {}
    for module, path in known.items():
        names = imports(path.read_text(encoding="utf-8"))
        found[module] = {name if name in known else name.rpartition(".")[0] for name in names} & known.keys()
    return found


def arrows(root: Path = ROOT) -> Counter:
    """Count, for each pair of different floors, the imports of a module of the first from a module of the second."""
    floor = floor_names(root)
    pairs = [(floor[module], floor[other]) for module, others in imported_modules(root).items() for other in others]
    return Counter(pair for pair in pairs if pair[0] != pair[1])


def rows_of(names: list[str]) -> list[list[tuple[float, str]]]:
    """Set boxes with these names side by side, as many as fit, and return their left edges row by row."""
    rows, edge = [[]], 0.0
    for name in names:
        width = box_width(name)
        if rows[-1] and edge + width > COLUMN:
            rows.append([])
            edge = 0.0
        rows[-1].append((edge, name))
        edge += width + GAP
    return rows


def box_width(name: str) -> float:
    """Return the width of the box that holds a name."""
    return CHARACTER * len(name) + 8


def short(module: str) -> str:
    """Return what a box calls a module: its name in the package; the package's own file keeps its name."""
    return module.removeprefix(f"{PACKAGE}.").split(".", 1)[-1]


def draw_floor(floor: dict, names: list[str], top: float) -> tuple[list[str], float]:
    """Return the shapes of one floor and the height at which it ends; a folder's box has a thick edge."""
    folders = {name for name in names if any(other.startswith(f"{name}.") for other in names)}
    shapes = [f'<text class="floor" x="6" y="{top + 14:g}">{floor["page"]}</text>']
    rows, bottom = [], top + 20
    for module in names:
        if (module in folders and module.count(".") == 1) or not rows:
            rows.append([])
        rows[-1].append(module)
    for group in rows:
        labels = {short(module): "box folder" if module in folders else "box" for module in group}
        for row in rows_of(list(labels)):
            for edge, name in row:
                shapes.append(
                    f'<rect class="{labels[name]}" x="{6 + edge:.1f}" y="{bottom:g}" width="{box_width(name):.1f}" '
                    f'height="{LINE - 2}" rx="2"/><text x="{10 + edge:.1f}" y="{bottom + 11:g}">{escape(name)}</text>'
                )
            bottom += LINE
    edge = f'<rect class="storey" x="1" y="{top:g}" width="{COLUMN + 10}" height="{bottom + 3 - top:g}" rx="4"/>'
    return [edge, *shapes], bottom + 3


def draw_arrows(counted: Counter, edges: dict[str, tuple[float, float]]) -> list[str]:
    """Return one curve for each pair of floors, from the importing one down to the imported, wider for more imports."""
    left, order = COLUMN + 11, list(edges)
    leaving = {name: sorted((b for a, b in counted if a == name), key=order.index) for name in order}
    arriving = {name: sorted((a for a, b in counted if b == name), key=order.index) for name in order}
    curves = []
    for (start, end), count in sorted(counted.items(), key=lambda pair: -order.index(pair[0][1])):
        y = port(edges[start], leaving[start].index(end), len(leaving[start]), upper=False)
        to = port(edges[end], arriving[end].index(start), len(arriving[end]), upper=True)
        bulge = min(14 + (to - y) / 6.5, WIDTH - left - 4)
        width = 0.8 + min(count, 16) / 6
        curves.append(
            f'<path class="arrow" stroke-width="{width:.1f}" d="M{left},{y:.1f} c{bulge * 4 / 3:.1f},0 '
            f'{bulge * 4 / 3:.1f},{to - y:.1f} 4,{to - y:.1f}"/>'
            f'<path class="head" d="M{left},{to:.1f} l7,-3.5 v7 z"/>'
        )
    return curves


def port(edges: tuple[float, float], position: int, count: int, upper: bool) -> float:
    """Return the height at which an arrow meets a floor: it arrives in the upper half and leaves from the lower."""
    top, bottom = edges
    share = (position + 1) / (count + 1) / 2
    return top + (bottom - top) * (share if upper else 0.5 + share)


def picture(root: Path = ROOT) -> str:
    """Return the package as SVG: a band for each floor, the commands above and the ground below."""
    shapes, edges, top = [], {}, 1.0
    for floor in reversed(floors(root)):
        drawn, bottom = draw_floor(floor, modules_of(root, floor), top)
        shapes += drawn
        edges[floor["page"]] = (top, bottom)
        top = bottom + 5
    shapes += draw_arrows(arrows(root), edges)
    return "\n".join(
        [
            f'<svg class="architecture" viewBox="0 0 {WIDTH} {top:g}" role="img" aria-labelledby="architecture-title">',
            f'<title id="architecture-title">{escape(description(root))}</title>',
            STYLE,
            *shapes,
            "</svg>",
        ]
    )


def description(root: Path = ROOT) -> str:
    """Return what the picture shows, in a sentence for those who do not see it."""
    names = [floor["page"] for floor in reversed(floors(root))]
    return (
        f"The {len(modules(root))} modules of the package as boxes on {NUMBERS[len(names)]} floors, from the top: "
        f"{', '.join(names)}. Every arrow between floors points down."
    )


def table(root: Path = ROOT) -> str:
    """Return the same in words: what each floor is for, and what it imports from which."""
    counted = arrows(root)
    lines = ["| Floor | What it is for | Imports from |", "|---|---|---|"]
    for floor in reversed(floors(root)):
        below = sorted(
            ((count, end) for (start, end), count in counted.items() if start == floor["page"]), reverse=True
        )
        words = ", ".join(f"{end} ({count})" for count, end in below) or "nothing"
        page = f"[{floor['page']}](reference/{floor['page']}.md)"
        lines.append(f"| {page} | {floor['says']} | {words} |")
    return "\n".join(lines)


def page(root: Path = ROOT) -> str:
    """Return the text of the book's page on the package."""
    storeys = NUMBERS[len(floors(root))]
    return f"""# Architecture

<!-- Written by `python -m scripts.architecture`; change that instead. -->

The package stands on {storeys} floors. A module imports from its own floor and from those below it, never from
above, so whoever reads from the ground up meets no name that is not explained yet. A test holds every import to that.

```{{raw}} html
<figure class="architecture">
{picture(root)}
<figcaption>Each box is a module; a thick edge marks a folder, whose modules follow it. An arrow leads from a floor
to one that it imports from, and is wider for more imports. Drawn by <code>scripts/architecture.py</code>.</figcaption>
</figure>
```

The same in words, with the number of imports from each floor in brackets:

{table(root)}
"""


def house(root: Path = ROOT) -> str:
    """Return the block of CONTRIBUTING.md that lists the floors, the commands above and the ground below."""
    lines = [("   ".join(floor["modules"]), floor["says"]) for floor in reversed(floors(root))]
    width = max(len(names) for names, _ in lines)
    drawn = [f"  {names.ljust(width)}   {says}" for names, says in lines]
    return "\n".join(["```", *drawn, "```"])


def contributing(root: Path = ROOT) -> str:
    """Return the text of CONTRIBUTING.md with the floors of today."""
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    text = re.sub(r"stands on \w+ floors", f"stands on {NUMBERS[len(floors(root))]} floors", text)
    return HOUSE.sub(lambda _: house(root), text)


def written(root: Path = ROOT) -> dict[Path, str]:
    """Return the files that follow from the imports, with the texts that they should have."""
    return {root / "CONTRIBUTING.md": contributing(root), root / "book" / "architecture.md": page(root)}


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
