"""Small sets in the layout of the real ones, with their own checksums."""

import functools
import hashlib
import io
import multiprocessing
import os
import sys

import numpy as np
import soundfile

from envnet_tutorial.datasets.esc50 import ESC50, METADATA
from envnet_tutorial.datasets.published import Publication
from envnet_tutorial.datasets.urbansound8k import UrbanSound8K

CATEGORIES = {0: "dog", 1: "rooster", 2: "pig", 10: "rain"}
PIG = 2


def wav_bytes(seed, seconds=0.25, rate=44_100, channels=1, subtype="PCM_16"):
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * rate), channels))
    stream = io.BytesIO()
    soundfile.write(stream, noise, rate, format="WAV", subtype=subtype)
    return stream.getvalue()


def encoded(samples, rate=16_000, kind="WAV", subtype=None):
    """Encode samples in memory."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def md5_of(files):
    return {name: hashlib.md5(content).hexdigest() for name, content in files.items()}


def publish(name, files, **details):
    return Publication(
        name=name,
        files=md5_of(files),
        licence="any",
        citation="none",
        homepage="https://example.org/set",
        max_bytes=max(map(len, files.values())),
        typical_bytes=max(map(len, files.values())),
        **details,
    )


@functools.cache
def esc_files(seconds=0.25):
    """Twenty clips: five folds of four classes, three of which belong to ESC-10."""
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    files = {}
    for fold in range(1, 6):
        for target, category in CATEGORIES.items():
            source = 1000 * fold + target
            name = f"{fold}-{source}-A-{target}.wav"
            lines.append(f"{name},{fold},{target},{category},{target != PIG},{source},A")
            files[f"audio/{name}"] = wav_bytes(source, seconds)
    return {METADATA: "\n".join(lines).encode()} | files


def tiny_esc50(files, **details):
    """Make a class that is ESC50 in all but its files."""
    publication = publish("ESC-50", files, **details)
    return type("TinyESC50", (ESC50,), {"publication": staticmethod(lambda: publication)})


def tiny_urbansound8k(files):
    """Make a class that is UrbanSound8K in all but its files."""
    publication = publish("UrbanSound8K", files)
    return type("TinyUrbanSound8K", (UrbanSound8K,), {"publication": staticmethod(lambda: publication)})


def lay_out(folder, files):
    """Write files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def parts_below(folder):
    """List half-written files, which nothing may leave behind."""
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


@functools.cache
def quick_processes():
    """Make processes out of one that has torch loaded already, which a new one takes seconds for."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["__main__", "pytest", "faulty_server", "tiny_sets", "envnet_tutorial.datasets.cache"]
    )
    # Until Python 3.12 the server of forks looks for its modules without this process's sys.path.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    starter = context.Process(target=os.getpid)
    starter.start()
    starter.join()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before
    return context
