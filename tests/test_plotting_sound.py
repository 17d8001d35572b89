"""Figures of sound put every value where its time and frequency say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from envnet_tutorial.plotting import sound, use_book_style
from envnet_tutorial.settings import ENVNET_INPUT

RATE = ENVNET_INPUT.sample_rate


@pytest.fixture(autouse=True)
def closed_figures():
    use_book_style()
    yield
    plt.close("all")


def tone(frequency, seconds=0.5, amplitude=1.0):
    return amplitude * torch.sin(2 * torch.pi * frequency * torch.arange(int(seconds * RATE)) / RATE)


def value_at(ax, x, y):
    """Read the level that the picture shows at a place, from the image and its extent."""
    (image,) = ax.images
    left, right, bottom, top = image.get_extent()
    rows, columns = image.get_array().shape
    return image.get_array()[int((y - bottom) / (top - bottom) * rows), int((x - left) / (right - left) * columns)]


def test_a_waveform_starts_at_its_time_and_ends_after_its_length():
    ax = sound.plot_waveform(torch.tensor([[0.0, 0.5, -0.5, 0.0]]), 2, start=1.5)
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [1.5, 2.0, 2.5, 3.0])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0, 0.5, -0.5, 0])


def test_a_spectrogram_puts_a_bin_and_a_frame_where_they_belong():
    levels = np.full((5, 4), -80.0)
    levels[2, 3] = -10  # a quarter of the rate, three hops after the start
    ax = sound.plot_spectrogram(levels, 8_000, 800, start=0.2, limits=(-90, 0))
    assert value_at(ax, 0.2 + 3 * 0.1, 2.0) == -10
    assert value_at(ax, 0.2 + 2 * 0.1, 2.0) == -80
    assert value_at(ax, 0.2 + 3 * 0.1, 3.0) == -80
    assert ax.get_ylim() == (0, 4)
    assert ax.images[0].get_clim() == (-90, 0)


def test_a_mel_spectrogram_names_its_rows_by_their_centres():
    levels = np.arange(40.0)[:, None] * np.ones(3)
    ax = sound.plot_mel_spectrogram(levels, RATE, 160, centres=np.arange(40) * 100)
    assert value_at(ax, 0.01, 39) == 39
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "1000", "2000", "2900", "3900"]
    assert ax.get_ylabel() == "centre of mel band (Hz)"


def test_mel_filters_are_drawn_over_frequency():
    filters = np.zeros((9, 2))
    filters[4, 0] = filters[8, 1] = 1
    ax = sound.plot_mel_filters(filters, RATE)
    assert [line.get_xdata()[line.get_ydata().argmax()] for line in ax.lines] == [4.0, 8.0]


@pytest.mark.parametrize("colorbar", [True, False])
def test_axes_are_used_where_given_and_carry_units(colorbar):
    figure, axes = plt.subplots(4)
    levels = np.zeros((3, 3))
    drawn = [
        sound.plot_waveform(tone(100), RATE, ax=axes[0]),
        sound.plot_spectrogram(levels, RATE, 160, colorbar=colorbar, ax=axes[1]),
        sound.plot_mel_spectrogram(levels, RATE, 160, centres=[1, 2, 3], colorbar=colorbar, ax=axes[2]),
        sound.plot_mel_filters(levels, RATE, ax=axes[3]),
    ]
    assert drawn == list(axes)
    assert all("(" in ax.get_xlabel() for ax in drawn)
    assert all("(" in ax.get_ylabel() for ax in drawn[:3])
    assert len(figure.axes) == 4 + 2 * colorbar


def test_what_is_no_sound_is_refused():
    with pytest.raises(ValueError, match="one channel"):
        sound.plot_waveform(torch.zeros(2, 10), RATE)
    with pytest.raises(ValueError, match="one channel"):
        sound.plot_waveform([], RATE)
    with pytest.raises(ValueError, match=r"\(row, frame\)"):
        sound.plot_spectrogram(np.zeros(3), RATE, 160)
