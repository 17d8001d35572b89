"""Read sound files of every common format into tensors, and refuse what is damaged (lesson 1)."""

import io
import math
import re
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import torch
from torch import Tensor

from envnet_tutorial.audio.resampling import resample
from envnet_tutorial.errors import InputError

#: The most samples (over all channels) that one call reads: 2 GiB as float32, about 1.7 hours of 44.1 kHz stereo.
MAX_VALUES = 2**29
#: Sampling rates in Hz that a file may have; a header with another one is damaged, and a conversion from 1 Hz would
#: turn a few kilobytes into gigabytes.
RATE_LIMITS = (100, 10_000_000)
#: Frames read at a time, so that a header that lies about its length cannot claim memory that the file does not fill.
BLOCK_FRAMES = 1 << 16
#: Bytes of one sample by libsndfile's name for its encoding; whatever is not here has two.
_SAMPLE_BYTES = {"PCM_U8": 1, "PCM_S8": 1, "ULAW": 1, "ALAW": 1, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
#: From here on a length is a stand-in for "unknown", as programs that write into a pipe leave it.
_UNKNOWN_BYTES = 0x7FFFF000
_UNKNOWN_FRAMES = 1 << 62
_READABLE = "WAV, FLAC, OGG, MP3 or AIFF"
_TOO_LONG = f"is {{:,.0f}} minutes long or more, beyond the {MAX_VALUES:,} samples that are read at once: cut it first"


def load_audio(
    source: str | Path | bytes | BinaryIO,
    *,
    sample_rate: int | None = None,
    mono: bool = False,
    allow_truncated: bool = False,
) -> tuple[Tensor, int]:
    """Read a whole sound file (lesson 1).

    Parameters
    ----------
    source : str, Path, bytes or binary file object
        WAV (8, 16, 24, 32 bit or float), FLAC, OGG (Vorbis, Opus), MP3 or AIFF.
    sample_rate : int, optional
        Rate in Hz to convert to (see `resample`); by default the rate of the file.
    mono : bool
        Average the channels into one.
    allow_truncated : bool
        Return what is there of a file that ends before the length in its header, instead of raising.

    Returns
    -------
    waveform : Tensor of float32, shape (channel, sample)
        In [-1, 1]. Integer samples are divided by 2**(bits - 1), exactly up to 24 bits. What decoding or rate
        conversion carries slightly beyond full scale is clipped.
    sample_rate : int
        Rate in Hz.

    Raises
    ------
    InputError
        If there is no such file, it is empty, no sound file, truncated (where its format says how long it should be:
        WAV, FLAC, AIFF; an OGG or MP3 stream that stops early is simply shorter), holds no sample, holds NaN or
        infinity, has floating-point samples beyond twice full scale, a rate outside `RATE_LIMITS`, or more than
        `MAX_VALUES` samples.
    """
    if sample_rate is not None and sample_rate < 1:
        raise InputError(f"sample_rate must be at least 1 Hz, got {sample_rate}")
    stream, name = _open(source)
    with stream:
        waveform, rate = _decode(stream, name, allow_truncated)
    if mono and waveform.shape[0] > 1:
        waveform = waveform.mean(dim=0, keepdim=True)  # (channel, sample) -> (1, sample)
    if sample_rate is not None and sample_rate != rate:
        waveform, rate = resample(waveform, rate, sample_rate), sample_rate
    return waveform.clamp_(-1.0, 1.0), rate


def _open(source: str | Path | bytes | BinaryIO) -> tuple[BinaryIO, str]:
    """Give a seekable stream and a name for messages."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(bytes(source)), "the given bytes"
    if hasattr(source, "read"):
        content = source.read()
        if not isinstance(content, bytes):
            raise InputError("a file object must be opened in binary mode ('rb')")
        return io.BytesIO(content), str(getattr(source, "name", "the given file object"))
    if isinstance(source, str) and "://" in source:
        raise InputError(f"{source} is an address, not a file: download it first and give its path or its bytes")
    path = Path(source)
    if not path.is_file():
        raise InputError(f"{path} is {'a folder' if path.is_dir() else 'not there'}: give the path of a sound file")
    try:
        return path.open("rb"), str(path)
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror})") from error


def _is_known_format(head: bytes) -> bool:
    """Tell the formats of the book by their first bytes; libsndfile alone would also try two dozen exotic ones."""
    if head[:4] in (b"RIFF", b"RF64", b"RIFX"):
        return head[8:12] == b"WAVE"
    if head[:4] == b"FORM":
        return head[8:12] in (b"AIFF", b"AIFC")
    is_mpeg_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return head[:4] in (b"fLaC", b"OggS") or head[:3] == b"ID3" or is_mpeg_frame


def _decode(stream: BinaryIO, name: str, allow_truncated: bool) -> tuple[Tensor, int]:
    """Read all frames of a stream as (channel, sample), refusing what is damaged."""
    head = stream.read(12)
    if not head:
        raise InputError(f"{name} is empty (0 bytes)")
    if not _is_known_format(head):
        raise InputError(f"{name} is not a sound file that can be read here ({_READABLE})")
    stream.seek(0)
    try:
        with soundfile.SoundFile(_Nameless(stream)) as file:
            promised, rate = _promised_frames(file), file.samplerate
            waveform = _read_blocks(file, name)
    except (soundfile.SoundFileError, TypeError, ValueError, OSError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "error_string", error)  # without the stream's address, which changes on every run
        raise InputError(f"{name} is damaged and cannot be decoded as {_READABLE} ({reason})") from error
    _check_samples(waveform, promised, rate, name, allow_truncated)
    return waveform, rate


class _Nameless:
    """A stream without its name, so that soundfile goes by content and not by a file name's ending such as .raw."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self.read, self.readinto, self.tell = stream.read, stream.readinto, stream.tell

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Stay in place if a damaged header asks for a position before the start; libsndfile notices and gives up."""
        try:
            return self._stream.seek(offset, whence)
        except (ValueError, OSError):
            return self._stream.tell()


def _promised_frames(file: soundfile.SoundFile) -> int:
    """Length in frames by the header; libsndfile cuts a WAV's down to what is there and notes the claim in its log."""
    frames = 0 if file.frames >= _UNKNOWN_FRAMES else file.frames
    if file.format not in ("WAV", "WAVEX", "RF64", "AIFF"):
        return frames if file.format == "FLAC" else 0
    frame_bytes = max(1, file.channels) * _SAMPLE_BYTES.get(file.subtype, 2)
    claim = re.search(r"^ *(?:(?:data|SSND) : (?=\d+ \(should be)|Data size : )(\d+)", file.extra_info, re.MULTILINE)
    if claim and int(claim[1]) < _UNKNOWN_BYTES:
        frames = max(frames, int(claim[1]) // frame_bytes)
    return frames


def _read_blocks(file: soundfile.SoundFile, name: str) -> Tensor:
    """Read block by block into one array that starts at the promised size and is cut to what arrived."""
    channels, frames = file.channels, file.frames
    if channels < 1 or not RATE_LIMITS[0] <= file.samplerate <= RATE_LIMITS[1]:
        raise InputError(f"{name} declares {channels} channels at {file.samplerate} Hz, which is no sound")
    room = MAX_VALUES // channels
    if room < frames < _UNKNOWN_FRAMES:
        raise InputError(f"{name} {_TOO_LONG.format(frames / file.samplerate / 60)}")
    waveform = np.empty((channels, min(max(frames, 0), room)), dtype=np.float32)  # pages never filled cost nothing
    done = 0
    while done < waveform.shape[1]:
        block = file.read(min(BLOCK_FRAMES, waveform.shape[1] - done), dtype="float32", always_2d=True)
        if not len(block):
            break
        waveform[:, done : done + len(block)] = block.T  # (sample, channel) -> (channel, sample)
        done += len(block)
    if done == room < frames:
        raise InputError(f"{name} {_TOO_LONG.format(room / file.samplerate / 60)}")
    return torch.from_numpy(waveform if done == waveform.shape[1] else waveform[:, :done].copy())


def _check_samples(waveform: Tensor, promised: int, rate: int, name: str, allow_truncated: bool) -> None:
    """Refuse a waveform that is empty, cut short, not finite or far beyond full scale."""
    found = waveform.shape[1]
    if found < promised and not allow_truncated:
        raise InputError(
            f"{name} is truncated: {found / rate:.3f} s of the {promised / rate:.3f} s that its header promises"
        )
    if not found:
        raise InputError(f"{name} holds no samples")
    peak = float(waveform.abs().max())
    if not math.isfinite(peak):
        raise InputError(f"{name} holds samples that are not numbers (NaN or infinity)")
    if peak > 2:
        raise InputError(
            f"{name} peaks at {peak:.4g}, but floating-point sound has its full scale at 1: divide it by its full scale"
        )
