"""A quiz with a reason for every choice, the same in a notebook, in Colab and in a page without a kernel.

A lesson declares its quiz once, as ``QUIZ`` in its module of checks, and shows it by a cell whose last line is
``lesson_01.QUIZ``. The script keeps the score on the reader's device. Without it, the answers are folds.
"""

import hashlib
import html
import re
from dataclasses import dataclass
from string import ascii_lowercase

from envnet_tutorial.exercises.inlined import style_and_script


@dataclass(frozen=True)
class Choice:
    """One answer that may be chosen.

    Parameters
    ----------
    text : str
        The answer. What stands between backticks is set as code, here and in the other texts of a quiz.
    reason : str
        Why it is right, or what one who chooses it has mistaken.
    is_right : bool
    """

    text: str
    reason: str
    is_right: bool = False


@dataclass(frozen=True)
class QuizQuestion:
    """A question with a few choices, one of them right.

    Parameters
    ----------
    question : str
    choices : tuple of Choice
        In the order in which they are shown.

    Raises
    ------
    ValueError
        If there are not three or four choices, not exactly one is right, two are alike, or a text is missing.
    """

    question: str
    choices: tuple[Choice, ...]

    def __post_init__(self):
        if not 3 <= len(self.choices) <= 4:
            raise ValueError(f"{self.question!r} has {len(self.choices)} choices instead of three or four")
        if sum(choice.is_right for choice in self.choices) != 1:
            raise ValueError(f"{self.question!r} needs exactly one right choice")
        if len({choice.text for choice in self.choices}) < len(self.choices):
            raise ValueError(f"{self.question!r} offers the same choice twice")
        if not all(text.strip() for choice in self.choices for text in (self.question, choice.text, choice.reason)):
            raise ValueError(f"{self.question!r} lacks a text: every choice has its reason")


@dataclass(frozen=True, repr=False)
class Quiz:
    """The quiz of a lesson; the last line of a cell shows it (lesson 1).

    Parameters
    ----------
    name : str
        Name of the lesson's module, such as ``lesson_01``: the score is kept under it.
    questions : tuple of QuizQuestion
    """

    name: str
    questions: tuple[QuizQuestion, ...]

    def __repr__(self) -> str:
        asked, answered = [], ["Answers"]
        for number, question in enumerate(self.questions, start=1):
            asked.append(f"{number}. {question.question}")
            for letter, choice in zip(ascii_lowercase, question.choices, strict=False):
                asked.append(f"   {letter}) {choice.text}")
                answered.append(f"{number}{letter}) {_verdict(choice)} {choice.reason}")
        return "\n".join([*asked, "", *answered])

    def _repr_html_(self) -> str:
        questions = "".join(_question(number, question) for number, question in enumerate(self.questions, start=1))
        # A score belongs to these very questions: with another text it starts anew.
        version = hashlib.sha1(repr(self).encode()).hexdigest()[:8]
        key = html.escape(f"{self.name}-{version}", quote=True)
        return f'<div class="quiz" data-key="{key}">{questions}</div>{style_and_script("quiz")}'


def _question(number: int, question: QuizQuestion) -> str:
    """Write a question as it stands where no script runs: its choices in a list, the answers folded."""
    choices = "".join(f"<li>{_marked_up(choice.text)}</li>" for choice in question.choices)
    reasons = "".join(
        f"<li{' data-right' if choice.is_right else ''}>{_verdict(choice)} {_marked_up(choice.reason)}</li>"
        for choice in question.choices
    )
    return (
        f'<div class="quiz-question"><p>{number}. {_marked_up(question.question)}</p><ol type="a">{choices}</ol>'
        f'<details><summary>Answers to question {number}</summary><ol type="a">{reasons}</ol></details></div>'
    )


def _verdict(choice: Choice) -> str:
    return "Right:" if choice.is_right else "Not so:"


def _marked_up(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
