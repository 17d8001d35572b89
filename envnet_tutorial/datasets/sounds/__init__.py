"""One module a family of sounds: animals, voices, nature, machines; and what they share: signals, filters, scene.

Each class of sound is a frozen dataclass: `draw(rng)` draws one source recording (the voice, the room, the background),
`take(rng)` synthesises one fragment of it, shape (220500,), float64 between -1 and 1.
"""

from envnet_tutorial.datasets.sounds.animals import Dog, Rooster
from envnet_tutorial.datasets.sounds.machines import Chainsaw, ClockTick, Helicopter
from envnet_tutorial.datasets.sounds.nature import CracklingFire, Rain, SeaWaves
from envnet_tutorial.datasets.sounds.voices import CryingBaby, Sneezing

__all__ = [
    "Chainsaw",
    "ClockTick",
    "CracklingFire",
    "CryingBaby",
    "Dog",
    "Helicopter",
    "Rain",
    "Rooster",
    "SeaWaves",
    "Sneezing",
]
