"""The figures of lesson 4 draw the numbers that they are given."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from envnet_tutorial.plotting import learning


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_history_draws_accuracy_in_percent():
    epochs = pd.DataFrame({"epoch": [1, 2], "loss": [2.3, 1.1], "accuracy": [0.1, 0.5], "learning_rate": [0.01, 0.02]})
    ax = learning.plot_history(epochs, "accuracy")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [10, 50])
    assert "%" in ax.get_ylabel()
    with pytest.raises(ValueError, match="loss, accuracy, learning_rate"):
        learning.plot_history(epochs, "seconds")


def test_confusion_prints_every_count_in_its_place():
    confusion = np.array([[3, 1], [0, 4]])
    ax = learning.plot_confusion(confusion, ["dog", "rain"])
    drawn = {(int(t.get_position()[1]), int(t.get_position()[0])): int(t.get_text()) for t in ax.texts}
    assert drawn == {(0, 0): 3, (0, 1): 1, (1, 1): 4}  # (row of the truth, column of the prediction)
    assert ax.get_ylabel() == "true class"
    assert ax.figure.axes == [ax]  # the counts are printed: no colour bar
    with pytest.raises(ValueError, match="square"):
        learning.plot_confusion(confusion, ["dog"])


def test_windows_are_drawn_where_they_are_cut():
    ax = learning.plot_windows(np.zeros(100), [0, 50], num_samples=40, sample_rate=10, padding=20)
    spans = [line.get_xdata() for line in ax.lines[1:]]
    np.testing.assert_allclose(spans, [[-2, 2], [3, 7]])


def test_a_spread_shows_every_run_and_the_mean_of_each_condition():
    ax = learning.plot_spread({"fold": [50.0, 70.0], "random": [90.0]}, "accuracy (%)")
    dots = [line.get_ydata().tolist() for line in ax.lines if line.get_marker() == "o"]
    means = [line.get_ydata()[0] for line in ax.lines if line.get_marker() == "None"]
    assert dots == [[50.0, 70.0], [90.0]] and means == [60.0, 90.0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["fold", "random"]
