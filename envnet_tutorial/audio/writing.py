"""Write sound files (lesson 1)."""

import io
from pathlib import Path

import numpy as np
import soundfile
from torch import Tensor

from envnet_tutorial.audio.samples import as_frames, to_int16
from envnet_tutorial.errors import InputError
from envnet_tutorial.files import unwritten, written_whole


def write_audio(path: str | Path, waveform: Tensor | np.ndarray, sample_rate: int) -> Path:
    """Write a sound file whose format follows the name's ending; WAV and FLAC get 16 bits (lesson 1).

    Parameters
    ----------
    path : str or Path
        Ends in .wav, .flac, .ogg or .mp3. The file appears whole or not at all.
    waveform : Tensor or ndarray of float or int16, shape (channel, sample) or (sample,)
        In [-1, 1]; what lies beyond is clipped. What was read from 16 bits is written back bit by bit.
    sample_rate : int
        Rate in Hz.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the ending is unknown, the folder is not there or full, the waveform is empty or not finite, or the format
        cannot take this rate.
    """
    path = Path(path)
    kind = path.suffix[1:].upper()
    if kind not in ("WAV", "FLAC", "OGG", "MP3"):
        raise InputError(f"{path.name} should end in .wav, .flac, .ogg or .mp3")
    content = encode(as_frames(waveform), sample_rate, kind)
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}")
    try:
        with written_whole(path) as stream:
            stream.write(content)
    except OSError as error:  # a full disk, a folder of that name, a name too long
        raise unwritten(path, error) from error
    return path


def encode(frames: np.ndarray, sample_rate: int, kind: str) -> bytes:
    """Encode float32 (sample, channel) in memory."""
    stream = io.BytesIO()
    lossless = kind in ("WAV", "FLAC")
    try:
        soundfile.write(stream, to_int16(frames) if lossless else frames.clip(-1, 1), sample_rate, format=kind)
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        reason = getattr(error, "error_string", error)  # without the address of the stream
        raise InputError(f"{kind} cannot hold {frames.shape[1]} channels at {sample_rate} Hz ({reason})") from error
    return stream.getvalue()
