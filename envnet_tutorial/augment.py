"""What a clip goes through before a network hears it: crops, gain, time scale, mixing (lessons 4 and 6).

Every function takes a whole batch of clips as one tensor of shape (batch, time), on any device, and draws from the
generator it is given; a clip costs no Python work of its own. The order is that of the reference recipe: time scale,
padding, crop, between-class mixing, gain; then, for recipes of ours, polarity and compression of the levels.

Y. Tokozume, Y. Ushiku and T. Harada, "Learning from between-class examples for deep sound recognition", ICLR 2018.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from envnet_tutorial.audio.levels import a_weighted_level
from envnet_tutorial.audio.samples import INT16_SCALE
from envnet_tutorial.formats import widest_float


class Span(NamedTuple):
    """Where in each clip there is sound: the first sample and the number of samples, both of shape (batch,)."""

    first: Tensor
    length: Tensor

    def of(self, rows: Tensor) -> "Span":
        """Return the spans of the clips that ``rows`` names."""
        return Span(self.first[rows], self.length[rows])


def whole_span(clips: Tensor) -> Span:
    """Return the span that keeps every sample of clips of shape (batch, time)."""
    first = torch.zeros(len(clips), dtype=torch.long, device=clips.device)
    return Span(first, torch.full_like(first, clips.shape[1]))


def sound_span(clips: Tensor) -> Span:
    """Find each clip without the digital silence before and after it (lesson 4).

    Parameters
    ----------
    clips : Tensor, shape (batch, time)

    Returns
    -------
    Span
        The whole clip where it is silent throughout: no clip is ever lost.

    Notes
    -----
    ESC fills recordings shorter than 5 s with zeros; the reference recipe removes them when it prepares its data.
    """
    sounding = clips != 0
    first = sounding.to(torch.uint8).argmax(dim=1)
    last = clips.shape[1] - 1 - sounding.flip(1).to(torch.uint8).argmax(dim=1)
    return Span(first, last - first + 1)


def cut(clips: Tensor, starts: Tensor, num_samples: int, *, span: Span | None = None, scale=None) -> Tensor:
    """Cut one window from each clip, after time scale and padding with half a window of zeros on both sides (lesson 4).

    Parameters
    ----------
    clips : Tensor of int16, shape (batch, time)
    starts : Tensor of int64, shape (batch,)
        First sample of each window, counted from the beginning of the padded clip.
    num_samples : int
        Length of a window in samples.
    span : Span, optional
        The part of each clip to use; all of it without.
    scale : Tensor of float64 (float32 on an Apple GPU), shape (batch,), optional
        Factor on the duration of each clip, by linear interpolation; 1 without.

    Returns
    -------
    Tensor of float32, shape (batch, num_samples)
        Waveforms in [-1, 1].
    """
    span = span or whole_span(clips)
    first, length = span.first[:, None], span.length[:, None]
    steps = torch.arange(num_samples, device=clips.device)
    index = starts[:, None] - num_samples // 2 + steps  # (batch, num_samples), before 0 and after the end: padding
    if scale is None:
        window = clips.gather(1, (first + index.clamp(min=0)).minimum(first + length - 1)).float()
        return window * ((index >= 0) & (index < length)) / INT16_SCALE
    inside = (index >= 0) & (index < scaled_length(length, scale[:, None]))
    position = index.clamp(min=0) / scale[:, None]
    left = position.long().minimum(length - 1)
    right = (left + 1).minimum(length - 1)
    share = position - left
    window = clips.gather(1, first + left) * (1 - share) + clips.gather(1, first + right) * share
    return (window * inside / INT16_SCALE).float()


def scaled_length(length: Tensor, scale: Tensor) -> Tensor:
    """Return the number of samples of clips of ``length`` samples whose duration is multiplied by ``scale``."""
    return (length * scale).long()


def random_crop(
    clips: Tensor, num_samples: int, *, generator: torch.Generator, span: Span | None = None, max_scale: float = 1.0
) -> Tensor:
    """Pad each clip with half a window of zeros on both sides and cut a window at random (lesson 4).

    Parameters
    ----------
    clips : Tensor of int16, shape (batch, time)
    num_samples : int
        Length of a window in samples.
    generator : torch.Generator
        Source of the random numbers, on the device of the clips.
    span : Span, optional
        The part of each clip to use; all of it without.
    max_scale : float, default 1
        Stretch each clip in time before, by a factor drawn log-uniformly from [1 / max_scale, max_scale].

    Returns
    -------
    Tensor of float32, shape (batch, num_samples)
        Waveforms in [-1, 1].
    """
    span = span or whole_span(clips)
    draw = torch.rand(2, len(clips), generator=generator, device=clips.device, dtype=widest_float(clips.device))
    scale = None if max_scale == 1 else max_scale ** (2 * draw[0] - 1)
    length = span.length if scale is None else scaled_length(span.length, scale)
    positions = length + 2 * (num_samples // 2) - num_samples + 1  # at which a window fits into the padded clip
    starts = (draw[1] * positions).long()
    return cut(clips, starts, num_samples, span=span, scale=scale)


def window_starts(length: Tensor, num_samples: int, num_windows: int = 10) -> Tensor:
    """Place the test windows evenly over each padded clip (lesson 4).

    Parameters
    ----------
    length : Tensor of int64, shape (batch,)
        Samples of each clip, without padding.
    num_samples : int
        Length of a window in samples.
    num_windows : int, default 10

    Returns
    -------
    Tensor of int64, shape (batch, num_windows)
        First sample of each window, counted from the beginning of the padded clip.
    """
    room = length + 2 * (num_samples // 2) - num_samples
    stride = room // max(num_windows - 1, 1)
    return stride[:, None] * torch.arange(num_windows, device=length.device)


def cut_test_windows(clips: Tensor, num_samples: int, num_windows: int = 10, *, span: Span | None = None) -> Tensor:
    """Cut evenly spaced windows from each padded clip, quiet ones included (lesson 4).

    Parameters
    ----------
    clips : Tensor of int16, shape (batch, time)
    num_samples : int
        Length of a window in samples.
    num_windows : int, default 10
    span : Span, optional
        The part of each clip to use; all of it without.

    Returns
    -------
    Tensor of float32, shape (batch, num_windows, num_samples)
        Waveforms in [-1, 1].
    """
    span = span or whole_span(clips)
    starts = window_starts(span.length, num_samples, num_windows)
    return torch.stack([cut(clips, column, num_samples, span=span) for column in starts.unbind(1)], dim=1)


def random_gain(waveforms: Tensor, max_db: float, *, generator: torch.Generator) -> Tensor:
    """Multiply each waveform (batch, time) by a gain drawn uniformly from [-max_db, max_db] dB (lesson 6)."""
    draw = torch.rand(len(waveforms), 1, generator=generator, device=waveforms.device)
    return waveforms * 10 ** (max_db * (2 * draw - 1) / 20)


def random_polarity(waveforms: Tensor, *, generator: torch.Generator) -> Tensor:
    """Turn each waveform (batch, time) upside down with probability 1/2: a microphone's wires swapped (lesson 4)."""
    draw = torch.randint(0, 2, (len(waveforms), 1), generator=generator, device=waveforms.device)
    return waveforms * (2 * draw - 1)


