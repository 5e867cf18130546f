"""Rows of the lab: what people keep of their experiments."""

from __future__ import annotations

from typing import Final

# The feature that calls from the lab are recorded under.
LAB: Final = "lab"
