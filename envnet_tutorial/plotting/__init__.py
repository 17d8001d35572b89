"""Figures of the book: arrays in, axes out; no model, no dataset."""

from envnet_tutorial.plotting.style import PALETTE, SEQUENTIAL, use_book_style

__all__ = ["PALETTE", "SEQUENTIAL", "use_book_style"]
