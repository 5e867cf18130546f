"""The map of the keep and the page of a level."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.content.schema import Ladder, Level, LevelDocument, Link
from webapp.domain.people import rules
from webapp.domain.people.players import require_player
from webapp.domain.people.rules import Rules
from webapp.domain.play import conversation, disclosure, guard_names, room, visits
from webapp.domain.play.attempts import AttemptView, attempt_views
from webapp.domain.play.ending import winning_words
from webapp.domain.play.guard_names import NamedGuard
from webapp.domain.play.hints import HintView, hint_views
from webapp.domain.play.winning import winning_message
from webapp.domain.services import Services
from webapp.domain.texts import clean_message
from webapp.errors import NotFound
from webapp.plugins.asking import Message
from webapp.rows import CLOSED, GATE, Attempt, LevelVersion, Solve
from webapp.security import Secret

State = Literal["locked", "open", "solved"]
SECRET_MARK = "[the password of this visit]"  # noqa: S105 -- shown in its place
LETTERS_MARK = "[its letters, one by one]"
DOCUMENT_MARK = "[your document]"
_SECRET = re.compile(r"\{\{\s*secret\s*(?:\|(?P<filters>[^{}]*))?\}\}")
CONVERSATION_ROWS = 30


@dataclass(frozen=True, slots=True)
class LevelCard:
    """A level on the map. `needs` are titles of levels to open first.

    `closed` says that an instructor has closed it, until `opens_at` if that is known.
    """

    id: str
    number: int
    title: str
    story: str
    state: State
    points: int
    earned: int | None
    provisional: bool
    needs: tuple[str, ...]
    closed: bool = False
    opens_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LadderCard:
    """Another ladder, as the map of one shows it."""

    id: str
    title: str
    story: str
    solved: int
    gates: int


@dataclass(frozen=True, slots=True)
class KeepMap:
    """The map: all levels of a ladder in order, and the other ladders there are."""

    id: str
    title: str
    story: str
    levels: tuple[LevelCard, ...]
    others: tuple[LadderCard, ...] = ()

    @property
    def solved(self) -> int:
        """How many gates are open."""
        return sum(level.state == "solved" for level in self.levels)

    @property
    def points(self) -> int:
        """Points earned so far."""
        return sum(level.earned or 0 for level in self.levels)

    @property
    def next_open(self) -> LevelCard | None:
        """The first gate that can be played and is not open yet."""
        return next((c for c in self.levels if c.state == "open"), None)


@dataclass(frozen=True, slots=True)
class AfterWin:
    """What is told once a level is won. `prompt` has a mark in place of the secret.

    `word` is the password as it was typed. `gave_away` is the attempt by whose reply
    it could be known, if one did that; `is_alone` says that this reply was enough.
    `is_last` says that every gate of the ladder is open, `states` which ones are.
    """

    word: str
    gave_away: AttemptView | None
    is_alone: bool
    is_last: bool
    states: tuple[State, ...]
    points: int
    attempts: int
    solved_at: datetime
    winning: tuple[AttemptView, ...]
    prompt: tuple[Message, ...]
    explain: str
    read_more: tuple[Link, ...]
    lesson: str | None
    next_id: str | None
    next_title: str | None


@dataclass(frozen=True, slots=True)
class LevelPage:
    """A level as its player sees it now. `visit` is NO_VISIT if none is going on."""

    card: LevelCard
    visit: int
    ladder_id: str
    ladder_title: str
    blocked_text: str
    model: str
    show_guards: str
    names_guards: bool
    input_guards: tuple[NamedGuard, ...]
    output_guards: tuple[NamedGuard, ...]
    message_chars: int
    # None while the model cannot be asked.
    message_tokens: int | None
    turns: int
    turns_left: int | None
    guesses_left: int
    suspicion: int | None
    suspicion_left: int | None
    conversation: tuple[AttemptView, ...]
    hints: tuple[HintView, ...]
    hints_closed: bool
    solved: AfterWin | None
    notice: str | None
    raw_tokens: bool
    # What the visitor asks, where documents are handed in.
    question: str | None

    @property
    def counts_tokens(self) -> bool:
        """Whether a message may have too many tokens before it has too many characters.

        No character takes more than four.
        """
        return (
            self.message_tokens is not None
            and self.message_tokens < 4 * self.message_chars
        )


def map_page(
    services: Services, *, player_id: int | None, ladder_id: str | None = None
) -> KeepMap:
    """Return the map of a ladder, or of the first one, as a player sees it.

    Without a player, as a newcomer would. Raises NotFound for a ladder that there is
    not, or not for this player's class.
    """
    index = services.content.current()
    solved: dict[str, Solve] = {}
    is_staff = False
    with services.db.read() as session:
        held = rules.of_id(session, services, player_id)
        if player_id is not None:
            solved = visits.solved_levels(session, player_id)
            is_staff = visits.is_staff(session, player_id)
    seen = [each for each in index.ladders.values() if held.sees("ladder", each.id)]
    ladder = next((each for each in seen if ladder_id in {None, each.id}), None)
    if ladder is None and ladder_id is not None:
        raise NotFound("There is no such ladder.")
    if ladder is None:
        return KeepMap("", "The keep", "There are no gates for your class yet.", ())
    cards = _cards(index, ladder.id, solved, held, is_staff=is_staff)
    others = tuple(
        _ladder_card(index, each, solved, held) for each in seen if each is not ladder
    )
    return KeepMap(ladder.id, ladder.title, ladder.story, cards, others)


def _ladder_card(
    index: Index, ladder: Ladder, solved: dict[str, Solve], held: Rules
) -> LadderCard:
    ids = [name for name in ladder.levels if held.sees_level(index, name)]
    return LadderCard(
        id=ladder.id,
        title=ladder.title,
        story=ladder.story,
        solved=sum(name in solved for name in ids),
        gates=len(ids),
    )


def level_page(services: Services, *, player_id: int, level_id: str) -> LevelPage:
    """Return the page of an open level; raise Forbidden (`locked`) or NotFound."""
    index = services.content.current()
    level = index.level(level_id)
    ladder_id = index.ladder_of(level_id)
    message_tokens = room.message_room(level, services.gateway)
    with services.db.read() as session:
        player = require_player(session, player_id)
        visits.require_open(
            session, services, index=index, player_id=player_id, level=level
        )
        solved = visits.solved_levels(session, player_id)
        visit = visits.open_visit(session, player_id=player_id, level_id=level_id)
        why_ended = visits.end_reason(
            session, services, player=player, level=level, visit=visit
        )
        if why_ended is not None:
            visit = None
        rows = [] if visit is None else _rows(session, visit.id)
        is_staff = visits.is_staff(session, player_id)
        held = rules.of_player(session, services, player)
        cards = _cards(index, ladder_id, solved, held, is_staff=is_staff)
        return LevelPage(
            card=next(card for card in cards if card.id == level_id),
            visit=visit.id if visit else visits.NO_VISIT,
            ladder_id=ladder_id,
            ladder_title=index.ladder(ladder_id).title,
            blocked_text=level.blocked_text,
            model=level.defender.model,
            show_guards=level.show_guards,
            names_guards=disclosure.of_stream(level).names_guards,
            input_guards=guard_names.of_stage(level, "input"),
            output_guards=guard_names.of_stage(level, "output"),
            message_chars=room.most_chars(level, services.settings),
            message_tokens=message_tokens,
            turns=level.defender.turns,
            turns_left=conversation.visit_turns_left(session, level, visit),
            guesses_left=services.settings.wrong_guesses
            - (visit.wrong_guesses if visit else 0),
            suspicion=level.suspicion,
            suspicion_left=conversation.visit_suspicion_left(level, visit),
            conversation=attempt_views(rows, index=index, solved=solved),
            hints=hint_views(
                session,
                player_id=player_id,
                level=level,
                is_free=level_id in solved or is_staff,
            ),
            hints_closed=held.hints() == CLOSED,
            solved=_after_win(
                session, services, level, solved.get(level_id), cards, held
            ),
            notice=visits.END_NOTICES[why_ended] if why_ended else None,
            raw_tokens=level.defender.raw_tokens,
            question=level.document.question if level.document else None,
        )


def message_size(
    services: Services, *, player_id: int, level_id: str, message: str
) -> int | None:
    """Return how many tokens a message takes, or None while the model cannot be asked.

    Raises Forbidden (`locked`), NotFound, or InvalidInput for what is no message.
    """
    index = services.content.current()
    level = index.level(level_id)
    with services.db.read() as session:
        visits.require_open(
            session, services, index=index, player_id=player_id, level=level
        )
    text = clean_message(message, limit=room.most_chars(level, services.settings))
    return room.message_tokens(level, services.gateway, text)


def _cards(
    index: Index,
    ladder_id: str,
    solved: dict[str, Solve],
    held: Rules,
    *,
    is_staff: bool,
) -> tuple[LevelCard, ...]:
    cards = []
    levels = [
        level for level in index.levels(ladder_id) if held.sees_level(index, level.id)
    ]
    for number, level in enumerate(levels, start=1):
        ruled = held.gate(level.id)
        missing = () if is_staff else held.missing(index, level, solved)
        needs = tuple(index.level(name).title for name in missing)
        solve = solved.get(level.id)
        is_shut = bool(needs) or ruled == CLOSED
        state: State = "solved" if solve else "locked" if is_shut else "open"
        cards.append(
            LevelCard(
                id=level.id,
                number=number,
                title=level.title,
                story=level.story,
                state=state,
                points=level.points,
                earned=solve.points if solve else None,
                provisional=level.provisional,
                needs=needs,
                closed=ruled == CLOSED,
                opens_at=held.changes_at(GATE, level.id) if ruled == CLOSED else None,
            )
        )
    return tuple(cards)


def _rows(session: Session, visit_id: int) -> list[Attempt]:
    newest = session.scalars(
        select(Attempt)
        .where(Attempt.visit_id == visit_id)
        .order_by(Attempt.id.desc())
        .limit(CONVERSATION_ROWS)
    ).all()
    return list(reversed(newest))


def _after_win(
    session: Session,
    services: Services,
    level: Level,
    solve: Solve | None,
    cards: tuple[LevelCard, ...],
    held: Rules,
) -> AfterWin | None:
    if solve is None:
        return None
    index = services.content.current()
    rows = _rows(session, solve.visit_id)
    won = [card.id for card in cards if card.state == "solved"]
    next_id = held.next_level(index, level.id, won)
    word = winning_words(session, [solve]).get(solve.visit_id, "")
    words = index.words(level.secret.words)
    found = winning_message(session, words, Secret(word), solve.visit_id)
    gave_away = (
        attempt_views(
            [found.message],
            index=index,
            solved=(level.id,),
        )[0]
        if found
        else None
    )
    states = tuple(card.state for card in cards)
    return AfterWin(
        word=word,
        gave_away=gave_away,
        is_alone=bool(found and found.is_alone),
        is_last=all(state == "solved" for state in states),
        states=states,
        points=solve.points,
        attempts=solve.attempts,
        solved_at=solve.solved_at,
        winning=attempt_views(rows, index=index, solved=(level.id,)),
        prompt=_prompt_seen(session, level, rows),
        explain=level.explain,
        read_more=level.read_more,
        lesson=level.lesson,
        next_id=next_id,
        next_title=index.level(next_id).title if next_id else None,
    )


def _prompt_seen(
    session: Session, level: Level, rows: list[Attempt]
) -> tuple[Message, ...]:
    """Return the prompt of the winning visit, from the level as it was then."""
    body = level.model_dump(mode="json")
    version = session.get(LevelVersion, rows[-1].content_hash) if rows else None
    if version is not None:
        body = version.body
    defender = body["defender"]
    messages: list[Message] = [{"role": "system", "content": defender["system"]}]
    for example in defender["examples"]:
        messages.append({"role": "user", "content": example["user"]})
        messages.append({"role": "assistant", "content": example["assistant"]})
    if body.get("document"):
        page = LevelDocument.model_validate(body["document"]).filled(DOCUMENT_MARK)
        messages.append({"role": "user", "content": page})
    return tuple(
        Message(role=m["role"], content=mark_secret(m["content"])) for m in messages
    )


def mark_secret(template: str) -> str:
    """Return a prompt's template with a mark wherever the secret would be."""
    return _SECRET.sub(_mark, template)


def _mark(reference: re.Match[str]) -> str:
    filters = (reference["filters"] or "").strip()
    if not filters:
        return SECRET_MARK
    return LETTERS_MARK if filters.startswith("join") else f"[the password|{filters}]"


def level_states(services: Services, *, player_id: int) -> tuple[LevelCard, ...]:
    """Return the levels of all ladders in order, with this player's states."""
    index = services.content.current()
    with services.db.read() as session:
        require_player(session, player_id)
        solved = visits.solved_levels(session, player_id)
        is_staff = visits.is_staff(session, player_id)
        held = rules.of_id(session, services, player_id)
    return tuple(
        card
        for ladder in index.ladders
        for card in _cards(index, ladder, solved, held, is_staff=is_staff)
    )
