"""The sounds that the lessons learn from: a synthetic set made on the spot, ESC-10, ESC-50, UrbanSound8K."""
