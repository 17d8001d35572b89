"""Small sets in the layout of the real ones, with their own checksums."""

import functools
import hashlib
import io
import multiprocessing
import os
import sys
from pathlib import PurePosixPath

import numpy as np
import soundfile

from envnet_tutorial.datasets import esc50
from envnet_tutorial.datasets.esc50 import ESC50, METADATA
from envnet_tutorial.datasets.published import Publication
from envnet_tutorial.datasets.urbansound8k import UrbanSound8K

#: ESC-50's classes by their numbers (Piczak 2015).
# fmt: off
ESC50_CATEGORIES = [
    "dog", "rooster", "pig", "cow", "frog", "cat", "hen",
    "insects", "sheep", "crow", "rain", "sea_waves", "crackling_fire", "crickets",
    "chirping_birds", "water_drops", "wind", "pouring_water", "toilet_flush", "thunderstorm", "crying_baby",
    "sneezing", "clapping", "breathing", "coughing", "footsteps", "laughing", "brushing_teeth",
    "snoring", "drinking_sipping", "door_wood_knock", "mouse_click", "keyboard_typing", "door_wood_creaks",
    "can_opening",
    "washing_machine", "vacuum_cleaner", "clock_alarm", "clock_tick", "glass_breaking", "helicopter", "chainsaw",
    "siren", "car_horn", "engine", "train", "church_bells", "airplane", "fireworks",
    "hand_saw",
]
# fmt: on
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


def esc50_metadata():
    """Write ESC-50's own table of all 2,000 clips again: their names, whose checksums are shipped, tell everything."""
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for name in sorted(PurePosixPath(name).name for name in esc50.publication().files if name != METADATA):
        fold, source, take, target = name.removesuffix(".wav").split("-")
        is_esc10 = int(target) in esc50.ESC10_TARGETS
        lines.append(f"{name},{fold},{target},{ESC50_CATEGORIES[int(target)]},{is_esc10},{source},{take}")
    return "\n".join(lines).encode() + b"\n"


def whole_esc50(folder, seconds=0.1, rate=16_000):
    """Lay out ESC-50 with its real metadata; the clips of a class share one made sound, a file with 40 names."""
    lay_out(folder, {METADATA: esc50_metadata()})
    (folder / "audio").mkdir()
    for name in esc50.publication().files:
        if name != METADATA:
            target = int(PurePosixPath(name).stem.split("-")[3])
            sound = folder / f"{target}.wav"
            if not sound.exists():
                sound.write_bytes(wav_bytes(target, seconds, rate))
            os.link(sound, folder / name)
    return folder


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
