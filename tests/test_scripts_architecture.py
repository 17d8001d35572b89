"""The picture of the package is drawn from its imports: what is committed is what the script draws today."""

from xml.etree import ElementTree

import pytest

from scripts import architecture
from scripts.package_index import floors, modules
from scripts.repository import ROOT


@pytest.mark.parametrize("path", architecture.written(), ids=lambda path: path.name)
def test_what_is_committed_is_what_the_script_writes_today(path):
    assert path.read_text(encoding="utf-8") == architecture.written()[path], "run `python -m scripts.architecture`"


def test_every_module_has_its_box_and_every_pair_of_floors_its_arrow():
    picture = ElementTree.fromstring(architecture.picture())
    boxes = [shape for shape in picture.iter("rect") if shape.get("class").startswith("box")]
    assert len(boxes) == len(modules(ROOT))
    assert len([shape for shape in picture.iter("path") if shape.get("class") == "arrow"]) == len(architecture.arrows())


def test_no_box_or_letter_leaves_its_column():
    picture = ElementTree.fromstring(architecture.picture())
    width, height = map(float, picture.get("viewBox").split()[2:])
    boxes = [shape for shape in picture.iter("rect") if shape.get("class").startswith("box")]
    assert max(float(box.get("x")) + float(box.get("width")) for box in boxes) <= architecture.COLUMN + 10
    assert max(float(text.get("y")) for text in picture.iter("text")) < height
    assert width == architecture.WIDTH


def test_all_arrows_point_down():
    order = [floor["page"] for floor in floors(ROOT)]
    assert all(order.index(start) > order.index(end) for start, end in architecture.arrows())


def test_imports_are_counted_between_floors_only(tmp_path):
    for name, text in {
        "book/floors.yml": "- {page: ground, modules: [errors]}\n- {page: audio, modules: [audio]}\n",
        "envnet_tutorial/__init__.py": "",
        "envnet_tutorial/errors.py": "import sys",
        "envnet_tutorial/audio/__init__.py": "from envnet_tutorial.audio.levels import level",
        "envnet_tutorial/audio/levels.py": "from envnet_tutorial.errors import InputError, Other\nimport numpy",
        "envnet_tutorial/audio/reading.py": "def read():\n    from envnet_tutorial import errors",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert architecture.imported_modules(tmp_path)["envnet_tutorial.audio"] == {"envnet_tutorial.audio.levels"}
    assert architecture.arrows(tmp_path) == {("audio", "ground"): 2}


def test_the_floors_of_contributing_are_the_one_list():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawn = text.split("```\n  commands", 1)[1].split("```", 1)[0]
    lines = ["commands" + drawn.splitlines()[0], *(line.strip() for line in drawn.splitlines()[1:])]
    for line, floor in zip(lines, reversed(floors(ROOT)), strict=True):
        assert line.split()[: len(floor["modules"])] == floor["modules"]
        assert line.endswith(floor["says"])
