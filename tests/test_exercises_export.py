"""What a page gets to judge answers is all that Python judges by."""

import dataclasses
import json
import re
from collections import defaultdict
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
LESSONS = [path for path in NOTEBOOKS if path.stem[0] == "0"]


def sources(notebook: Path, kind: str) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == kind)


def checks_called(notebook: Path) -> set[str]:
    return set(re.findall(r"\bcheck_\w+", sources(notebook, "code")))


def cells_of(notebook: Path) -> list[dict]:
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def is_start(cell: dict) -> bool:
    """Tell whether a cell gives the reader code to begin with."""
    return cell["cell_type"] == "code" and "solution" not in cell["metadata"].get("tags", [])


def asks_first(text: str) -> bool:
    """Tell whether a text asks for a prediction: by that word, or by a question in bold."""
    return "Predict" in text or re.search(r"\*\*[^*]+\?\*\*", text) is not None


def wants_function(check: str) -> bool:
    """Tell whether a check is of a function, by what it says of an answer that is none."""
    lesson = next(lesson for lesson in export.LESSONS if hasattr(lesson, check))
    return "a function is wanted here" in getattr(lesson, check)(0).message


def exercises_by_kind(cells: list[dict]) -> dict[str, list[str]]:
    """Sort the exercises of a lesson by kind, as its cells show them.

    Three kinds have a cell that assigns ``...`` and hands it to a check:

    - "function", where the check asks for a function. One that the page shows solved, without the dots, is none.
    - "prediction", any other that stands before the section "Exercises", below a text that says "Predict" or asks a
      question in bold.
    - "answer", the rest.

    "open" is what no check can judge: a text, then code to begin with (other than a solution), then the next text with
    "What a good answer holds".

    Returns
    -------
    dict of str to list of str
        For each kind the checks, or the beginnings of the texts that ask.
    """
    kinds, text, started, in_page = defaultdict(list), "", False, True
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            if "<summary>What a good answer holds</summary>" in source and started:
                kinds["open"].append(text[:40])
            text, started, in_page = source, False, in_page and "## Exercises" not in source
            continue
        started |= is_start(cell)
        check = re.search(r"\.(check_\w+)\(", source)
        if check and re.search(r"^\w+ = \.\.\.", source, re.MULTILINE):
            is_first = in_page and asks_first(text)
            kind = "function" if wants_function(check[1]) else "prediction" if is_first else "answer"
            kinds[kind].append(check[1])
    return kinds


def left_alone(cells: list[dict]) -> list[str]:
    """Return the numbered exercises with neither a checked answer nor both a start and what a good answer holds."""
    found, asked = [], []  # of each exercise: how it begins, and the cells up to the next one
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and asked:
            asked[-1][1].append(cell)
            continue
        head, *numbered = re.split(r"^(?=\*\*\d+\. ?)", source, flags=re.MULTILINE)
        if asked and "<summary>What a good answer holds</summary>" in head:
            asked[-1][1].append(cell)
        if head.lstrip().startswith("## ") or "\n## " in head:
            found, asked = found + asked, []
        if cell["cell_type"] == "markdown" and ("## Exercises" in head or asked):
            asked += [(text[:40], []) for text in numbered]
    return [text for text, given in found if not is_whole(given)]


def is_whole(given: list[dict]) -> bool:
    code = "\n".join("".join(cell["source"]) for cell in given if is_start(cell))
    return bool(".check_" in code or (code and any(cell["cell_type"] == "markdown" for cell in given)))


def test_every_check_that_a_lesson_calls_exists():
    names = {name for lesson in export.LESSONS for name in vars(lesson) if name.startswith("check_")}
    called = set().union(*map(checks_called, NOTEBOOKS))
    assert called
    assert called <= names


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_five_exercises_and_more(notebook):
    """Those that are checked, and the open ones, which say what a good answer holds."""
    open_ones = sources(notebook, "markdown").count("<summary>What a good answer holds</summary>")
    assert len(checks_called(notebook)) + open_ones >= 5


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_exercises_of_three_kinds(notebook):
    """Something to predict, a small function to write, and an open question with code to begin with."""
    kinds = exercises_by_kind(cells_of(notebook))
    assert [kind for kind in ("prediction", "function", "open") if not kinds[kind]] == []
    assert sum(map(len, kinds.values())) >= 5


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_no_exercise_is_left_alone(notebook):
    """It can be checked, or there is code to begin with, and a word on what a good answer holds."""
    assert left_alone(cells_of(notebook)) == []


def planted(*sources: str) -> list[dict]:
    """Make cells: text, code that begins with a prompt, or a solution that begins with a hash."""
    kinds = {">": ("code", []), "#!": ("code", ["solution"])}
    cells = []
    for source in sources:
        mark = next((mark for mark in kinds if source.startswith(mark)), "")
        kind, tags = kinds.get(mark, ("markdown", []))
        cells.append({"cell_type": kind, "metadata": {"tags": tags}, "source": [source.removeprefix(mark)]})
    return cells


HOLDS = "<details><summary>What a good answer holds</summary>\n\nn.\n\n</details>"
FUNCTION = ">vote = ...\nlesson_04.check_average_windows(vote)"
NUMBER = ">loss = ...\nlesson_04.check_first_loss(loss)"


@pytest.mark.parametrize(
    ("sources", "kinds"),
    [
        (("Write it.", FUNCTION), {"function": ["check_average_windows"]}),
        (("Here it is.", FUNCTION.replace("...", "torch.mean")), {}),
        (("**How large?**", NUMBER), {"prediction": ["check_first_loss"]}),
        (("## Predict\n\nHow large?", NUMBER), {"prediction": ["check_first_loss"]}),
        (("It was told.", NUMBER), {"answer": ["check_first_loss"]}),
        (("## Exercises", "**1.** **How large?**", NUMBER), {"answer": ["check_first_loss"]}),
        (("Open: why?", ">start = ...", HOLDS), {"open": ["Open: why?"]}),
        (("Open: why?", ">start = ...", "#!start = 1", HOLDS), {"open": ["Open: why?"]}),
        (("Open: why?", "#!start = 1", HOLDS), {}),
        (("Open: why?", HOLDS), {}),
        (("Open: why?", ">start = ..."), {}),
    ],
)
def test_an_exercise_is_of_the_kind_that_its_cells_show(sources, kinds):
    assert exercises_by_kind(planted(*sources)) == kinds


@pytest.mark.parametrize(
    ("sources", "alone"),
    [
        (("## Exercises\n\n**1.** How many?", NUMBER, "**2.** Open: why?", ">start = ...", HOLDS, "## Quiz"), []),
        (("## Exercises\n\n**1. Why?**", HOLDS, "## Quiz"), ["**1. Why?**"]),
        (("## Exercises\n\n**1.** Why?\n\n**2.** Which?", NUMBER, "## Quiz"), ["**1.** Why?\n\n"]),
        (("## Exercises\n\n**1.** Why?", ">start = ...", "## Quiz"), ["**1.** Why?"]),
        (("## Exercises\n\n**1.** Why?", "#!start = 1", HOLDS + "\n\n## Quiz"), ["**1.** Why?"]),
        (("## Exercises\n\n**1.** Why?", ">start = ...", HOLDS + "\n\n## Quiz"), []),
    ],
)
def test_an_exercise_left_alone_is_noticed(sources, alone):
    assert left_alone(planted(*sources)) == alone
