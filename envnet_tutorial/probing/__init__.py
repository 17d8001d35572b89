"""What learned filters hear: sine probes, exact frequency responses, measures of a filter bank (lesson 5).

Read `tones` (what is played), `responses` (what comes back), `spectra` (the independent check by FFT), `measures`
(centres, bandwidths, the diagonal), `order` (are neighbours alike), `recorder` (probes while a network learns),
`importance` (what the rest of the network listens to), `separation` (how far
classes lie apart; lesson 6).
"""

from envnet_tutorial.probing.importance import gradient_importance, occlusion_importance
from envnet_tutorial.probing.measures import (
    bandwidths,
    centre_frequencies,
    diagonality,
    mel_bank,
    mel_fit,
    peak_widths,
    selectivity,
    sort_by_centre,
    unit_range,
)
from envnet_tutorial.probing.order import OrderTest, order_test
from envnet_tutorial.probing.recorder import ProbeRecorder
from envnet_tutorial.probing.responses import response_levels, response_matrix
from envnet_tutorial.probing.separation import discriminant_axes, features_before, fisher_ratio
from envnet_tutorial.probing.spectra import composite_kernels, frequency_response
from envnet_tutorial.probing.tones import probe_frequencies, sine_probes

__all__ = [
    "OrderTest",
    "ProbeRecorder",
    "bandwidths",
    "centre_frequencies",
    "composite_kernels",
    "diagonality",
    "discriminant_axes",
    "features_before",
    "fisher_ratio",
    "frequency_response",
    "gradient_importance",
    "mel_bank",
    "mel_fit",
    "occlusion_importance",
    "order_test",
    "peak_widths",
    "probe_frequencies",
    "response_levels",
    "response_matrix",
    "selectivity",
    "sine_probes",
    "sort_by_centre",
    "unit_range",
]
