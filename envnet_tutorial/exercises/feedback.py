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
