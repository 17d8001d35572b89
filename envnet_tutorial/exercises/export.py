"""Every question that is declared as data, with the sentences for malformed answers, as content for JSON."""

from types import ModuleType

from envnet_tutorial.exercises import (
    appendix_speed,
    appendix_statistics,
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
)
from envnet_tutorial.exercises.answers import MALFORMED
from envnet_tutorial.exercises.questions import Question

LESSONS = (
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
    appendix_speed,
    appendix_statistics,
)


def questions_of(lesson: ModuleType) -> list[Question]:
    """Return the questions that a lesson declares as data, in its order."""
    return [value for value in vars(lesson).values() if isinstance(value, Question)]


def to_json() -> dict:
    """Return what a page needs to judge answers as Python does.

    Returns
    -------
    dict
        ``malformed``: the sentence for each kind of answer that cannot be judged. ``lessons``: for each module of
        checks, such as ``lesson_01``, its questions by the name of the check.
    """
    lessons = {
        lesson.__name__.rpartition(".")[2]: {question.name: question.to_json() for question in questions_of(lesson)}
        for lesson in LESSONS
    }
    return {"malformed": MALFORMED, "lessons": lessons}
