"""`./wordkeep check --play` for lessons: the matrix of each panel's proof."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from webapp.content.index import Index
from webapp.content.lessons.proven import ProvenRow, by_key, proven_text, read_proven
from webapp.content.lessons.schema import Lesson
from webapp.domain.learn.proofs import (
    EntryResult,
    PanelResult,
    lower_bound,
    play_panels,
)
from webapp.errors import ContentError
from webapp.files import write_whole
from webapp.llm.gateway import Gateway

_SHOWN = 46


def chosen_lessons(index: Index, named: tuple[str, ...]) -> tuple[Lesson, ...]:
    """Return lessons by id or track, or all of them; raise ContentError."""
    everything = [lesson for track in index.tracks for lesson in track.lessons]
    if not named or "all" in named:
        return tuple(everything)
    found = [one for one in everything if {one.id, one.track} & set(named)]
    known = {name for one in found for name in (one.id, one.track)}
    missing = [name for name in named if name not in known]
    if missing:
        raise ContentError(
            f'There is no lesson or track "{missing[0]}" without errors. A lesson is '
            "named track/slug, as in basics/show-dont-tell."
        )
    return tuple(found)


def play_lessons(
    index: Index,
    gateway: Gateway,
    *,
    lessons: tuple[Lesson, ...],
    samples: int,
    seed: int,
    proven: Path | None,
) -> bool:
    """Play the proofs of lessons and print them; say whether all of them hold.

    With `proven` what they came to is written there, beside what is still valid of
    other panels.
    """
    results: list[PanelResult] = []
    played = play_panels(index, gateway, lessons=lessons, samples=samples, seed=seed)
    for result in played:
        show(result)
        results.append(result)
        if proven is not None:
            # Each at once: whoever ends a long run keeps what it has come to.
            write_proven(index, proven, [result], samples)
    held = sum(result.holds for result in results)
    click.echo(f"{held} of {len(results)} panels hold.")
    if proven is not None:
        click.echo(f"Written to {proven}.")
    return held == len(results)


def show(result: PanelResult) -> None:
    """Print the matrix of a panel."""
    panel = result.panel
    needed = f"{panel.samples.least} of {panel.samples.of}"
    model = f"{panel.model} {result.version[:12]}" if panel.talk != "none" else "-"
    cost = panel.samples.of * panel.max_tokens if panel.talk != "none" else 0
    click.echo(
        f"\n{result.lesson_id}#{panel.name}  {model}  {panel.talk}  {needed}  "
        f"at most {cost} tokens: {result.verdict.upper()}"
    )
    for one in result.entries:
        click.echo(_line(one))
        if not one.is_as_it_should_be:
            for reply in one.replies:
                click.echo(f"            it said: {_short(reply, 80)}")
    for advice in result.advice:
        click.echo(f"      {advice}")


def write_proven(
    index: Index, path: Path, results: Iterable[PanelResult], samples: int
) -> None:
    """Write proofs to a file; older rows stay as long as their panel is as it was."""
    now = datetime.now(UTC).replace(microsecond=0)
    rows = read_proven(path.read_bytes()) if path.exists() else ()
    current = {
        index.panel_hash(lesson.id, panel.name)
        for track in index.tracks
        for lesson in track.lessons
        for panel in lesson.panels
    }
    new = [result.row(plays=samples, made_at=now) for result in results]
    kept = by_key([*(row for row in rows if row.panel_hash in current), *new])
    write_whole(path, proven_text(_in_order(kept.values())))


def _in_order(rows: Iterable[ProvenRow]) -> list[ProvenRow]:
    return sorted(rows, key=lambda row: (row.panel, row.model, row.made_at))


def _line(one: EntryResult) -> str:
    word = "ok  " if one.is_as_it_should_be else "FAIL"
    typed = " | ".join(one.entry.values.values())
    if one.plays:
        low = f"(at least {lower_bound(one.hits, one.plays):.0%})"
        seen = f"{one.hits:2}/{one.plays:<2} {low:15} run {one.chance:4.0%}"
    else:
        seen = f"{'not asked':21} run   0%"
    note = f"  [{_short(one.note, 60)}]" if one.note else ""
    return f"  {word} {one.entry.name:17} {seen}  {_short(typed, _SHOWN)}{note}"


def _short(text: str, most: int) -> str:
    line = text.strip().replace("\n", " / ")
    return line if len(line) <= most else f"{line[: most - 1]}…"
