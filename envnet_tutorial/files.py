"""Files that appear whole or not at all, disks that are full, and the md5 that tells a whole file from another.

`written_whole` is the one way in which this package writes a file that something else will read. `write_json`,
`write_table`, `write_arrays` and `write_tensors` are its forms for what a result is made of.
"""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from envnet_tutorial.errors import InputError

if TYPE_CHECKING:  # who fetches data need not wait for it
    import pandas as pd

#: Ending of every file that is still being written.
PART_SUFFIX = ".part"
#: What a disk refuses a write with; any other error of the operating system may be one of the network.
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EPERM)


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


def write_json(path: Path, value: object) -> None:
    """Write plain values as JSON, whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written; what was there before is untouched. So with the other forms.
    """
    with _kept(path) as stream:
        stream.write(f"{json.dumps(value, indent=2)}\n".encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a content as it is; see `write_json`."""
    with _kept(path) as stream:
        stream.write(content)


def write_table(path: Path, table: "pd.DataFrame") -> None:
    """Write the columns of a table as CSV, without its index; see `write_json`."""
    with _kept(path) as stream:
        stream.write(table.to_csv(index=False, lineterminator="\n").encode())


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as a compressed NPZ; see `write_json`."""
    with _kept(path) as stream:
        np.savez_compressed(stream, **arrays)


def write_tensors(path: Path, value: object) -> None:
    """Write tensors, or plain containers of them such as a state dict, as ``torch.load`` reads them; see `write_json`.

    Only this form needs torch, which takes seconds to load.
    """
    import torch

    with _kept(path) as stream:
        torch.save(value, stream)


@contextmanager
def _kept(path: Path) -> Iterator[BinaryIO]:
    """Write a file whole, wait until the disk has it, and say in one sentence what is in the way."""
    try:
        with written_whole(path, durable=True) as stream:
            yield stream
    except (OSError, RuntimeError) as error:  # torch.save turns some OSErrors into RuntimeErrors
        raise unwritten(path, error) from error


def unwritten(path: Path, error: Exception) -> InputError:
    """Make the one sentence for a file or folder that cannot be written."""
    reason = getattr(error, "strerror", None) or "the disk is full or the file may not grow"
    return InputError(f"{path} could not be written ({reason}); what was there before is untouched")


def is_part(path: Path) -> bool:
    """Tell whether a file is still being written, or was when its process was killed."""
    return path.name.startswith(".") and path.suffix == PART_SUFFIX and path.is_file()


def has_parts(folder: Path) -> bool:
    """Tell whether anything below `folder` is half-written."""
    return any(is_part(path) for path in folder.rglob(".*"))


def remove_parts(folder: Path, below: bool = True) -> None:
    """Remove what a killed process left half-written in `folder`, and below; only call while holding its lock."""
    for path in [path for path in folder.glob("**/.*" if below else ".*") if is_part(path)]:
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
        if error.errno in DISK_ERRORS:
            raise unwritten(path, error) from error
        raise
