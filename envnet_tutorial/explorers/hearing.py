"""Hear yourself: a learned front end that runs in the page, on what the reader says into it (lesson 5, front page)."""

import base64
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from envnet_tutorial.audio import levels, player, resample
from envnet_tutorial.audio.spectrograms import fourier_length, log_mel
from envnet_tutorial.datasets import synthetic
from envnet_tutorial.explorers import stills
from envnet_tutorial.explorers.inline import inline
from envnet_tutorial.explorers.naming import front_end_weights, naming_settings, pack
from envnet_tutorial.models.pooled_norm import PooledNormEnvNet
from envnet_tutorial.plotting.pictures import palette
from envnet_tutorial.pretrained import load_pretrained
from envnet_tutorial.probing import centre_frequencies, composite_kernels, probe_frequencies, response_matrix
from envnet_tutorial.results import load_result
from envnet_tutorial.results.views import front_end
from envnet_tutorial.settings import ENVNET_INPUT

#: The scripts that `hearing.js` builds on, each after those that it needs itself.
PARTS = ("filter_signal", "hearing_signal", "hearing_sources", "hearing_charts", "hearing_player", "hearing_live")
#: Peak of the tones by which the rows are sorted: next to the level that `levels.compress_levels` leads to.
TONE_AMPLITUDE = 0.1
#: Value of the learned map that gets the brightest colour. Colour goes with the square root of the value.
BRIGHTEST = 4.0
#: Levels in dB of the darkest and the brightest colour of the mel spectrogram.
MEL_RANGE = (-80, -10)
#: Length in seconds of a sample sound: longer than a window, so that there is something to move.
SAMPLE_SECONDS = 2.5
#: Sample sounds by the names of their classes in the synthetic set, in the order of their buttons. The page opens with
#: the first, which the network on the front page names; the second it refuses to name, and the page's text says so.
SAMPLES = {"a dog": "dog", "a sneeze": "sneezing", "a clock": "clock_tick"}
#: Longest recording in seconds, and longest file.
MAX_RECORDING, MAX_FILE = 10, 600


@dataclass(frozen=True, repr=False)
class HearingExplorer:
    """A microphone, a learned feature map beside the mel spectrogram, and what each filter lets through (lesson 5).

    The last line of a cell shows it. All is computed in the page: nothing that the reader says or opens leaves it.

    Parameters
    ----------
    network : PooledNormEnvNet
        Its front end runs in the page, in eval mode.
    sounds : mapping of str to Tensor, shape (1, time)
        What a reader without a microphone can choose, by name, at 16 kHz. The first one is shown at the start.
    origin : str
        Where the weights come from, and the licence of the data that they were trained on.
    ratio : float
        What the differences between the levels of windows were divided by in training (`levels.compress_levels`).
    naming : dict, optional
        `naming.naming_settings` of a network that names the sound; it takes windows prepared with the same ratio.
        Without, none is named.

    Raises
    ------
    TypeError
        If the network is another one: the page computes this one's order of pool, batch norm and ReLU.
    ValueError
        If there is no sound, or one is shorter than the network's window.
    """

    network: PooledNormEnvNet
    sounds: Mapping[str, Tensor]
    origin: str
    ratio: float
    naming: dict = field(default_factory=dict)

    def __post_init__(self):
        if not isinstance(self.network, PooledNormEnvNet):
            raise TypeError(f"the page runs the front end of a PooledNormEnvNet, not of {type(self.network).__name__}")
        lengths = [sound.shape[-1] for sound in self.sounds.values()]
        if not lengths or min(lengths) < ENVNET_INPUT.num_samples:
            raise ValueError(f"give one or more sounds of at least {ENVNET_INPUT.num_samples:,} samples, not {lengths}")

    def __repr__(self) -> str:
        return f"HearingExplorer({', '.join(self.sounds)})"

    def _repr_html_(self) -> str:
        sounds = {name: player(sound, ENVNET_INPUT.sample_rate) for name, sound in self.sounds.items()}
        tuned = tuning(self.network)
        settings = {
            **formats(),
            **tuned,
            "levels": {"ratio": self.ratio, "common": levels.COMMON_LEVEL_DB, "quietest": levels.QUIETEST_DB},
            "weights": pack(front_end_weights(self.network.feature_conv)),
            "kernels": pack(composite_kernels(self.network)),
            "colours": palette(),
            "sounds": [
                {"name": name, "content": base64.b64encode(sound.content).decode("ascii")}
                for name, sound in sounds.items()
            ],
            "origin": self.origin,
            "naming": self.naming,
        }
        name, sound = next(iter(self.sounds.items()))
        window = levels.compress_levels(sound[:, : ENVNET_INPUT.num_samples], self.ratio)
        still = still_of(self.network, tuned["order"], name, window)
        parts = (*PARTS, "hearing_naming") if self.naming else PARTS
        return inline("hearing", settings, parts=parts, still=still)