def mix(first: Tensor, second: Tensor, ratio: Tensor, sample_rate: int) -> Tensor:
    """Mix two sounds so that the first takes the share ``ratio`` of what is heard: between-class mixing (lesson 6).

    Parameters
    ----------
    first, second : Tensor of float32, shape (batch, time)
        Waveforms, already cropped: the level that counts is that of the part that the network hears.
    ratio : Tensor, shape (batch,)
        Share of the first sound, in [0, 1].
    sample_rate : int
        Sampling rate in Hz.

    Returns
    -------
    Tensor of float32, shape (batch, time)
        ``(p first + (1 - p) second) / sqrt(p^2 + (1 - p)^2)``, where p corrects the ratio for the two levels:
        equations (6.4) and (6.5) of the lesson, which calls p and the ratio a and lambda.
    """
    louder_db = a_weighted_level(first, sample_rate) - a_weighted_level(second, sample_rate)
    share = (ratio / (ratio + 10 ** (louder_db / 20) * (1 - ratio))).unsqueeze(1)
    return (share * first + (1 - share) * second) / (share.square() + (1 - share).square()).sqrt()


def draw_pairs(labels: Tensor, count: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw pairs of clips of different classes, each such pair with the same probability (lesson 6).

    Parameters
    ----------
    labels : Tensor of int64, shape (clip,)
    count : int
        Number of pairs.
    generator : torch.Generator
        Source of the random numbers, on the device of the labels.

    Returns
    -------
    first, second : Tensor of int64, shape (count,)
        Rows of the two clips of each pair.

    Raises
    ------
    ValueError
        If all clips are of one class.
    """
    ordered, rows = labels.sort(stable=True)
    begin = torch.searchsorted(ordered, ordered)  # where the clip's own class begins in that order
    own = torch.searchsorted(ordered, ordered, right=True) - begin
    others = len(labels) - own
    if not bool(others.any()):
        raise ValueError("between-class mixing needs clips of at least two classes")
    wide = widest_float(labels.device)
    first = torch.multinomial(others.to(wide), count, replacement=True, generator=generator)
    draw = torch.rand(count, generator=generator, device=labels.device, dtype=wide)
    second = (draw * others[first]).long()
    second = second + own[first] * (second >= begin[first])  # step over the own class
    return rows[first], rows[second]
