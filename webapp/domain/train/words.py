"""Figures of training as people say them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ((1e9, "billion"), (1e6, "million"))


def perplexity_words(perplexity: float) -> str:
    """Return what a perplexity means: how many words it hesitates between."""
    shown = f"{perplexity:.1f}" if perplexity < 10 else f"{perplexity:,.0f}"
    return f"as if it chose between {shown} words each time"


def duration(seconds: float) -> str:
    """Return a time as people say it, rounded: `about 3 minutes`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} second{'' if whole == 1 else 's'}"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        tail = f" {rest} s" if rest and minutes < 10 else ""
        return f"{minutes} minute{'' if minutes == 1 else 's'}{tail}"
    hours, minutes = divmod(minutes, 60)
    tail = f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{hours} hour{'' if hours == 1 else 's'} {tail}"


def large(number: float) -> str:
    """Return a large number in words: `135 million`, `2,400 billion`."""
    for size, name in _UNITS:
        if number >= size:
            share = number / size
            if share >= 1_000:
                return f"{share:,.0f} {name}"
            digits = 0 if share >= 100 else 1 if share >= 10 else 2
            shown = f"{share:.{digits}f}"
            shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
            return f"{shown} {name}"
    return f"{number:,.0f}"


def bytes_words(number: float) -> str:
    """Return a size in memory or on disk: `1.4 GB`, `86 kB`."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= size:
            share = number / size
            return f"{share:.1f} {unit}" if share < 10 else f"{share:.0f} {unit}"
    return f"{number:.0f} bytes"


def off_by(predicted: float, actual: float) -> str:
    """Return how far a prediction was from what came."""
    if predicted <= 0 or actual <= 0:
        return ""
    ratio = actual / predicted
    if 0.98 <= ratio <= 1.02:
        return "as predicted"
    if ratio > 1:
        return f"{100 * (ratio - 1):.0f} % more than predicted"
    return f"{100 * (1 - ratio):.0f} % less than predicted"
