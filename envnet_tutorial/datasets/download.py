"""Fetch single files over HTTP so that each arrives whole or not at all (lesson 1).

Every file is written to a temporary name, its md5 is computed on the way, and only if that is right does it move into
place. What is in place is therefore right, and a download that stopped goes on where it stopped. (pooch, which names
the cache folder, takes a file from one address, of any size, for as long as its server drips, and one file at a time.)
"""

import hashlib
import random
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

from envnet_tutorial.errors import InputError
from envnet_tutorial.files import errors_of_disk, written_whole

#: Bytes taken from the network at a time.
CHUNK_BYTES = 1 << 16
#: Answers that say: not here, and asking again will not help.
GONE = (400, 401, 403, 404, 405, 410, 451)


@dataclass(frozen=True)
class Patience:
    """How long to try. All times in seconds.

    Parameters
    ----------
    attempts : int
        Tries for each file, over all mirrors.
    connect, read : float
        Longest wait for a connection, and for the next bytes on it.
    total : float
        Longest time for one try at one file: a server that drips a byte now and then is given up too.
    pause, longest_pause : float
        Pause after the first failure, doubled after each further one up to the longest; the longest also caps what a
        server asks for in its Retry-After header.
    """

    attempts: int = 6
    connect: float = 10
    read: float = 20
    total: float = 300
    pause: float = 0.5
    longest_pause: float = 30


class TransferError(Exception):
    """One try at one file failed; `is_final` if this mirror will not do better, `wait` if it says when to come back."""

    def __init__(self, reason: str, *, is_final: bool = False, wait: float = 0):
        super().__init__(reason)
        self.is_final = is_final
        self.wait = wait


def fetch_files(
    files: Mapping[str, str],
    folder: Path,
    mirrors: Sequence[str],
    *,
    max_bytes: int,
    workers: int = 8,
    patience: Patience | None = None,
    progress: bool = True,
) -> None:
    """Fetch files by their md5, several at a time (lesson 1).

    Parameters
    ----------
    files : mapping of str to str
        Path relative to `folder` and to each mirror, with ``/``, to md5.
    folder : Path
        Where they go.
    mirrors : sequence of str
        Addresses of folders that hold the same files; the next one is tried when one fails.
    max_bytes : int
        The largest size that any of the files has; more is not read.
    workers : int
        Files fetched at the same time.
    patience : Patience, optional
        How often and how long to try.
    progress : bool
        Show a progress bar.

    Raises
    ------
    InputError
        If a file did not arrive, with the reason for each; what did arrive stays.
    """
    if not mirrors:
        raise InputError("no address to fetch from was given")
    fetcher = _Fetcher(folder, tuple(mirrors), max_bytes, patience or Patience())
    failures: dict[str, str] = {}
    with (
        ThreadPoolExecutor(workers) as pool,
        tqdm(total=len(files), desc="fetch", unit="file", disable=not progress) as bar,
    ):
        jobs = {pool.submit(fetcher.fetch, name, md5): name for name, md5 in files.items()}
        try:
            for job in as_completed(jobs):
                reason = job.result()
                if reason:
                    failures[jobs[job]] = reason
                    if len(failures) >= workers:  # it is not one file then, it is the network or the server
                        break
                bar.update(not reason)
        finally:
            fetcher.stop.set()
            pool.shutdown(cancel_futures=True)
    if failures:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(failures.items())[:3])
        raise InputError(
            f"at least {len(failures)} of {len(files)} files did not arrive ({reasons}): what did arrive is kept, "
            "run the same again to fetch the rest"
        )


class _Fetcher:
    """What the threads of one download share."""

    def __init__(self, folder: Path, mirrors: tuple[str, ...], max_bytes: int, patience: Patience):
        self.folder = folder
        self.mirrors = mirrors
        self.max_bytes = max_bytes
        self.patience = patience
        self.stop = threading.Event()
        self.local = threading.local()

    def fetch(self, name: str, md5: str) -> str:
        """Fetch one file with all patience; return why it failed, empty if it did not."""
        mirrors = list(self.mirrors)
        reasons: list[str] = []
        for attempt in range(self.patience.attempts):
            mirror = mirrors[attempt % len(mirrors)]
            try:
                self._try(f"{mirror.rstrip('/')}/{quote(name)}", self.folder / name, md5)
                return ""
            except TransferError as error:
                reasons.append(str(error))
                if error.is_final:
                    mirrors.remove(mirror)
                if not mirrors or attempt + 1 == self.patience.attempts:
                    break
                if self.stop.wait(pause_after(attempt, error, self.patience)):
                    return "stopped"
        return reasons[-1]

    def _try(self, url: str, path: Path, md5: str) -> None:
        """Try once: stream to a temporary name, compare the md5, move into place."""
        path.parent.mkdir(parents=True, exist_ok=True)
        session = self._session()
        with errors_of_disk(path), written_whole(path) as stream:
            found = stream_url(session, url, stream, self.max_bytes, self.patience, self.stop)
            if found != md5:
                raise TransferError("arrived with wrong content (md5 differs)")

    def _session(self) -> requests.Session:
        """Keep one connection for each thread."""
        if not hasattr(self.local, "session"):
            self.local.session = requests.Session()
        return self.local.session


def pause_after(attempt: int, error: TransferError, patience: Patience) -> float:
    """Return the pause before the next try in s: doubling, spread by chance, no less than the server asks for."""
    doubling = patience.pause * 2**attempt * random.uniform(0.5, 1.5)
    return min(max(doubling, error.wait), patience.longest_pause)


def stream_url(
    session: requests.Session,
    url: str,
    stream: BinaryIO,
    max_bytes: int,
    patience: Patience,
    stop: threading.Event | None = None,
) -> str:
    """Read an address into a stream and return the md5 of what came.

    Raises
    ------
    TransferError
        If the server refuses, the connection breaks, is too slow, or brings fewer bytes than announced or too many.
    """
    deadline = time.monotonic() + patience.total
    digest = hashlib.md5(usedforsecurity=False)
    received = 0
    try:
        with session.get(url, stream=True, timeout=(patience.connect, patience.read)) as response:
            _check_status(response)
            # read1 returns what is there: read would wait for a full chunk, and a drip would outlast the deadline.
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
                received += len(chunk)
                if received > max_bytes:
                    raise TransferError(f"more than {max_bytes:,} bytes came")
                if time.monotonic() > deadline:
                    raise TransferError(f"not finished after {patience.total:g} s")
                if stop is not None and stop.is_set():
                    raise TransferError("stopped")
                stream.write(chunk)
                digest.update(chunk)
    except (requests.RequestException, HTTPError) as error:
        raise TransferError(_reason(error)) from error
    return digest.hexdigest()


def _check_status(response: requests.Response) -> None:
    """Raise what the status of an answer means for the next try."""
    if response.status_code == 200:
        return
    wait = response.headers.get("Retry-After", "")
    raise TransferError(
        f"the server answered {response.status_code} {response.reason}",
        is_final=response.status_code in GONE,
        wait=float(wait) if wait.isdecimal() else 0,
    )


def _reason(error: Exception) -> str:
    """Put a network error in a few words."""
    if isinstance(error, (requests.Timeout, ReadTimeoutError)):
        return "the server did not answer in time"
    if isinstance(error, requests.TooManyRedirects):
        return "the server redirects in a circle"
    if isinstance(error, ProtocolError):
        return "the connection broke before the end"
    return f"no connection ({type(error).__name__})"
