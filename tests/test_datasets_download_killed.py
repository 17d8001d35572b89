"""A process that is killed at any moment of download, extraction or decoding costs nothing but the time.

    python tests/test_datasets_download_killed.py --kills 200

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
#: Length of a clip in s, that of the real ones: long enough that a kill falls into the middle of a file.
SECONDS = 5.0
#: What the server waits before and within each file, in s, so that most of a download is spent in the middle of files.
DELAY = 0.03


def bring(stage, root, url, archive, started=None):
    """Do one stage in a process that is to be killed, and then, undisturbed, here."""
    os.environ["ENVNET_CACHE"] = str(root / "cache")
    files = esc_files(SECONDS)
    kind = tiny_esc50(files, mirrors=(url,), archive_bytes=archive.stat().st_size)
    source = {"archive over HTTP": f"{url}/set.zip", "archive": archive}.get(stage)
    if started is not None:
        started.send(True)
    clips = kind(root / "set", archive=source, patience=CALM, progress=False)
    if stage == "decoding":
        clips.clips(16_000, seconds=SECONDS, progress=False)


def start(context, stage, folder, server, archive):
    """Start a process and return when it is at its work."""
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=bring, args=(stage, folder, server.url, archive, sender))
    process.start()
    assert receiver.poll(120)
    return process


def trial(context, chance, stage, folder, server, archive, longest):
    """Kill one run at a random moment, check, run again, check; return what the kill met."""
    if stage == "decoding":
        bring("archive", folder, server.url, archive)
    process = start(context, stage, folder, server, archive)
    process.join(chance.uniform(0, longest))
    met = collections.Counter({stage: process.is_alive()})
    process.kill()
    process.join()
    met["left half-written"] = bool(parts_below(folder))
    kind = tiny_esc50(esc_files(SECONDS))
    assert kind.inspect(folder / "set").corrupt == (), "a half-written file was in place"
    bring(stage, folder, server.url, archive)
    assert kind.inspect(folder / "set").is_whole
    assert parts_below(folder / "set") == [], "a temporary file was left behind"
    if stage == "decoding":
        assert parts_below(folder / "cache" / "decoded") == []
        check_decoded(kind, folder)
    return met


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
    with FaultyServer(files | {"set.zip": archive.read_bytes()}, delay=DELAY, pieces=5) as server:
        longest = {stage: measured(context, stage, folder, server, archive) for stage in STAGES}
        for number in range(10 * kills):
            stage = STAGES[number % len(STAGES)]
            with tempfile.TemporaryDirectory(dir=folder) as root:
                counts += trial(context, chance, stage, Path(root), server, archive, longest[stage])
            if sum(counts[stage] for stage in STAGES) >= kills:
                return counts
    raise AssertionError(f"only {counts} of {10 * kills} kills came in time")


def measured(context, stage, folder, server, archive):
    """Time an undisturbed run in s, from its start on."""
    with tempfile.TemporaryDirectory(dir=folder) as root:
        if stage == "decoding":
            bring("archive", Path(root), server.url, archive)
        process = start(context, stage, Path(root), server, archive)
        begin = time.monotonic()
        process.join()
        assert process.exitcode == 0
        return time.monotonic() - begin


@pytest.mark.slow
def test_a_kill_at_any_moment_does_no_harm(tmp_path, monkeypatch):
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path / "cache"))
    counts = run_trials(12, tmp_path)
    assert sum(counts[stage] for stage in STAGES) == 12
    assert counts["left half-written"] >= 2  # or the kills would have come before and after the work


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(dict(run_trials(options.kills, Path(folder), options.seed)))


if __name__ == "__main__":
    main()
