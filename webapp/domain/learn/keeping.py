"""Runs of lessons as a player takes them along, with the prompt that was sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from webapp.content.index import Index
from webapp.content.lessons.schema import Lesson, Panel
from webapp.domain.learn import filling, history
from webapp.domain.learn.history import RunView
from webapp.domain.learn.lesson import Piece, template
from webapp.domain.services import Services
from webapp.domain.texts import fenced

_RESULTS = {"passed": "Passed.", "failed": "Not yet.", "ungraded": "Not judged."}


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run with what was sent: role and text of each message, as pages show it.

    Hidden values stand as their {name}: they are other ones in each sample, and the
    next run asks for them again. `sent` is None once the panel has changed or is gone.
    """

    run: RunView
    lesson_title: str
    sent: tuple[tuple[str, str], ...] | None

    def as_dict(self) -> dict[str, Any]:
        """Return the run as it is exported."""
        sent = self.sent and [
            {"role": role, "content": text} for role, text in self.sent
        ]
        return {**self.run.as_dict(), "prompt": sent and list(sent)}

    def as_markdown(self) -> Iterator[str]:
        """Yield it as a part of a Markdown document; what was said is in fences."""
        run = self.run
        when = run.created_at.strftime("%Y-%m-%d %H:%M UTC")
        yield f"\n## {self.lesson_title}, panel {run.panel} ({when})\n"
        for role, text in self.sent or run.values.items():
            yield f"\n{role}:\n\n{fenced(text)}\n"
        for reply in run.replies:
            yield f"\n{run.model} said:\n\n{fenced(reply)}\n"
        if run.answer:
            yield f"\nThe site said:\n\n{fenced(run.answer)}\n"
        if run.result:
            yield f"\n{_RESULTS[run.result]}\n"
        elif run.error:
            yield f"\nNo result: {run.status}.\n"
        if run.told:
            yield f"\n{fenced(run.told.message)}\n"
        if run.note:
            yield f"\nMy note:\n\n{fenced(run.note)}\n"


def export(services: Services, *, player_id: int) -> Iterator[KeptRun]:
    """Yield all runs of a player, newest first, a few at a time."""
    index = services.content.current()
    for run in history.export(services, player_id=player_id):
        lesson = index.find_lesson(run.lesson_id)
        yield KeptRun(
            run=run,
            lesson_title=lesson.info.title if lesson else run.lesson_id,
            sent=_sent(index, lesson, run) if lesson else None,
        )


def _sent(
    index: Index, lesson: Lesson, run: RunView
) -> tuple[tuple[str, str], ...] | None:
    for panel in lesson.panels:
        if panel.name == run.panel:
            is_same = index.panel_hash(lesson.id, panel.name) == run.panel_hash
            return _filled(panel, run) if is_same else None
    return None


def _filled(panel: Panel, run: RunView) -> tuple[tuple[str, str], ...]:
    texts = filling.typed(panel, run.values).texts

    def written(piece: Piece) -> str:
        if piece.kind == "slot":
            return texts[piece.text]
        return piece.text if piece.kind == "text" else f"{{{piece.text}}}"

    return tuple(
        (message.role, "".join(map(written, message.pieces)))
        for message in template(panel)
    )
