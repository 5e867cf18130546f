"""Weights: where they are, bases, merging, and what was released."""
