"""Figures of the book: arrays in, axes out; no model, no dataset."""

from envnet_tutorial.plotting.style import PALETTE, SEQUENTIAL, SIGNED, use_book_style

__all__ = ["PALETTE", "SEQUENTIAL", "SIGNED", "use_book_style"]
