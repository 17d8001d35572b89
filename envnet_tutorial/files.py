"""Files that appear whole or not at all, disks that are full, and the md5 that tells a whole file from another."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from envnet_tutorial.errors import InputError

#: Ending of every file that is still being written.
PART_SUFFIX = ".part"


@contextmanager
def written_whole(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """Write to a temporary name beside `path` and move it into place at the end; on any error nothing is left.

    `durable` waits until the disk has it, for files that no checksum would give away after a power cut.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART_SUFFIX)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)  # mkstemp's 0600 would keep a shared data set from everybody else
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _parts(folder: Path) -> Iterator[Path]:
    """Yield what is still being written below `folder`, or was when its process was killed."""
    return (path for path in folder.rglob(f".*{PART_SUFFIX}") if path.is_file())


def has_parts(folder: Path) -> bool:
    """Tell whether anything below `folder` is half-written."""
    return any(True for _ in _parts(folder))


def remove_parts(folder: Path) -> None:
    """Remove what a killed process left half-written below `folder`; only call while holding the folder's lock."""
    for path in list(_parts(folder)):
        path.unlink(missing_ok=True)


def file_md5(path: Path) -> str:
    """Return the md5 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def require_space(folder: Path, num_bytes: int, what: str) -> None:
    """Raise `InputError` unless the disk under `folder` has room for `num_bytes` and a little more."""
    free = shutil.disk_usage(folder).free
    needed = num_bytes + (1 << 20)
    if free < needed:
        raise InputError(
            f"{what} needs {needed / 1e6:,.0f} MB in {folder}, but only {free / 1e6:,.0f} MB are free: "
            "make room or give another folder"
        )


@contextmanager
def errors_of_disk(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk into an `InputError` that says so; what was there before is still there."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise InputError(
                f"the disk is full: {path} could not be written, what was there before is intact"
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise InputError(f"{path} may not be written here: give another folder") from error
        raise
