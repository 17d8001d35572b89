"""What all published sets have in common: where they live, what they should hold, how they are checked and fetched."""

import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import requests
from filelock import FileLock

from envnet_tutorial.datasets.archive import extract_files
from envnet_tutorial.datasets.download import Patience, TransferError, fetch_files, pause_after, stream_url
from envnet_tutorial.datasets.locations import cache_root
from envnet_tutorial.datasets.names import set_name
from envnet_tutorial.datasets.verification import Validation, validate_files
from envnet_tutorial.errors import InputError
from envnet_tutorial.files import PART_SUFFIX, errors_of_disk, has_parts, remove_parts, require_space, written_whole

#: Written into a set's folder with the first fetch; while it is there, licence and citation have been shown.
NOTICE = "LICENCE-AND-CITATION.txt"


@dataclass(frozen=True)
class Publication:
    """A published data set.

    Parameters
    ----------
    name : str
        As its authors write it.
    files : mapping of str to str
        Path relative to the set's folder, with ``/``, to md5.
    licence, citation : str
        What the authors ask for.
    homepage : str
        Where it is described.
    max_bytes : int
        Size of its largest file.
    typical_bytes : int
        Size of a usual file, to reckon with before a download.
    mirrors : tuple of str
        Addresses of folders that serve the single files.
    archive : str
        Address of a ZIP archive of the whole.
    archive_bytes : int
        Its size.
    """

    name: str
    files: Mapping[str, str] = field(repr=False)
    licence: str
    citation: str
    homepage: str
    max_bytes: int
    typical_bytes: int
    mirrors: tuple[str, ...] = ()
    archive: str = ""
    archive_bytes: int = 0

    @property
    def notice(self) -> str:
        """Licence and citation, as they are shown once."""
        return f"{self.name} ({self.homepage})\nLicence: {self.licence}\nPlease cite: {self.citation}\n"


def set_folder(root: str | Path | None, name: str) -> Path:
    """Return the folder of a set: as given, or what ``ENVNET_DATA`` names, or one in the user's cache folder.

    Where the variable holds the name of a set, it is no folder, and the set lies in the cache.
    """
    named = os.environ.get("ENVNET_DATA")
    elsewhere = named if named and not set_name(named) else None
    return Path(root or elsewhere or cache_root() / name).expanduser()


def validate(publication: Publication, folder: Path, wanted: Iterable[str], *, quick: bool = False) -> Validation:
    """Look at every wanted file of a set (see `envnet_tutorial.datasets.verification.validate_files`)."""
    expected = {name: publication.files[name] for name in wanted}
    return validate_files(folder, expected, publication.files, quick=quick)


def fetch(
    publication: Publication,
    folder: Path,
    wanted: Sequence[str],
    *,
    mirrors: Sequence[str] = (),
    archive: str | Path | None = None,
    patience: Patience | None = None,
    progress: bool = True,
) -> Validation:
    """Bring a folder to hold all wanted files, fetching only what is missing or damaged (lesson 1).

    Parameters
    ----------
    publication : Publication
        The set.
    folder : Path
        Where it goes; made if need be.
    wanted : sequence of str
        The files to bring, keys of ``publication.files``.
    mirrors : sequence of str
        Addresses to try before the set's own.
    archive : str or Path, optional
        Take the files out of this ZIP archive (a path or an address) instead of fetching them one by one.
    patience : Patience, optional
        How often and how long to try.
    progress : bool
        Show progress bars.

    Returns
    -------
    Validation
        Of the wanted files; always whole.

    Raises
    ------
    InputError
        If not all of it could be brought. What was there and what did arrive stays.
    """
    found = validate(publication, folder, wanted, quick=True)
    if found.is_whole and not has_parts(folder):
        return found
    with errors_of_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with errors_of_disk(folder), FileLock(folder / ".lock"):
        remove_parts(folder)
        found = validate(publication, folder, wanted, quick=True)  # another process may have fetched meanwhile
        needed = {name: publication.files[name] for name in (*found.missing, *found.corrupt)}
        if needed:
            _show_notice(publication, folder)
            _bring(publication, folder, needed, (*mirrors, *publication.mirrors), archive, patience, progress)
            found = validate(publication, folder, wanted, quick=True)
    if not found.is_whole:
        raise InputError(f"{publication.name} in {folder} did not come whole: {found}")
    return found


def _bring(
    publication: Publication,
    folder: Path,
    needed: Mapping[str, str],
    mirrors: Sequence[str],
    archive: str | Path | None,
    patience: Patience | None,
    progress: bool,
) -> None:
    """Say how much it is, check the room on the disk, and fetch, from the archive or one by one."""
    size = len(needed) * publication.typical_bytes
    what = f"{publication.name} ({len(needed)} files)"
    require_space(folder, size, what)
    if progress:
        print(f"{what}: {size / 1e6:,.0f} MB into {folder}", file=sys.stderr)
    if archive is None:
        fetch_files(needed, folder, mirrors, max_bytes=publication.max_bytes, patience=patience, progress=progress)
        return
    absent = _from_archive(publication, folder, needed, str(archive), patience or Patience(), progress)
    if absent:
        raise InputError(
            f"{archive} lacks {len(absent)} of {len(needed)} files or holds them with other content: {absent[0]}, ..."
        )


def _from_archive(
    publication: Publication, folder: Path, needed: Mapping[str, str], archive: str, patience: Patience, progress: bool
) -> list[str]:
    """Extract from a local archive, or stream one to disk first; return what it lacks."""
    if "://" not in archive:
        if not Path(archive).is_file():
            raise InputError(f"there is no archive {archive}")
        return extract_files(Path(archive), needed, folder, max_bytes=publication.max_bytes, progress=progress)
    require_space(folder, publication.archive_bytes, f"the archive of {publication.name}")
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".archive.", suffix=PART_SUFFIX) as stream:
        _stream_archive(archive, stream, publication, patience)
        return extract_files(Path(stream.name), needed, folder, max_bytes=publication.max_bytes, progress=progress)


def _stream_archive(url: str, stream: IO[bytes], publication: Publication, patience: Patience) -> None:
    """Stream an archive to disk; a broken one starts over, since archives made on request know no ranges."""
    limit = 2 * publication.archive_bytes or 1 << 33
    for attempt in range(patience.attempts):
        stream.seek(0)
        stream.truncate()
        try:
            with requests.Session() as session, errors_of_disk(Path(stream.name)):
                stream_url(session, url, stream, limit, patience)
            stream.flush()
            return
        except TransferError as error:
            if error.is_final or attempt + 1 == patience.attempts:
                raise InputError(f"the archive {url} did not arrive: {error}") from error
            threading.Event().wait(pause_after(attempt, error, patience))


def _show_notice(publication: Publication, folder: Path) -> None:
    """Show licence and citation with the first fetch into a folder, and leave them there."""
    notice = folder / NOTICE
    if not notice.exists():
        print(publication.notice, file=sys.stderr, end="")
        with errors_of_disk(notice), written_whole(notice) as stream:
            stream.write(publication.notice.encode())
