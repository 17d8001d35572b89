"""A set decoded once: one memory-mapped int16 array and a manifest that says from what and how (lesson 1)."""

import hashlib
import io
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from tqdm import tqdm

from envnet_tutorial.audio import RESAMPLER, load_audio, to_int16
from envnet_tutorial.datasets.locations import cache_root
from envnet_tutorial.datasets.verification import md5s
from envnet_tutorial.files import errors_of_disk, remove_parts, require_space, written_whole

#: Raise it whenever the same files would decode to other samples.
CACHE_VERSION = 1


def decode(
    paths: Sequence[Path],
    *,
    sample_rate: int,
    num_samples: int,
    cache: Path | None = None,
    progress: bool = True,
    allow_truncated: bool = False,
) -> np.ndarray:
    """Decode sound files to one array of mono int16, or map the one that was made before (lesson 1).

    Parameters
    ----------
    paths : sequence of Path
        Sound files, each of any rate, depth and number of channels.
    sample_rate : int
        Rate in Hz of the result.
    num_samples : int
        Length of each clip in samples: a shorter one is followed by zeros, a longer one is cut at its end.
    cache : Path, optional
        Folder of the decoded sets; by default ``decoded`` in `cache_root`.
    progress : bool
        Show a progress bar while decoding.
    allow_truncated : bool
        Take files whose header promises more than they hold. In a set that is verified by checksum, that is how such a
        file was published; in any other it is damaged.

    Returns
    -------
    ndarray of int16, shape (clip, time), memory-mapped; writing to it changes no file
        Rounded and clamped at full scale 32,768. Silence is kept.

    Raises
    ------
    InputError
        If a file cannot be decoded, or the disk is too full for the array.

    Notes
    -----
    The name of the array is a digest of its manifest: the md5 of every source, the rate, the length, the resampler and
    the version. Other sources or settings therefore mean another array, and one array is never changed.
    """
    cache = cache or cache_root() / "decoded"
    cache.mkdir(parents=True, exist_ok=True)
    manifest = {
        "version": CACHE_VERSION,
        "sample_rate": int(sample_rate),
        "num_samples": int(num_samples),
        "resampler": RESAMPLER,
        "sources": [[path.name, md5] for path, md5 in zip(paths, md5s(paths, quick=True), strict=True)],
    }
    key = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:20]
    array = cache / f"{key}.npy"
    if not _is_whole(array, manifest):
        with FileLock(cache / ".lock"):
            remove_parts(cache)
            if not _is_whole(array, manifest):  # another process may have made it meanwhile
                _make(paths, array, manifest, progress, allow_truncated)
    return np.load(array, mmap_mode="c")  # writable in memory, as torch wants it; the file stays


def _is_whole(array: Path, manifest: dict) -> bool:
    """Tell whether an array and its manifest are both there, say what is asked for, and have the right size."""
    try:
        stored = json.loads(array.with_suffix(".json").read_text("utf-8"))
        stored.pop("array_md5")
        size = array.stat().st_size
    except (OSError, ValueError, KeyError, AttributeError):
        return False
    expected = len(_header(len(manifest["sources"]), manifest["num_samples"])) + _num_bytes(manifest)
    return stored == manifest and size == expected


def _num_bytes(manifest: dict) -> int:
    """Size of the samples in bytes."""
    return len(manifest["sources"]) * manifest["num_samples"] * 2


def _header(num_clips: int, num_samples: int) -> bytes:
    """Begin a .npy file of int16 (clip, time)."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<i2", "fortran_order": False, "shape": (num_clips, num_samples)}
    )
    return stream.getvalue()


def _make(paths: Sequence[Path], array: Path, manifest: dict, progress: bool, allow_truncated: bool) -> None:
    """Decode all files in parallel and write the array row by row, then its manifest."""
    rate, length = manifest["sample_rate"], manifest["num_samples"]
    require_space(array.parent, _num_bytes(manifest), "the decoded set")
    # Plain writes: a memory map of a file on a full disk would end the process with SIGBUS instead of an error.
    digest = hashlib.md5(usedforsecurity=False)
    with (
        # One torch thread in each worker: the workers fill the cores already, and more would only wait for each other.
        same_threads(),
        ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool,
        tqdm(total=len(paths), desc=f"decode to {rate} Hz", unit="clip", disable=not progress) as bar,
        errors_of_disk(array),
        written_whole(array, durable=True) as stream,
    ):
        header = _header(len(paths), length)
        stream.write(header)
        digest.update(header)
        for row in pool.map(lambda path: decode_clip(path, rate, length, allow_truncated), paths):
            stream.write(row.data)
            digest.update(row.data)
            bar.update()
    content = json.dumps(manifest | {"array_md5": digest.hexdigest()}, indent=1).encode()
    with errors_of_disk(array), written_whole(array.with_suffix(".json"), durable=True) as stream:
        stream.write(content)


@contextmanager
def same_threads() -> Iterator[None]:
    """Leave the process its number of torch threads.

    What a worker sets is its own, but it is also the default of every thread that has not computed anything yet.
    """
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def decode_clip(path: Path, sample_rate: int, num_samples: int, allow_truncated: bool = False) -> np.ndarray:
    """Decode one file to mono int16 of an exact length, zeros at the end where it is shorter."""
    # (1, sample)
    waveform, _ = load_audio(path, sample_rate=sample_rate, mono=True, allow_truncated=allow_truncated)
    row = np.zeros(num_samples, dtype="<i2")
    found = to_int16(waveform[0, :num_samples])
    row[: len(found)] = found
    return row
