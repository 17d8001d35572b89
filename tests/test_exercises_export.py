"""What a page gets to judge answers is all that Python judges by."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from envnet_tutorial.exercises import export, questions
from envnet_tutorial.exercises.answers import MALFORMED

QUESTIONS = {question.name: question for lesson in export.LESSONS for question in export.questions_of(lesson)}
LISTED = [question for question in QUESTIONS.values() if isinstance(question, questions.TupleQuestion)]
MEMBERS = {"conditions": questions.Condition}  # all other lists of objects hold cases


def rebuilt(content: dict) -> questions.Question:
    """Make the question again from nothing but its JSON."""
    fields = {key: frozen(value, MEMBERS.get(key, questions.Case)) for key, value in content.items() if key != "kind"}
    return getattr(questions, content["kind"])(**fields)


def frozen(value, member):
    if isinstance(value, dict):
        return member(**{key: frozen(entry, member) for key, entry in value.items()})
    return tuple(frozen(entry, member) for entry in value) if isinstance(value, list) else value


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=list(QUESTIONS))
def test_a_question_is_whole_in_its_json(question):
    again = rebuilt(json.loads(json.dumps(question.to_json(), allow_nan=False)))
    assert again == question
    assert dataclasses.asdict(again) == dataclasses.asdict(question)


def test_every_question_belongs_to_a_check_of_its_lesson():
    content = export.to_json()
    assert content["malformed"] == MALFORMED
    assert [len(names) for names in content["lessons"].values()] == [4, 5, 4, 5, 4, 5, 8, 1, 2]
    for lesson in export.LESSONS:
        for question in export.questions_of(lesson):
            assert getattr(lesson, question.name)("...").message == question.task
            assert content["lessons"][lesson.__name__.rpartition(".")[2]][question.name] == question.to_json()


@pytest.mark.parametrize("question", LISTED, ids=lambda question: question.name)
def test_no_hint_hides_a_right_answer_or_another_hint(question):
    """Each case that is declared is reached: the first that matches it is itself."""
    assert question.judge(question.answer).message == question.praise
    for case in (*question.hints, *question.also):
        assert question.judge(case.answer).message == case.text
        assert question.judge(case.answer).correct is (case in question.also)


NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def sources(notebook: Path, kind: str) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == kind)


def checks_called(notebook: Path) -> set[str]:
    return set(re.findall(r"\bcheck_\w+", sources(notebook, "code")))


def test_every_check_that_a_lesson_calls_exists():
    names = {name for lesson in export.LESSONS for name in vars(lesson) if name.startswith("check_")}
    called = set().union(*map(checks_called, NOTEBOOKS))
    assert called
    assert called <= names


@pytest.mark.parametrize("notebook", [path for path in NOTEBOOKS if path.stem[0] == "0"], ids=lambda path: path.stem)
def test_a_lesson_has_five_exercises_and_more(notebook):
    """Those that are checked, and the open ones, which say what a good answer holds."""
    open_ones = sources(notebook, "markdown").count("<summary>What a good answer holds</summary>")
    assert len(checks_called(notebook)) + open_ones >= 5