def hear_yourself() -> HearingExplorer:
    """Return the explorer with the front end that was trained on ESC-50, fold 1 held out (front page, lessons 5, 7).

    A compact network, trained on the same clips with the same recipe, names the sound.
    """
    result = load_result("esc50-fast")
    settings = result.settings
    ratio = settings["recipe"]["compression_ratio"]
    origin = (
        f"Weights: the front end of this book's EnvNet, which normalises after pooling, trained on {settings['data']} "
        f"for {settings['recipe']['epochs']} epochs, fold 1 held out, seed {settings['seeds'][0]}. "
        "The clips of ESC-50: K. J. Piczak (2015), doi:10.1145/2733373.2806390, CC BY-NC 3.0. "
        "The sample sounds are synthetic."
    )
    return HearingExplorer(front_end(result, 1), sample_sounds(), origin, ratio, naming_settings(load_pretrained(), 1))


@functools.cache
def sample_sounds() -> dict[str, Tensor]:
    """Cut the loudest seconds out of three synthetic clips: Tensors (1, time) at 16 kHz, by name."""
    rate, cut = ENVNET_INPUT.sample_rate, {}
    for name, category in SAMPLES.items():
        clip, clip_rate = synthetic.example(category)
        sound = resample(clip, clip_rate, rate)  # (1, time)
        energy = sound[0].square().unfold(0, round(SAMPLE_SECONDS * rate), rate // 100).sum(dim=1)
        start = int(energy.argmax()) * (rate // 100)
        cut[name] = sound[:, start : start + round(SAMPLE_SECONDS * rate)].clone()
    return cut


def tuning(network: PooledNormEnvNet) -> dict:
    """Say which tone each filter answers most, and in which order that puts the filters.

    Returns
    -------
    dict
        ``centres`` in Hz by filter, None for one that answers all tones alike; ``order``, the filters' numbers, the
        lowest first, those without a centre last.
    """
    frequencies = probe_frequencies(96, 50, 7900)
    centres = centre_frequencies(response_matrix(network, frequencies, amplitude=TONE_AMPLITUDE), frequencies)
    order = centres.nan_to_num(torch.inf).argsort(stable=True)
    return {
        "centres": [None if value != value else round(value) for value in centres.tolist()],
        "order": order.tolist(),
    }


def formats() -> dict:
    """Name the lengths, rates and levels that the page has in common with the package."""
    rate = ENVNET_INPUT.sample_rate
    return {
        "rate": rate,
        "samples": ENVNET_INPUT.num_samples,
        "hop": PooledNormEnvNet.hop,
        "filters": 40,
        "taps": 8,
        "mel": {"bands": 40, "window": rate // 40, "fourier": fourier_length(rate // 40), "range": MEL_RANGE},
        "brightest": BRIGHTEST,
        "maxRecording": MAX_RECORDING,
        "maxFile": MAX_FILE,
    }


def still_of(network: PooledNormEnvNet, order: list[int], name: str, window: Tensor) -> str:
    """Return what a reader without JavaScript sees: both maps of a window (1, time), with a caption."""
    with torch.inference_mode():
        learned = network.frontend(window[None])[0][order]  # (filter, frame)
    low, high = MEL_RANGE
    pictures = {
        "Learned feature map": (learned / BRIGHTEST).clamp(0, 1).sqrt(),
        "Log-mel spectrogram": ((log_mel(window[0], ENVNET_INPUT.sample_rate) - low) / (high - low)).clamp(0, 1),
    }
    images = "".join(
        stills.image(values, f"{title} of {name}, 40 rows by 150 steps") for title, values in pictures.items()
    )
    caption = f"{name.capitalize()}: the map that EnvNet learned, and the log-mel spectrogram."
    return stills.figure(images, caption)
