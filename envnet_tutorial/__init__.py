"""Learning sound features end to end: the package under the lessons.

Modules build on each other in one direction, from the ground up: `settings`, `audio`, `shapes`,
`datasets`, `augment`, `models`, `training`, `probing`, `plotting`, `explorers`.
"""

__version__ = "0.1.0"
