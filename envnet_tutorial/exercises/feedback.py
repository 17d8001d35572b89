"""What a reader is told of an answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Feedback:
    """The verdict on one answer.

    Parameters
    ----------
    correct : bool or None
        None while there is no answer yet.
    message : str
        Why it is right, or where to look.
    """

    correct: bool | None
    message: str

    def __bool__(self) -> bool:
        return bool(self.correct)

    def __repr__(self) -> str:
        verdict = {True: "Right", False: "Not yet", None: "Your turn"}[self.correct]
        return f"{verdict}: {self.message}"


def grade(answer, is_right, *, praise: str, hint: str, task: str = "replace the dots with your answer") -> Feedback:
    """Turn an answer into feedback.

    Parameters
    ----------
    answer : object
        What the reader wrote; ``...`` or None means that it is still open.
    is_right : callable
        Takes the answer and says whether it is right; an answer that it cannot digest counts as wrong.
    praise, hint, task : str
        What to say of a right answer, a wrong one, and none.

    Returns
    -------
    Feedback
    """
    if answer is None or answer is ...:
        return Feedback(None, task)
    try:
        right = bool(is_right(answer))
    except (TypeError, ValueError, AttributeError, IndexError, KeyError, RuntimeError):
        right = False
    return Feedback(right, praise if right else hint)
