"""Data to train on without bringing any: our own words, put together by code.

Anybody may use the rows for anything (CC0). They are made the same each time.
"""

from __future__ import annotations

from finetune.data.shipped.sets import SETS, ShippedSet, write_set

__all__ = ["SETS", "ShippedSet", "write_set"]
