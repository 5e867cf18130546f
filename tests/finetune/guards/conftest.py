"""The released gate, which takes a second to load."""

from __future__ import annotations

import pytest

from finetune.guards.gate import Gate
from finetune.guards.released import load_judge


@pytest.fixture(scope="session")
def gate() -> Gate:
    guard = load_judge("gate")
    assert isinstance(guard, Gate)
    return guard
