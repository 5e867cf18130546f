"""How many attacks got through a level: all, of each kind and of each family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from webapp.content.attacks import Conversation
from webapp.content.report import Rate

# The 97.5 % point of the normal distribution, for 95 % intervals.
_Z: Final = 1.959964


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927); (0, 1) for no plays."""
    if count == 0:
        return 0.0, 1.0
    share, z2 = hits / count, _Z * _Z
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    spread = math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    half = _Z * spread / (1 + z2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def share(hits: int, count: int) -> float | None:
    """Return a share as reports hold it; None of nothing."""
    return round(hits / count, 4) if count else None


def attack_shares(
    attacks: Sequence[Conversation], won: Sequence[bool]
) -> dict[str, Any]:
    """Return the fields of a level's report that say which attacks won there.

    A single message and a conversation are two figures: some guards see one message at
    a time, and are beaten by several that are harmless one by one.
    """
    whole = _rate(won)
    pairs = list(zip(attacks, won, strict=True))
    families: dict[str, list[bool]] = {}
    for attack, is_won in pairs:
        families.setdefault(attack.family, []).append(is_won)
    return {
        "attacks": whole.attacks,
        "success_rate": whole.success_rate,
        "interval": whole.interval,
        "single": _rate([is_won for attack, is_won in pairs if attack.is_single]),
        "conversations": _rate(
            [is_won for attack, is_won in pairs if not attack.is_single]
        ),
        "by_family": {
            family: _rate(wins).success_rate for family, wins in families.items()
        },
    }


def _rate(won: Sequence[bool]) -> Rate:
    low, high = wilson(sum(won), len(won))
    return Rate(
        attacks=len(won),
        success_rate=share(sum(won), len(won)) or 0.0,
        interval=(round(low, 4), round(high, 4)),
    )
