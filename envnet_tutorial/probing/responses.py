"""What comes out of a network's front end when a pure tone goes in (lesson 5)."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from envnet_tutorial.probing.tones import sine_probes

#: Frames of a probe that are averaged; 10 frames of EnvNet are 0.1 s.
NUM_FRAMES = 10


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Put a network into eval mode without gradients, and every module back into its own mode afterwards."""
    modes = {module: module.training for module in model.modules()}
    try:
        with torch.no_grad():
            yield model.eval()
    finally:
        for module, training in modes.items():
            module.training = training


def probe_length(feature_conv: nn.Module, num_frames: int) -> int:
    """Return the fewest samples for which a front end gives ``num_frames`` frames, by its own layers' arithmetic."""
    length = num_frames
    for layer in reversed([m for m in feature_conv.modules() if isinstance(m, (nn.Conv2d, nn.MaxPool2d))]):
        sizes = (layer.kernel_size, layer.stride, layer.padding)
        kernel, stride, padding = (size[-1] if isinstance(size, tuple) else size for size in sizes)
        length = (length - 1) * stride + kernel - 2 * padding
    return length


def response_matrix(
    model: nn.Module,
    frequencies: Tensor,
    *,
    amplitude: float = 0.5,
    num_phases: int = 4,
    num_frames: int = NUM_FRAMES,
    batch_size: int = 16,
) -> Tensor:
    """Probe each filter of a front end with pure tones (lesson 5).

    Parameters
    ----------
    model : nn.Module
        A network with ``feature_conv``, which maps (batch, 1, 1, time) to (batch, 1, filter, frame), and
        ``input_format``. Its mode, statistics, gradients and random numbers stay as they are.
    frequencies : Tensor, shape (frequency,)
        In Hz.
    amplitude : float, default 0.5
        Peak of the tones; the responses are not proportional to it (batch norm's offset, ReLU).
    num_phases : int, default 4
        Phases over which the responses are averaged.
    num_frames : int, default 10
        Frames over which the responses are averaged. A steady tone gives much the same frame again and again, and
        exactly the same where its period divides a frame, so that a tenth of a window is enough.
    batch_size : int, default 16
        Tones at a time; so few fit a processor's cache.

    Returns
    -------
    Tensor of float32, shape (filter, frequency)
        Mean output of each filter for each tone, on the processor.

    Raises
    ------
    ValueError
        If the network has no such front end.
    """
    if not hasattr(model, "feature_conv") or not hasattr(model, "input_format"):
        raise ValueError(f"{type(model).__name__} has no feature_conv over waveforms to probe")
    weight = next(model.parameters())
    num_samples = probe_length(model.feature_conv, num_frames)
    tones = sine_probes(
        frequencies, num_samples, model.input_format.sample_rate, amplitude=amplitude, num_phases=num_phases
    )
    # A copy, so that its weights may lie in memory as conv2 reads them fastest: channels last, twice as fast.
    feature_conv = copy.deepcopy(model.feature_conv).to(memory_format=torch.channels_last).eval()
    outputs = []
    with torch.no_grad():
        for batch in tones.flatten(0, 1).split(batch_size):
            lifted = batch.to(weight)[:, None, None].contiguous(
                memory_format=torch.channels_last
            )  # (batch, 1, 1, time)
            outputs.append(feature_conv(lifted).squeeze(1).mean(dim=-1).cpu())  # (batch, filter)
    responses = torch.cat(outputs).unflatten(0, (len(frequencies), num_phases))  # (frequency, phase, filter)
    return responses.mean(dim=1).T.contiguous()


def response_levels(model: nn.Module, frequencies: Tensor, amplitudes, **options) -> Tensor:
    """Probe each filter with tones of several levels (lesson 5).

    Parameters
    ----------
    model, frequencies
        As for `response_matrix`.
    amplitudes : sequence of float
        Peaks of the tones, where full scale is 1.
    **options
        Passed on to `response_matrix`.

    Returns
    -------
    Tensor of float32, shape (level, filter, frequency)
    """
    return torch.stack(
        [response_matrix(model, frequencies, amplitude=float(amplitude), **options) for amplitude in amplitudes]
    )
