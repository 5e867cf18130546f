"""How guards are called wherever a player reads about them.

A level names its guards (`guard_names`). A guard without a name, and one that judged
before its level was changed, has the plain name of its kind. Whether a guard may be
named at all is decided in `disclosure`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from webapp.content.schema import Level
from webapp.plugins.guard import Stage, guards

# What nobody can say which guard it was is called.
SOME_GUARD: Final = "a guard"


@dataclass(frozen=True, slots=True)
class NamedGuard:
    """A guard at its place: `kind` is its name in YAML.

    `name` stands in the middle of a sentence; `term` is what the field calls it.
    """

    kind: str
    stage: Stage
    name: str
    term: str


def of_stage(level: Level, stage: Stage) -> tuple[NamedGuard, ...]:
    """Return the guards of a level at one stage, in order."""
    specs = level.guards.at(stage)
    return tuple(named(level, stage, spec.name, n) for n, spec in enumerate(specs))


def of_verdicts(
    level: Level | None, verdicts: Iterable[Mapping[str, Any]]
) -> Iterator[NamedGuard]:
    """Yield who gave each of an attempt's verdicts: all of them, as they are stored.

    Guards judge in the order of the level, so the place of a verdict among those of
    its stage tells two guards of one kind apart.
    """
    seen: Counter[Stage] = Counter()
    for verdict in verdicts:
        stage: Stage = verdict["stage"]
        yield named(level, stage, verdict["guard"], seen[stage])
        seen[stage] += 1


def named(level: Level | None, stage: Stage, kind: str, place: int) -> NamedGuard:
    """Return the guard at a place of a stage, from 0; `level` may be gone by now."""
    guard = dict(guards.items()).get(kind)
    words = kind.replace("_", " ").replace("-", " ")
    term = guard.term if guard and guard.term else words
    plain = guard.plain_name if guard and guard.plain_name else f"the {words} guard"
    return NamedGuard(
        kind=kind,
        stage=stage,
        name=_given(level, stage, kind, place) or plain,
        term=term.replace("{stage}", stage),
    )


def _given(level: Level | None, stage: Stage, kind: str, place: int) -> str | None:
    if level is None:
        return None
    specs, names = level.guards.at(stage), level.guard_names.at(stage)
    is_it = place < min(len(specs), len(names)) and specs[place].name == kind
    return names[place] if is_it else None
