"""What papers report of the networks, with the source; what could not be confirmed is left out (lesson 7)."""

from typing import NamedTuple

from envnet_tutorial.comparison.protocol import same_data


class Published(NamedTuple):
    """An accuracy that a paper reports.

    Parameters
    ----------
    accuracy : float
        Share of right answers, from 0 to 1.
    source : str
        Which paper, and what has to be known of the number.
    """

    accuracy: float
    source: str


RETRAINED = "Tokozume, Ushiku and Harada 2018: standard learning, mean over the five folds"
VARIANT = f"EnvNet, of which this is a variant of ours; {RETRAINED}"
MIXED = RETRAINED.replace("standard", "between-class")
MIXED_VARIANT = VARIANT.replace("standard", "between-class")
DEEP = "Dai and others 2017, table 2: trained once, tested on fold 10 alone"

#: By network and data. The 2018 paper gives error rates; these are what is left of 100 %.
PUBLISHED = {
    ("envnet", "ESC-50"): Published(0.708, RETRAINED),
    ("envnet", "ESC-10"): Published(0.872, RETRAINED),
    ("envnet-reordered", "ESC-50"): Published(0.708, RETRAINED),
    ("envnet-reordered", "ESC-10"): Published(0.872, RETRAINED),
    ("envnet-pooled-norm", "ESC-50"): Published(0.708, VARIANT),
    ("envnet-pooled-norm", "ESC-10"): Published(0.872, VARIANT),
    ("envnet-v2", "ESC-50"): Published(0.744, RETRAINED),
    ("envnet-v2", "ESC-10"): Published(0.858, RETRAINED),
    ("m18", "ESC-50"): Published(0.685, RETRAINED),
    ("m3", "UrbanSound8K"): Published(0.5612, DEEP),
    ("m5", "UrbanSound8K"): Published(0.6342, DEEP),
    ("m11", "UrbanSound8K"): Published(0.6907, DEEP),
    ("m18", "UrbanSound8K"): Published(0.7168, DEEP),
    ("m34-res", "UrbanSound8K"): Published(0.6347, DEEP),
}
#: The same for networks that learned between classes.
PUBLISHED_BETWEEN_CLASS = {
    (network, data): Published(accuracy, source)
    for network, source in (("envnet", MIXED), ("envnet-reordered", MIXED), ("envnet-pooled-norm", MIXED_VARIANT))
    for data, accuracy in (("ESC-50", 0.759), ("ESC-10", 0.887))
}


def published(network: str, data: str, *, mix: str = "none") -> Published | None:
    """Return what a paper reports of a network on a data set, None if nothing is known here.

    Parameters
    ----------
    network : str
        A key of `models.NETWORKS`.
    data : str
        Name of the data set; see `protocol.same_data`.
    mix : str
        What the network learned from: clips ("none") or, between classes, mixtures of two ("bc"); see `Recipe`.
    """
    numbers = PUBLISHED_BETWEEN_CLASS if mix == "bc" else PUBLISHED
    found = (number for (name, known), number in numbers.items() if name == network and same_data(known, data))
    return next(found, None)
