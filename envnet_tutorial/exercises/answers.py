"""Read what a reader gave as an answer: every form of a number or of numbers, and one sentence for every malformed one.

The sentences are data. A page that asks the same question reads the reader's typing into the same values (a number, a
list, a text, null) and then follows the same order: open, then nested, then each entry from left to right, then length.
"""

import math
from collections.abc import Iterator, Sequence

#: What is said of an answer that cannot be judged, by kind; {wanted}, {given} and {choices} are filled in.
MALFORMED = {
    "text": "that is text: write the number itself, without quotes.",
    "truth": "that is True or False: a number is wanted here.",
    "unreadable": "that is neither a number nor a list of numbers.",
    "nan": "that is NaN, not a number: somewhere on the way something was undefined, such as 0 / 0.",
    "infinite": "that is infinite: somewhere on the way something was divided by zero, or grew too large.",
    "nested": "that is a list within a list: give the numbers in one plain list or tuple.",
    "length": "numbers wanted: {wanted}; numbers given: {given}.",
    "word": "answer with one of these words: {choices}.",
}


class MalformedAnswer(ValueError):
    """An answer that is no candidate: its kind is a key of `MALFORMED`, its message that kind's sentence."""

    def __init__(self, kind: str, **details):
        super().__init__(MALFORMED[kind].format(**details))
        self.kind = kind


def is_open(answer) -> bool:
    """Say whether the reader has not answered yet: None, dots, an empty text, or a list with such an entry."""
    if isinstance(answer, str):
        return not answer.strip(" \t\n.…")
    if isinstance(answer, (list, tuple)):
        return any(is_open(entry) for entry in answer)
    return answer is None or answer is ...


def numbers_of(answer, wanted: int) -> tuple[float, ...]:
    """Read an answer as numbers.

    Parameters
    ----------
    answer : object
        A number of any library, or a list, tuple, array or tensor of them. One number may stand alone or in a list.
    wanted : int
        How many numbers the question asks for.

    Returns
    -------
    tuple of float

    Raises
    ------
    MalformedAnswer
        If the answer is anything else, or has another length.
    """
    entries = [_plain(entry) for entry in _entries(answer)]
    if any(isinstance(entry, list) for entry in entries):
        raise MalformedAnswer("nested")
    values = tuple(_number(entry) for entry in entries)
    if len(values) != wanted:
        raise MalformedAnswer("length", wanted=wanted, given=len(values))
    return values


def word_of(answer, choices: tuple[str, ...]) -> str:
    """Read an answer as one of a few words, whatever its case, quotes or full stop.

    Raises
    ------
    MalformedAnswer
        If it is none of them.
    """
    entries = _entries(answer)
    if len(entries) == 1 and isinstance(entries[0], str):
        word = entries[0].strip(" \t\n.\"'").lower()
        if word in choices:
            return word
    raise MalformedAnswer("word", choices=", ".join(choices))


def _entries(answer) -> list:
    """Return what an answer holds; a lone value is the list of itself."""
    plain = _plain(answer)
    return plain if isinstance(plain, list) else [plain]


def _plain(value):
    """Turn arrays, tensors, tuples, ranges and iterators into lists, and leave the rest as it is."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (Sequence, Iterator)) and not isinstance(value, (str, bytes)):
        return list(value)
    return value


def _number(entry) -> float:
    if isinstance(entry, (str, bytes)):
        raise MalformedAnswer("text")
    if isinstance(entry, bool):
        raise MalformedAnswer("truth")
    try:
        value = float(entry)
    except OverflowError:
        value = math.inf
    except (TypeError, ValueError):
        raise MalformedAnswer("unreadable") from None
    if math.isnan(value):
        raise MalformedAnswer("nan")
    if math.isinf(value):
        raise MalformedAnswer("infinite")
    return value
