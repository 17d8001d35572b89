"""What comes out of a network's front end when a pure tone goes in (lesson 5)."""

import torch
from torch import Tensor

from envnet_tutorial.models.base import WaveformNetwork
from envnet_tutorial.modes import evaluating
from envnet_tutorial.probing.tones import sine_probes

#: Frames of a probe that are averaged; 10 frames of EnvNet are 0.1 s.
NUM_FRAMES = 10


def response_matrix(
    model: WaveformNetwork,
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
    model : WaveformNetwork
        Its mode, statistics, gradients and random numbers stay as they are.
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
    TypeError
        If it is no `WaveformNetwork`, so that nothing says how it hears.
    """
    if not isinstance(model, WaveformNetwork):
        raise TypeError(f"{type(model).__name__} is no WaveformNetwork: it has no front end to probe")
    parameter = next(model.parameters())
    tones = sine_probes(
        frequencies,
        model.samples_for(num_frames),
        model.input_format.sample_rate,
        amplitude=amplitude,
        num_phases=num_phases,
    )
    with evaluating(model):
        outputs = [
            model.frontend(batch.to(parameter).unsqueeze(1)).mean(dim=-1).cpu()  # (batch, filter)
            for batch in tones.flatten(0, 1).split(batch_size)
        ]
    responses = torch.cat(outputs).unflatten(0, (len(frequencies), num_phases))  # (frequency, phase, filter)
    return responses.mean(dim=1).T.contiguous()


def response_levels(model: WaveformNetwork, frequencies: Tensor, amplitudes, **options) -> Tensor:
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
