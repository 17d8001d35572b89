"""Published numbers: whose they are, and that they agree with the error rates that the 2018 paper prints."""

import pytest

from envnet_tutorial.comparison import PUBLISHED, published
from envnet_tutorial.models import NETWORKS

#: Error rates in %, of standard learning.
ERRORS = {
    ("envnet", "ESC-50"): 29.2,
    ("envnet", "ESC-10"): 12.8,
    ("envnet-v2", "ESC-50"): 25.6,
    ("envnet-v2", "ESC-10"): 14.2,
    ("m18", "ESC-50"): 31.5,
}


@pytest.mark.parametrize(("network", "data"), ERRORS)
def test_accuracies_are_what_the_errors_leave(network, data):
    found = published(network, data)
    assert 100 * found.accuracy == pytest.approx(100 - ERRORS[network, data])
    assert "2018" in found.source


@pytest.mark.parametrize(("data", "error"), [("ESC-50", 24.1), ("ESC-10", 11.3)])
def test_mixtures_have_numbers_of_their_own(data, error):
    found = published("envnet", data, mix="bc")
    assert 100 * found.accuracy == pytest.approx(100 - error) and "between-class" in found.source
    assert found.accuracy > published("envnet", data).accuracy
    assert published("m18", data, mix="bc") is None


def test_every_number_has_a_network_and_a_source():
    assert {network for network, _ in PUBLISHED} <= set(NETWORKS)
    assert all(0 < number.accuracy < 1 and number.source for number in PUBLISHED.values())


def test_one_set_under_two_names():
    assert published("envnet", "esc50") == published("envnet", "ESC-50")


def test_what_is_not_known_is_left_out():
    assert published("wavemsnet", "ESC-50") is None  # 79.1 % needs the spectrogram as well
    assert published("envnet", "synthetic") is None
