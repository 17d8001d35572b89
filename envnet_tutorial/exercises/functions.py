"""Judge an answer that is a function: call it, compare what it gives, and say what it did instead."""

import copy
import functools
import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from envnet_tutorial.exercises.answers import is_open
from envnet_tutorial.exercises.feedback import Feedback


class FailedAnswer(Exception):
    """A function that could not be called, raised, or gave nothing that can be compared."""


@dataclass(frozen=True, kw_only=True)
class FunctionQuestion:
    """A question with a function for an answer.

    Parameters
    ----------
    calls : list of tuple
        The arguments of each call that is made.
    reference : callable
        A function that does what is asked for.
    mistakes : tuple of (callable, str)
        Functions that do what is likely to be done instead, and what is said to one who does so.
    task, praise, hint : str
        What is said while there is no answer, of the right answer, and of a wrong one that no mistake explains.
    atol, rtol : float
        How far a number may lie from the reference, absolute and relative; both count.
    """

    calls: list[tuple]
    reference: Callable
    task: str
    praise: str
    hint: str
    mistakes: tuple[tuple[Callable, str], ...] = ()
    atol: float = 1e-6
    rtol: float = 1e-5

    def judge(self, answer) -> Feedback:
        """Say whether the function gives what the reference gives, or what went wrong."""
        if is_open(answer):
            return Feedback(None, self.task)
        try:
            found = [called(answer, *arguments) for arguments in self.calls]
        except FailedAnswer as failure:
            return Feedback(False, str(failure))
        expected = [as_array(self.reference(*arguments)) for arguments in self.calls]
        unequal = [i for i, pair in enumerate(zip(found, expected, strict=True)) if not self._same(*pair)]
        if not unequal:
            return Feedback(True, self.praise)
        for mistake, text in self.mistakes:
            if all(self._same(as_array(mistake(*call)), gave) for call, gave in zip(self.calls, found, strict=True)):
                return Feedback(False, text)
        first = unequal[0]
        return Feedback(False, f"{_difference(self.calls[first], found[first], expected[first])}: {self.hint}")

    def _same(self, found: np.ndarray, expected: np.ndarray) -> bool:
        return found.shape == expected.shape and np.allclose(found, expected, atol=self.atol, rtol=self.rtol)


class Watch(TorchFunctionMode):
    """Look at what an answer asks of PyTorch while it runs; a subclass says at what, in ``__torch_function__``."""

    def over(self, answer):
        """Return the answer itself, if it is no function, or one that is watched while it runs."""
        if not callable(answer):
            return answer

        @functools.wraps(answer)
        def watched(*arguments):
            with self:
                return answer(*arguments)

        return watched


def called(function, *arguments) -> np.ndarray:
    """Call an answer with copies of some arguments and return what it gives, as an array.

    Raises
    ------
    FailedAnswer
        With a sentence for the reader: no function, an exception with its type, message and line, or no numbers.
    """
    if not callable(function):
        raise FailedAnswer("a function is wanted here: hand in its name, without calling it.")
    given = f"given {described(arguments)}, your function"
    try:
        result = function(*copy.deepcopy(arguments))
    except Exception as error:
        raise FailedAnswer(f"{given} stopped with {_complaint(error, function)}") from error
    if result is None or result is ...:
        raise FailedAnswer(f"{given} gave nothing back: does it end with `return`?")
    try:
        return as_array(result)
    except (TypeError, ValueError, RuntimeError):
        raise FailedAnswer(f"{given} gave a {type(result).__name__} that cannot be read as numbers.") from None


def as_array(value) -> np.ndarray:
    """Turn a number, list, array, table or tensor into an array of double precision; a lone number has no axis.

    Raises
    ------
    TypeError, ValueError
        If it holds anything but numbers, or rows of different lengths.
    """
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().double().numpy()
    elif isinstance(value, (list, tuple)):
        value = [as_array(entry) for entry in value]
    elif isinstance(value, str):
        raise TypeError("text is no number")
    array = np.asarray(value, dtype=np.float64)
    return array.reshape(()) if array.shape == (1,) else array


def described(arguments: tuple) -> str:
    """Name the arguments of a call in a few words: the shape of a tensor or array, the value of anything else."""
    return ", ".join(_described(argument) for argument in arguments)


def _described(argument) -> str:
    if hasattr(argument, "shape") and argument.shape:
        kind = "a tensor" if isinstance(argument, torch.Tensor) else "an array"
        return f"{kind} of shape {tuple(argument.shape)}"
    if isinstance(argument, torch.nn.Module):
        return f"a {type(argument).__name__}"
    return repr(argument)


def _complaint(error: Exception, function) -> str:
    """Name an exception, the first line of its message, and the line of the answer's own code that it came from."""
    message = str(error).strip().partition("\n")[0]
    complaint = f"{type(error).__name__}: {message}" if message else type(error).__name__
    source = getattr(getattr(inspect.unwrap(function), "__code__", None), "co_filename", None)
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == source]
    if own:
        complaint += f" (line {own[-1].lineno}: {own[-1].line})" if own[-1].line else f" (line {own[-1].lineno})"
    return complaint


def _difference(arguments: tuple, found: np.ndarray, expected: np.ndarray) -> str:
    given = f"given {described(arguments)}, your function gave"
    if found.shape != expected.shape:
        return f"{given} the shape {found.shape} where {expected.shape} is wanted"
    return f"{given} {found:.6g}" if found.ndim == 0 else f"{given} the right shape with other numbers"
