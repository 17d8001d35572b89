"""What a reader moves: figures that follow a control, live in a notebook and readable without one."""

from envnet_tutorial.explorers.figure import interactive_figure

__all__ = ["interactive_figure"]
