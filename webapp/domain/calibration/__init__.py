"""Calibration: levels played by many attacks, and what came of it."""
