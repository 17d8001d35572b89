"""The one error that means: what you gave is wrong, and here is what to do."""


class InputError(ValueError):
    """A path, a file or a setting that the reader gave cannot be used; the message is one sentence for a person."""
