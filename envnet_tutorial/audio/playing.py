"""A player for notebook and page, with its sound inside (lesson 1)."""

import base64
import functools
import html
import io
from dataclasses import dataclass

import numpy as np
import soundfile
import torch
from torch import Tensor

from envnet_tutorial.audio.levels import level
from envnet_tutorial.audio.resampling import resample
from envnet_tutorial.audio.samples import as_frames
from envnet_tutorial.audio.writing import encode
from envnet_tutorial.errors import InputError

#: Rates in Hz that an MP3 may have (ISO/IEC 11172-3 and 13818-3, and the quarter rates of MPEG 2.5).
MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
#: Where the peak of a normalised sound comes to lie: -1 dBFS, so that MP3's own ripple does not clip.
NORMALISED_PEAK = 10 ** (-1 / 20)


@dataclass(frozen=True)
class Player:
    """A sound in a page: `IPython.display.Audio` with a label, a stated level and a text that never changes.

    Parameters
    ----------
    content : bytes
        The encoded sound.
    mime : str
        Its type, ``audio/mpeg`` or ``audio/wav``.
    sample_rate : int
        Rate in Hz of the sound that was given.
    seconds : float
        Its length.
    caption : str
        What stands beside the player and is its label to a screen reader.
    """

    content: bytes
    mime: str
    sample_rate: int
    seconds: float
    caption: str

    def __repr__(self) -> str:
        return f"Player({self.caption})"

    def _repr_html_(self) -> str:
        sound = base64.b64encode(self.content).decode("ascii")
        label = html.escape(self.caption, quote=True)
        return (
            f'<div class="sound"><audio controls preload="auto" aria-label="{label}" '
            f'src="data:{self.mime};base64,{sound}"></audio> <small>{label}</small></div>'
        )


def player(waveform: Tensor | np.ndarray, sample_rate: int, *, label: str = "", normalise: bool = False) -> Player:
    """Embed a sound into the page, as MP3 at the rate that the lesson speaks of (lesson 1).

    Parameters
    ----------
    waveform : Tensor or ndarray of float or int16, shape (channel, sample) or (sample,)
        One or two channels in [-1, 1].
    sample_rate : int
        Rate in Hz. One that MP3 does not know is converted to the next higher one that it does.
    label : str
        Words that say what sounds.
    normalise : bool
        Bring the peak to -1 dBFS. Off by default, so that quiet stays quiet; if on, the caption says by how much.

    Returns
    -------
    Player
        The last line of a cell shows it.

    Raises
    ------
    InputError
        If the waveform is empty, not finite, far beyond full scale, or has more than two channels, or the rate is
        below 1 Hz.
    """
    frames = as_frames(waveform)  # (sample, channel)
    if sample_rate < 1:
        raise InputError(f"sample_rate must be at least 1 Hz, got {sample_rate}")
    if frames.shape[1] > 2:
        raise InputError(f"a player has one or two channels, not {frames.shape[1]}")
    peak = float(np.abs(frames).max())
    if peak > 2 and not normalise:  # it would be clipped to noise at full level, in somebody's ears
        raise InputError(f"the waveform peaks at {peak:.4g}, where full scale is 1: divide it, or pass normalise=True")
    gain = NORMALISED_PEAK / peak if normalise and peak else 1.0
    seconds = len(frames) / sample_rate
    facts = [label] if label else []
    facts += [f"{seconds:.2f} s at {sample_rate:,} Hz", f"{_whole(level(frames))} dBFS" if peak else "silence"]
    if gain != 1:
        facts.append(f"played {_whole(20 * np.log10(gain), sign='+')} dB")
    content, mime = _encode_for_web(frames * np.float32(gain), sample_rate)
    return Player(content, mime, sample_rate, seconds, ", ".join(facts))


def _whole(decibels: float, sign: str = "") -> str:
    """Write whole decibels with a true minus sign, and none before a zero."""
    return f"{round(decibels):{sign}d}".replace("-", "\N{MINUS SIGN}")


@functools.cache
def _mp3_rates() -> tuple[int, ...]:
    """Ask libsndfile which of the MP3 rates it writes; a system library may be built without MP3."""
    writable = []
    for rate in MP3_RATES:
        try:
            soundfile.write(io.BytesIO(), np.zeros(rate // 10, np.float32), rate, format="MP3")
        except (soundfile.SoundFileError, ValueError):
            continue
        writable.append(rate)
    return tuple(writable)


def _encode_for_web(frames: np.ndarray, sample_rate: int) -> tuple[bytes, str]:
    """Encode (sample, channel) as MP3, or as WAV where this libsndfile knows no MP3."""
    rates = _mp3_rates()
    if not rates:
        return encode(frames, sample_rate, "WAV"), "audio/wav"
    playable = next((rate for rate in rates if rate >= sample_rate), rates[-1])
    if playable != sample_rate:
        frames = resample(torch.from_numpy(frames.T.copy()), sample_rate, playable).numpy().T
    return encode(frames, playable, "MP3"), "audio/mpeg"
