"""What is read from sources: definitions, mentions of lessons, and which lesson uses what."""

import importlib

import pytest

from scripts import package_index as index
from scripts.repository import ROOT


def test_definitions_are_what_an_import_finds():
    for definition in index.definitions(ROOT):
        if definition.module in ("envnet_tutorial.errors", "envnet_tutorial.settings"):
            found = getattr(importlib.import_module(definition.module), definition.name)
            assert found.__module__ == definition.module
            assert found.__doc__.strip().startswith(definition.docstring.splitlines()[0])


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("(lesson 4)", ["4"]),
        ("(lessons 1, 4 and 6)", ["1", "4", "6"]),
        ("the appendix on speed; lesson 3", ["speed", "3"]),
        ("lessons of 4 clips, 3 lessons", []),
    ],
)
def test_lessons_are_found_in_a_sentence(text, called):
    assert index.mentions(text) == called


def test_uses_are_found_through_names_modules_and_other_names():
    code = """
from envnet_tutorial import audio
from envnet_tutorial.models import EnvNet
from envnet_tutorial.plotting import shapes as drawing
import torch
audio.resample(drawing.plot_network(torch.zeros(1)))
"""
    assert set(index.uses(code)) == {
        ("envnet_tutorial", "audio"),
        ("envnet_tutorial.models", "EnvNet"),
        ("envnet_tutorial.plotting", "shapes"),
        ("envnet_tutorial.audio", "resample"),
        ("envnet_tutorial.plotting.shapes", "plot_network"),
    }


def test_a_lesson_uses_what_it_imports_and_nothing_of_the_same_name_elsewhere():
    used = index.lessons_by_name(ROOT, index.definitions(ROOT))
    assert "1" in used["envnet_tutorial.audio.reading.load_audio"]
    assert used["envnet_tutorial.files.write_json"] == []
    assert "3" in used["envnet_tutorial.models.envnet.EnvNet"]


def test_lessons_are_called_by_number_or_by_subject():
    pages = index.lesson_pages(ROOT)
    assert pages["1"] == "notebooks/01_loading_audio"
    assert pages["speed"] == "notebooks/appendix_speed"
    assert index.page_of("Lesson 1", pages) == pages["1"]
    assert index.page_of("lesson 99", pages) is None


def test_imports_inside_functions_count():
    assert index.imports("def f():\n    from a.b import c\nimport d.e") == {"a.b.c", "d.e"}
