"""Measures of a filter bank from its response matrix: centres, bandwidths, order, the diagonal (lesson 5)."""

import torch
from torch import Tensor
from torch.nn import functional

from envnet_tutorial.audio.spectrograms import hz_to_mel, mel_triangles


def unit_range(matrix: Tensor) -> Tensor:
    """Scale each row to run from 0 to 1; a filter that answers all tones alike becomes all 0 (lesson 5).

    Parameters
    ----------
    matrix : Tensor, shape (filter, frequency)

    Returns
    -------
    Tensor of float64, shape (filter, frequency)
    """
    matrix = torch.as_tensor(matrix).double()
    low, high = matrix.amin(dim=1, keepdim=True), matrix.amax(dim=1, keepdim=True)
    spread = high - low
    # Below a millionth of its size a difference between two tones is rounding, not a preference.
    is_flat = spread <= 1e-6 * high.abs().clamp(min=1e-12)
    return torch.where(is_flat, 0.0, (matrix - low) / spread.clamp(min=1e-300))


def centre_frequencies(matrix: Tensor, frequencies: Tensor) -> Tensor:
    """Return the frequency in Hz of each filter's largest response; NaN for a filter that answers all tones alike."""
    scaled = unit_range(matrix)
    centres = torch.as_tensor(frequencies).double()[scaled.argmax(dim=1)]
    return torch.where(scaled.amax(dim=1) > 0, centres, torch.nan)


def sort_by_centre(matrix: Tensor, frequencies: Tensor) -> Tensor:
    """Return the rows' order by centre frequency, lowest first; ties keep their order and flat filters come last.

    Parameters
    ----------
    matrix : Tensor, shape (filter, frequency)
    frequencies : Tensor, shape (frequency,)
        In Hz.

    Returns
    -------
    Tensor of int64, shape (filter,)
    """
    centres = centre_frequencies(matrix, frequencies)
    return centres.nan_to_num(torch.inf).argsort(stable=True)


def bandwidths(matrix: Tensor, frequencies: Tensor) -> Tensor:
    """Measure over how many Hz each filter answers with at least half of its range (lesson 5).

    Parameters
    ----------
    matrix : Tensor, shape (filter, frequency)
    frequencies : Tensor, shape (frequency,)
        In Hz, rising.

    Returns
    -------
    Tensor of float64, shape (filter,)
        Sum of the widths of all bands together; NaN for a filter that answers all tones alike.
    """
    frequencies = torch.as_tensor(frequencies).double()
    scaled = unit_range(matrix)
    above = ((scaled[:, 1:] >= 0.5) & (scaled[:, :-1] >= 0.5)).double()
    # Where the response crosses one half between two probes, the part above it counts.
    crossing = (scaled[:, 1:] >= 0.5) ^ (scaled[:, :-1] >= 0.5)
    high, low = torch.maximum(scaled[:, 1:], scaled[:, :-1]), torch.minimum(scaled[:, 1:], scaled[:, :-1])
    share = torch.where(crossing, (high - 0.5) / (high - low).clamp(min=1e-12), above)
    width = share @ frequencies.diff()
    return torch.where(scaled.amax(dim=1) > 0, width, torch.nan)


def peak_widths(matrix: Tensor, frequencies: Tensor) -> Tensor:
    """Measure how wide each filter's highest peak is at half of its range, in Hz (lesson 5).

    Unlike `bandwidths` it leaves out whatever else a filter answers to: it tells how finely the filter resolves.

    Parameters
    ----------
    matrix : Tensor, shape (filter, frequency)
    frequencies : Tensor, shape (frequency,)
        In Hz, rising.

    Returns
    -------
    Tensor of float64, shape (filter,)
        NaN for a filter that answers all tones alike. A peak at the first or the last tone counts up to there.
    """
    frequencies = torch.as_tensor(frequencies).double()
    widths = []
    for row in unit_range(matrix):
        peak = int(row.argmax())
        low = half_crossing(row[: peak + 1].flip(0), frequencies[: peak + 1].flip(0))
        high = half_crossing(row[peak:], frequencies[peak:])
        widths.append(high - low if row[peak] > 0 else torch.tensor(torch.nan, dtype=torch.float64))
    return torch.stack(widths)


def half_crossing(values: Tensor, frequencies: Tensor) -> Tensor:
    """Return the frequency at which values that begin at a peak of 1 first cross one half, or the last frequency."""
    below = (values < 0.5).nonzero()
    if not len(below):
        return frequencies[-1]
    end = int(below[0])
    share = (values[end - 1] - 0.5) / (values[end - 1] - values[end])
    return torch.lerp(frequencies[end - 1], frequencies[end], share)


