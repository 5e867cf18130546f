"""Weights: where they lie, bases, merging, and what was released."""
