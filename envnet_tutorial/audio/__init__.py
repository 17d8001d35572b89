"""Sound in and out: read, write, change the rate, measure the level, and play in a page (lesson 1).

Everything is read through libsndfile (the package `soundfile`), which brings its codecs along in its wheel: no FFmpeg,
no system library. Samples are float32 tensors of shape (channel, sample) in [-1, 1].
"""

from envnet_tutorial.audio.levels import level
from envnet_tutorial.audio.playing import Player, player
from envnet_tutorial.audio.reading import MAX_VALUES, load_audio
from envnet_tutorial.audio.resampling import RESAMPLER, resample
from envnet_tutorial.audio.samples import to_int16
from envnet_tutorial.audio.writing import write_audio

__all__ = ["MAX_VALUES", "RESAMPLER", "Player", "level", "load_audio", "player", "resample", "to_int16", "write_audio"]
