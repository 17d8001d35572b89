"""What learned filters hear: sine probes, exact frequency responses, measures of a filter bank (lesson 5).

Read `tones` (what is played), `responses` (what comes back), `spectra` (the independent check by FFT), `measures`
(centres, bandwidths, the diagonal), `recorder` (probes while a network learns).
"""

from envnet_tutorial.probing.measures import (
    bandwidths,
    centre_frequencies,
    diagonality,
    mel_fit,
    peak_widths,
    sort_by_centre,
    unit_range,
)
from envnet_tutorial.probing.recorder import ProbeRecorder
from envnet_tutorial.probing.responses import response_matrix
from envnet_tutorial.probing.spectra import composite_kernels, first_kernels, frequency_response
from envnet_tutorial.probing.tones import hz_to_mel, mel_to_hz, probe_frequencies, sine_probes

__all__ = [
    "ProbeRecorder",
    "bandwidths",
    "centre_frequencies",
    "composite_kernels",
    "diagonality",
    "first_kernels",
    "frequency_response",
    "hz_to_mel",
    "mel_fit",
    "mel_to_hz",
    "peak_widths",
    "probe_frequencies",
    "response_matrix",
    "sine_probes",
    "sort_by_centre",
    "unit_range",
]
