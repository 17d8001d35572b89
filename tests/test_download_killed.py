"""A process that is killed at any moment of download, extraction or decoding costs nothing but the time.

    python tests/test_download_killed.py --kills 200

runs more of the same: after each kill, everything in place is right, and a second run makes the set whole.
"""

import argparse
import collections
import os
import random
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from faulty_server import FaultyServer
from tiny_sets import esc_files, parts_below, quick_processes, tiny_esc50

from envnet_tutorial.datasets.download import Patience

CALM = Patience(attempts=4, pause=0.01)
#: What is killed: fetching file by file, streaming and extracting an archive, extracting a local one, decoding.
STAGES = ("files", "archive over HTTP", "archive", "decoding")
#: Bytes of a clip: long enough that a kill falls into the middle of one.
SECONDS = 2.0


def bring(stage, root, url, archive):
    """Do one stage in a process that is to be killed, and then, undisturbed, in another."""
    os.environ["ENVNET_CACHE"] = str(root / "cache")
    files = esc_files(SECONDS)
    kind = tiny_esc50(files, mirrors=(url,), archive_bytes=archive.stat().st_size)
    source = {"archive over HTTP": f"{url}/set.zip", "archive": archive}.get(stage)
    clips = kind(root / "set", archive=source, patience=CALM, progress=False)
    if stage == "decoding":
        clips.clips(16_000, seconds=SECONDS, progress=False)


def trial(context, chance, stage, folder, server, archive, longest):
    """Kill one run at a random moment, check, run again, check; return whether the kill came in time."""
    if stage == "decoding":
        bring("archive", folder, server.url, archive)
    process = context.Process(target=bring, args=(stage, folder, server.url, archive))
    process.start()
    process.join(chance.uniform(0, longest))
    was_running = process.is_alive()
    process.kill()
    process.join()
    kind = tiny_esc50(esc_files(SECONDS))
    assert kind.inspect(folder / "set").corrupt == (), "a half-written file was in place"
    bring(stage, folder, server.url, archive)
    assert kind.inspect(folder / "set").is_whole
    assert parts_below(folder / "set") == [], "a temporary file was left behind"
    if stage == "decoding":
        assert parts_below(folder / "cache" / "decoded") == []
        check_decoded(kind, folder)
    return was_running


def check_decoded(kind, folder):
    """Compare the cache with the samples that were put into the files."""
    os.environ["ENVNET_CACHE"] = str(folder / "cache")
    clips = kind(folder / "set").clips(44_100, seconds=SECONDS, progress=False)
    for name, samples in zip(clips.names, clips.samples, strict=True):
        expected = np.frombuffer(esc_files(SECONDS)[f"audio/{name}"][44:], "<i2")
        assert np.array_equal(samples, expected)
    arrays = list((folder / "cache" / "decoded").glob("*.npy"))
    assert len(arrays) == 2 and all(path.with_suffix(".json").exists() for path in arrays)


def run_trials(kills, folder, seed=0):
    """Kill until as many kills as asked for came while the process was at work; return how often at which stage."""
    files = esc_files(SECONDS)
    archive = folder / "set.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(f"ESC-50-main/{name}", content)
    context = quick_processes()
    chance = random.Random(seed)
    counts = collections.Counter()
    with FaultyServer(files | {"set.zip": archive.read_bytes()}, delay=0.01) as server:
        longest = {stage: measured(context, stage, folder, server, archive) for stage in STAGES}
        for number in range(10 * kills):
            stage = STAGES[number % len(STAGES)]
            with tempfile.TemporaryDirectory(dir=folder) as root:
                counts[stage] += trial(context, chance, stage, Path(root), server, archive, longest[stage])
            if sum(counts.values()) >= kills:
                return counts
    raise AssertionError(f"only {sum(counts.values())} of {10 * kills} kills came in time")


def measured(context, stage, folder, server, archive):
    """Time an undisturbed run in s, process start included."""
    with tempfile.TemporaryDirectory(dir=folder) as root:
        if stage == "decoding":
            bring("archive", Path(root), server.url, archive)
        process = context.Process(target=bring, args=(stage, Path(root), server.url, archive))
        start = time.monotonic()
        process.start()
        process.join()
        assert process.exitcode == 0
        return time.monotonic() - start


@pytest.mark.slow
def test_a_kill_at_any_moment_does_no_harm(tmp_path, monkeypatch):
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path / "cache"))
    assert sum(run_trials(12, tmp_path).values()) == 12


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(dict(run_trials(options.kills, Path(folder), options.seed)))


if __name__ == "__main__":
    main()