def selectivity(matrix: Tensor, frequencies: Tensor) -> Tensor:
    """Measure how much each filter prefers one tone to all others (lesson 5).

    Each row is scaled to run from 0 to 1. The measure is 1 minus the mean of the row over all frequencies but that of
    its peak. Each tone stands for the band halfway to its neighbours, so the mean is one over Hz, whatever the probes'
    spacing.

    Parameters
    ----------
    matrix : Tensor, shape (filter, frequency)
    frequencies : Tensor, shape (frequency,)
        In Hz, rising; at least 2.

    Returns
    -------
    Tensor of float64, shape (filter,)
        1 for a filter that answers a single tone, towards 0 for one that answers all tones but a few fully; NaN for a
        filter that answers all tones alike.
    """
    scaled = unit_range(matrix)
    spacing = torch.as_tensor(frequencies).double().diff()
    band = (functional.pad(spacing, (1, 0)) + functional.pad(spacing, (0, 1))) / 2  # (frequency,), Hz
    is_peak = functional.one_hot(scaled.argmax(dim=1), scaled.shape[1]).bool()
    weight = band.masked_fill(is_peak, 0.0)  # (filter, frequency)
    mean = (scaled * weight).sum(dim=1) / weight.sum(dim=1)
    return torch.where(scaled.amax(dim=1) > 0, 1 - mean, torch.nan)


def diagonality(matrix: Tensor, frequencies: Tensor) -> float:
    """Measure how much a response matrix looks like a diagonal once its rows are sorted (lesson 5).

    Each row is scaled to run from 0 to 1. The measure is the correlation between a row's place in the sorted order and
    the place of a tone among the probes, weighted with the responses: 1 for 40 narrow bands that follow each other,
    0 for filters that answer all tones alike.

    Parameters
    ----------
    matrix : Tensor, shape (filter, frequency)
        In any order; it is sorted here.
    frequencies : Tensor, shape (frequency,)
        In Hz.

    Returns
    -------
    float
        From 0 to 1 up to noise. Sorting alone makes it positive, so it means something only beside a control.
    """
    weight = unit_range(matrix)[sort_by_centre(matrix, frequencies)]
    total = weight.sum()
    if total == 0:
        return 0.0
    row = torch.linspace(-1, 1, weight.shape[0], dtype=torch.float64)[:, None]
    column = torch.linspace(-1, 1, weight.shape[1], dtype=torch.float64)[None]
    row, column = row - (weight * row).sum() / total, column - (weight * column).sum() / total
    covariance = (weight * row * column).sum()
    norm = ((weight * row.square()).sum() * (weight * column.square()).sum()).sqrt()
    return float(covariance / norm) if norm > 0 else 0.0


def mel_fit(centres: Tensor, low: float, high: float) -> float:
    """Measure how well sorted centre frequencies fall on equal steps of the mel scale (lesson 5).

    Parameters
    ----------
    centres : Tensor, shape (filter,)
        Centre frequencies in Hz; NaN are left out.
    low, high : float
        Range of the scale in Hz.

    Returns
    -------
    float
        Coefficient of determination of the centres, in mel, by equal steps from ``low`` to ``high``: 1 for a mel filter
        bank, 0 for one that does no better than a constant, negative for worse.
    """
    mels = hz_to_mel(centres[~centres.isnan()]).sort().values
    steps = torch.linspace(float(hz_to_mel(low)), float(hz_to_mel(high)), len(mels) + 2, dtype=torch.float64)[1:-1]
    residual, spread = (mels - steps).square().sum(), (mels - mels.mean()).square().sum()
    return float(1 - residual / spread) if spread > 1e-9 else float("-inf")


def mel_bank(num_bands: int, frequencies: Tensor, sample_rate: int) -> Tensor:
    """Sample a mel filter bank at given frequencies, to measure it as learned filters are (lesson 5).

    Parameters
    ----------
    num_bands : int
        Triangles, at equal distances on the mel scale of `hz_to_mel` from 0 Hz to half the rate.
    frequencies : Tensor, shape (frequency,)
        In Hz, from 0 to half the rate.
    sample_rate : int
        Rate in Hz.

    Returns
    -------
    Tensor of float64, shape (band, frequency)
        From 0 to 1, the peak of each triangle.

    Raises
    ------
    ValueError
        If a frequency lies outside the bank.
    """
    frequencies = torch.as_tensor(frequencies).double()
    half = sample_rate // 2
    if frequencies.min() < 0 or frequencies.max() > half + 1e-6:  # the way through mel rounds
        raise ValueError(f"a mel bank at {sample_rate:,} Hz reaches from 0 to {half:,} Hz; a frequency lies outside")
    return mel_triangles(num_bands, frequencies, sample_rate)
