"""The one error that means: what you gave is wrong, and here is what to do."""


class InputError(ValueError):
    """A path, a file or a setting that the reader gave cannot be used; the message is one sentence for a person."""


def refusal(error: OSError) -> str:
    """Put into one sentence what the operating system refuses to do with a file or folder.

    Raises
    ------
    OSError
        The error itself if it is of no file: then it is none that a path could mend.
    """
    if error.filename is None:
        raise error
    return f"{error.filename} cannot be used: {error.strerror}"
