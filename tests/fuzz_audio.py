"""Mutate the headers of sound files and see that reading them ends in a sound or in one clear error.

    python tests/fuzz_audio.py --inputs 100000

Each input is made from its number alone, so that a finding can be made again: ``--first N --inputs 1``. Batches run in
processes of their own, which are watched for crashes, for standing still and for the memory that they take.
"""

import argparse
import collections
import functools
import io
import json
import random
import resource
import selectors
import struct
import subprocess
import sys
import time

import numpy as np
import soundfile
import torch

from envnet_tutorial.audio import load_audio
from envnet_tutorial.errors import InputError
from envnet_tutorial.settings import ENVNET_INPUT

#: Formats and encodings that are mutated: all that the book reads, and what else a WAV may hold.
KINDS = (
    *(("WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
    *(("WAV", subtype) for subtype in ("ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610")),
    *(("WAVEX", "PCM_16"), ("WAVEX", "FLOAT"), ("RF64", "PCM_16"), ("AIFF", "PCM_16"), ("AIFF", "FLOAT")),
    *(("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")),
)
#: Bytes at the start of a file that count as its header: the codebooks of OGG lie beyond, and are hit now and then.
HEADER_BYTES = 160
#: Numbers that parsers trip over.
EXTREMES = (0, 1, 2, 3, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
#: One input may take this long in seconds, and one batch this much memory more than it began with, in MB.
MAX_SECONDS = 10
MAX_MEGABYTES = 1000
BATCH = 2500


@functools.cache
def original(kind, channels):
    """Encode a tenth of a second of noise."""
    container, subtype = kind
    rate = 48_000 if subtype == "OPUS" else 8_000 if subtype == "GSM610" else 44_100
    noise = np.random.default_rng(channels).uniform(-0.5, 0.5, (rate // 10, channels))
    stream = io.BytesIO()
    soundfile.write(stream, noise, rate, format=container, subtype=subtype)
    return stream.getvalue()


def mutated(number):
    """Make the input of this number: a kind of file and its damaged bytes."""
    chance = random.Random(number)
    kind = KINDS[number % len(KINDS)]
    content = bytearray(original(kind, 1 if kind[1] == "GSM610" else chance.choice((1, 2))))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        reach = HEADER_BYTES if chance.random() < 0.8 else len(content)
        place = chance.randrange(max(1, min(reach, len(content))))
        chance.choice((_flip, _put_byte, _put_number, _cut, _insert, _repeat))(chance, content, place)
    return kind, bytes(content)


def _flip(chance, content, place):
    if content:
        content[place] ^= 1 << chance.randrange(8)


def _put_byte(chance, content, place):
    content[place : place + 1] = bytes([chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))])


def _put_number(chance, content, place):
    form = chance.choice(("<I", ">I", "<H", ">H"))
    value = chance.choice((*EXTREMES, chance.randrange(1 << 32)))
    size = struct.calcsize(form)
    content[place : place + size] = struct.pack(form, value % (1 << 8 * size))


def _cut(chance, content, place):
    del content[place : place + chance.choice((1, 2, 4, 100, len(content)))]


def _insert(chance, content, place):
    content[place:place] = chance.randbytes(chance.choice((1, 2, 4, 64)))


def _repeat(chance, content, place):
    piece = content[place : place + chance.choice((4, 16, 64))]
    content[place:place] = piece * chance.choice((1, 10))


def check(number):
    """Read one input; return ``"sound"`` or ``"refused"``, raise for anything else."""
    kind, content = mutated(number)
    rate = ENVNET_INPUT.sample_rate if number % 3 == 0 else None
    try:
        waveform, found_rate = load_audio(content, sample_rate=rate, mono=number % 5 == 0)
    except InputError as error:
        assert 20 < len(str(error)) < 400, (number, kind, str(error))
        assert "0x" not in str(error), (number, kind, str(error))
        return "refused"
    assert waveform.dtype == torch.float32, (number, kind)
    assert waveform.ndim == 2 and waveform.numel() > 0, (number, kind, waveform.shape)
    assert torch.isfinite(waveform).all() and waveform.abs().max() <= 1, (number, kind)
    assert found_rate >= 1 and (rate is None or found_rate == rate), (number, kind, found_rate)
    return "sound"


def run_batch(first, count):
    """Read inputs one after the other and report each, for the process that watches."""
    torch.set_num_threads(1)
    check(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes = collections.Counter()
    for number in range(first, first + count):
        start = time.monotonic()
        outcomes[check(number)] += 1
        outcomes["slowest, ms"] = max(outcomes["slowest, ms"], round(1000 * (time.monotonic() - start)))
        print(number, flush=True)
    outcomes["most memory, MB"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    print("done", json.dumps(outcomes), flush=True)


def watch_batch(first, count):
    """Run a batch in its own process; return its outcomes, raise for a crash, a halt, or a hunger for memory."""
    command = [sys.executable, __file__, "--batch", "--first", str(first), "--inputs", str(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
    last, outcomes = f"{first} (starting)", None
    watcher = selectors.DefaultSelector()
    watcher.register(process.stdout, selectors.EVENT_READ)
    while watcher.select(MAX_SECONDS + 60 * (outcomes is None and "starting" in last)):
        line = process.stdout.readline()
        if not line:
            break
        if line.startswith(b"done"):
            outcomes = collections.Counter(json.loads(line[5:]))
        else:
            last = line.decode().strip()
    else:
        process.kill()
        raise SystemExit(f"input after {last} stands still")
    if process.wait() or outcomes is None:
        raise SystemExit(f"input after {last} ended the process with status {process.returncode}")
    if outcomes["most memory, MB"] > MAX_MEGABYTES:
        raise SystemExit(f"the batch from {first} took {outcomes['most memory, MB']} MB")
    return outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--batch", action="store_true", help="run the inputs here, unwatched")
    options = parser.parse_args()
    if options.batch:
        run_batch(options.first, options.inputs)
        return
    total = collections.Counter()
    for first in range(options.first, options.first + options.inputs, BATCH):
        outcomes = watch_batch(first, min(BATCH, options.first + options.inputs - first))
        for key, value in outcomes.items():
            total[key] = max(total[key], value) if "," in key else total[key] + value
        print(f"{first + BATCH:,} inputs: {dict(total)}", flush=True)


if __name__ == "__main__":
    main()
