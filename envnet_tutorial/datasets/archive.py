"""Take the files of a set out of a ZIP archive, and nothing else (lesson 1).

A member is extracted only if, without the archive's top folder, its name is one that the set expects; what the archive
says about sizes is not believed, each member is read up to the largest size that the set knows.
"""

import hashlib
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from tqdm import tqdm

from envnet_tutorial.errors import InputError
from envnet_tutorial.files import errors_of_disk, written_whole

#: More members than this no sound archive of this book has (ESC-50 has about 2,030).
MAX_MEMBERS = 20_000
#: More bytes than this no archive may declare in all; ESC-50 has 0.9 GB.
MAX_DECLARED_BYTES = 8 * 10**9
#: Sound does not compress better than this; zeros do, a thousandfold.
MAX_RATIO = 200


def extract_files(
    archive: Path, files: Mapping[str, str], folder: Path, *, max_bytes: int, progress: bool = True
) -> list[str]:
    """Extract the expected files whose md5 is right (lesson 1).

    Parameters
    ----------
    archive : Path
        A ZIP file.
    files : mapping of str to str
        Path relative to `folder` and to the archive's top folder, with ``/``, to md5.
    folder : Path
        Where they go, each by a temporary name.
    max_bytes : int
        The largest size that any of the files has.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of str
        Those that the archive lacks or holds with other content.

    Raises
    ------
    InputError
        If it is no whole ZIP archive, or if a member has an absolute path, a path that leads out, is a link, or swells
        beyond measure. Then nothing has been extracted.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _checked_members(opened, archive)
            left = dict(files)
            for name in tqdm(list(files), desc="extract", unit="file", disable=not progress):
                member = members.get(name)
                if member is not None and _extract(opened, member, folder / name, files[name], max_bytes):
                    del left[name]
            return list(left)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{archive} is no whole ZIP archive ({error}): fetch it again") from error


def _checked_members(opened: zipfile.ZipFile, archive: Path) -> dict[str, zipfile.ZipInfo]:
    """Give the files by their name below the top folder, after refusing an archive that is out to do harm."""
    infos = opened.infolist()
    declared = sum(info.file_size for info in infos)
    if len(infos) > MAX_MEMBERS or declared > MAX_DECLARED_BYTES:
        raise InputError(f"{archive} is refused: {len(infos):,} members of {declared:,} bytes in all are too many")
    for info in infos:
        _refuse_dangerous(info, archive)
    files = [info for info in infos if not info.is_dir()]
    return {str(PurePosixPath(*PurePosixPath(info.filename).parts[1:])): info for info in files}


def _refuse_dangerous(info: zipfile.ZipInfo, archive: Path) -> None:
    """Raise for a member that would escape, point elsewhere or swell."""
    name = info.orig_filename
    path, windows = PurePosixPath(name), PureWindowsPath(name)
    if (
        path.is_absolute()
        or windows.is_absolute()
        or windows.drive
        or ".." in path.parts + windows.parts
        or "\0" in name
    ):
        raise InputError(f"{archive} is refused: its member {name!r} leads out of the folder")
    mode = info.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InputError(f"{archive} is refused: its member {name!r} is a link or a device")
    if info.file_size > max(MAX_RATIO * info.compress_size, 1 << 20):
        raise InputError(f"{archive} is refused: its member {name!r} would swell to {info.file_size:,} bytes")


def _extract(opened: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, md5: str, max_bytes: int) -> bool:
    """Extract one member if its content has the right md5."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with errors_of_disk(path), written_whole(path) as stream:
            with opened.open(info) as member:
                found = _copy(member, stream, max_bytes)
            if found != md5:
                raise _OtherContentError
    except (_OtherContentError, zlib.error, zipfile.BadZipFile, EOFError, RuntimeError):
        return False  # RuntimeError: the member is encrypted
    return True


class _OtherContentError(Exception):
    """A member is not the file that its name says."""


def _copy(member: BinaryIO, stream: BinaryIO, max_bytes: int) -> str:
    """Copy at most `max_bytes` and return their md5; a larger member cannot have the right one."""
    content = member.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise _OtherContentError
    stream.write(content)
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
