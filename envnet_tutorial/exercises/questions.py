"""Questions whose answer is a number, a few numbers or a word, declared as data.

What is right, what each likely mistake is told, and what any other answer is told all stand in the declaration, so
that a page can give the same verdict and the same sentence as Python from `Question.to_json` alone.
"""

from dataclasses import asdict, dataclass

from envnet_tutorial.exercises.answers import MalformedAnswer, is_open, numbers_of, word_of
from envnet_tutorial.exercises.feedback import Feedback

#: How far a number may lie from an exact one: the rounding of a computation in single precision stays below.
EXACT = 1e-6


@dataclass(frozen=True)
class Case:
    """An answer to be expected, and what is said of it.

    Parameters
    ----------
    answer : float, tuple of float, or str
        As the question asks for it.
    text : str
        Why it is right too, or what was mistaken.
    tolerance : float
        How far each number of the answer may lie from the case's.
    """

    answer: float | tuple[float, ...] | str
    text: str
    tolerance: float = EXACT


@dataclass(frozen=True, kw_only=True)
class Question:
    """What all questions share.

    Parameters
    ----------
    name : str
        Name of the check, such as ``check_alias``.
    task, praise, hint : str
        What is said while there is no answer, of the right answer, and of a wrong one that no case foresees.
    """

    name: str
    task: str
    praise: str
    hint: str

    def judge(self, answer) -> Feedback:
        """Say whether an answer is right and why, or where to look."""
        if is_open(answer):
            return Feedback(None, self.task)
        try:
            return self._verdict(answer)
        except MalformedAnswer as malformed:
            return Feedback(False, str(malformed))

    def to_json(self) -> dict:
        """Return the whole declaration as content for JSON, with the name of its class as ``kind``."""
        return {"kind": type(self).__name__, **asdict(self)}

    def _verdict(self, answer) -> Feedback:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class TupleQuestion(Question):
    """A question with a few numbers for an answer, in order.

    Parameters
    ----------
    answer : tuple of float
        The right answer.
    tolerance : float
        How far each number may lie from the right one.
    unit : str
        Unit of the numbers; empty for counts of nothing in particular.
    hints : tuple of Case
        Wrong answers to be expected. They are tried first, so a narrow one may lie within the tolerance.
    also : tuple of Case
        Other right answers, with what is said of them; tried last.
    """

    answer: float | tuple[float, ...]
    tolerance: float = EXACT
    unit: str = ""
    hints: tuple[Case, ...] = ()
    also: tuple[Case, ...] = ()

    def _verdict(self, answer) -> Feedback:
        values = numbers_of(answer, len(_numbers(self.answer)))
        right = Case(self.answer, self.praise, self.tolerance)
        for case in (*self.hints, right, *self.also):
            if all(abs(a - b) <= case.tolerance for a, b in zip(values, _numbers(case.answer), strict=True)):
                return Feedback(case not in self.hints, case.text)
        return Feedback(False, self.hint)


@dataclass(frozen=True, kw_only=True)
class NumberQuestion(TupleQuestion):
    """A question with one number for an answer: `answer`, and that of each case, is a float."""

    answer: float


@dataclass(frozen=True, kw_only=True)
class ChoiceQuestion(Question):
    """A question with one word for an answer.

    Parameters
    ----------
    choices : tuple of str
        The words that may be chosen, in lower case.
    answer : str
        The right one.
    hints : tuple of Case
        What is said of the others.
    """

    choices: tuple[str, ...]
    answer: str
    hints: tuple[Case, ...] = ()

    def _verdict(self, answer) -> Feedback:
        word = word_of(answer, self.choices)
        if word == self.answer:
            return Feedback(True, self.praise)
        return Feedback(False, next((case.text for case in self.hints if case.answer == word), self.hint))


@dataclass(frozen=True)
class Condition:
    """A weighted sum that must come out near a target; `text` is said where it does not."""

    weights: tuple[float, ...]
    target: float
    text: str
    tolerance: float = EXACT


@dataclass(frozen=True, kw_only=True)
class ConditionQuestion(Question):
    """A question with many right answers: those numbers that meet some conditions, tried in order.

    Parameters
    ----------
    conditions : tuple of Condition
        Each has one weight for every number of the answer.
    """

    conditions: tuple[Condition, ...]

    def _verdict(self, answer) -> Feedback:
        values = numbers_of(answer, len(self.conditions[0].weights))
        for condition in self.conditions:
            found = 0.0  # added up in order, as a page does it: Python's own sum() rounds less
            for weight, value in zip(condition.weights, values, strict=True):
                found += weight * value
            if abs(found - condition.target) > condition.tolerance:
                return Feedback(False, condition.text)
        return Feedback(True, self.praise)


@dataclass(frozen=True, kw_only=True)
class HelperQuestion(Question):
    """A pair (samples, taps) for which ``samples // (samples // taps) - 1`` is not ``taps - 1`` (lesson 3).

    Parameters
    ----------
    not_whole, not_fitting : str
        What is said of numbers that are no counts, and of a filter that is empty or longer than the signal.
    given : tuple of Case
        Pairs that the page itself shows.
    """

    not_whole: str
    not_fitting: str
    given: tuple[Case, ...]

    def _verdict(self, answer) -> Feedback:
        samples, taps = numbers_of(answer, 2)
        if samples % 1 or taps % 1:
            return Feedback(False, self.not_whole)
        if not 1 <= taps <= samples:
            return Feedback(False, self.not_fitting)
        for case in self.given:
            if (samples, taps) == case.answer:
                return Feedback(False, case.text)
        wrong_there = samples // (samples // taps) != taps
        return Feedback(wrong_there, self.praise if wrong_there else self.hint)


def _numbers(answer: float | tuple[float, ...]) -> tuple[float, ...]:
    return answer if isinstance(answer, tuple) else (answer,)
