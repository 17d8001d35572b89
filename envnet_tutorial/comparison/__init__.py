"""One protocol, one table: what each network costs, and what it has been measured to be worth (lesson 7).

`protocol` finds the trainings that a table may use, `prices` says what a network costs, `published` what its paper
reports, `table` puts them side by side.
"""

from envnet_tutorial.comparison.prices import Latency, blocks, latency, operations, parameters
from envnet_tutorial.comparison.protocol import Protocol, held
from envnet_tutorial.comparison.published import PUBLISHED, Published, published
from envnet_tutorial.comparison.table import EMPTY, compare, spelled_out

__all__ = [
    "EMPTY",
    "PUBLISHED",
    "Latency",
    "Protocol",
    "Published",
    "blocks",
    "compare",
    "held",
    "latency",
    "operations",
    "parameters",
    "published",
    "spelled_out",
]
