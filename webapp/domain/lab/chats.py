"""Conversations of the playground that a player keeps, finds again and shares."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain.lab.bench import Bench, bench_from
from webapp.domain.people import classes
from webapp.domain.people.names import clean_line
from webapp.domain.people.players import require_player
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.rows import ADMIN, LabChat, LabInstructions, Player, Teaching

MOST_KEPT: Final = 100
SHOWN: Final = 50
TITLE_CHARS, NAME_CHARS = 60, 80
INSTRUCTION_CHARS: Final = 2_000
NO_CHAT: Final = "You have no such conversation. It may have been deleted."
NO_LINK: Final = (
    "There is no conversation behind this link, or it is shared with another class."
)


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A conversation in a list. `share_key` is None unless it is shared."""

    id: int
    title: str
    updated_at: datetime
    share_key: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A conversation as it was kept."""

    line: ChatLine
    bench: Bench


def keep(services: Services, *, player_id: int, bench: Bench) -> int | None:
    """Keep a bench, over what was kept of it before; return its number.

    Where a player keeps too many, the oldest without a name or a link goes. None if
    all have one: then this one is not kept.
    """
    now = services.now()
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        row = None if bench.chat is None else _own(session, player_id, bench.chat)
        if row is None:
            if not _make_room(session, player_id):
                return None
            row = LabChat(player_id=player_id, created_at=now, is_named=False)
            session.add(row)
        if not row.is_named:
            row.title = title_of(bench)
        row.bench = bench.as_row()
        row.words = words_of(bench)
        row.updated_at = now
        session.flush()
        return row.id


def find(services: Services, *, player_id: int, chat_id: int) -> Kept:
    """Return one's own conversation; raise NotFound."""
    with services.db.read() as session:
        return _kept(_require(session, player_id, chat_id))


def mine(
    services: Services, *, player_id: int, words: str = ""
) -> tuple[ChatLine, ...]:
    """Return the latest conversations in which some words occur, newest first."""
    query = select(LabChat).where(LabChat.player_id == player_id)
    if words.strip():
        wanted = words.strip()[:NAME_CHARS]
        is_there = LabChat.words.icontains(wanted, autoescape=True)
        query = query.where(is_there | LabChat.title.icontains(wanted, autoescape=True))
    query = query.order_by(LabChat.updated_at.desc(), LabChat.id.desc()).limit(SHOWN)
    with services.db.read() as session:
        return tuple(map(_line, session.scalars(query)))


def rename(services: Services, *, player_id: int, chat_id: int, name: str) -> None:
    """Give a conversation a name; raise InvalidInput for one that is none."""
    with services.db.write() as session:
        row = _require(session, player_id, chat_id)
        row.title = clean_line(name, what="name", fewest=1, most=NAME_CHARS)
        row.is_named = True


def forget(services: Services, *, player_id: int, chat_id: int) -> None:
    """Delete a conversation for good; its link opens nothing any more."""
    with services.db.write() as session:
        session.delete(_require(session, player_id, chat_id))


def share(services: Services, *, player_id: int, chat_id: int) -> str:
    """Let one's class open a conversation; return the key that stands in its link.

    Raises Conflict for a player without a class.
    """
    with services.db.write() as session:
        player = require_player(session, player_id)
        row = _require(session, player_id, chat_id)
        if not _circle(session, player):
            raise Conflict("You are in no class, so there is nobody to share it with.")
        row.share_key = row.share_key or secrets.token_urlsafe(12)
        return row.share_key


def unshare(services: Services, *, player_id: int, chat_id: int) -> None:
    """Take the link back."""
    with services.db.write() as session:
        _require(session, player_id, chat_id).share_key = None


def shared(services: Services, *, player_id: int, key: str) -> Kept:
    """Return what is behind a link, as a bench of the reader's own.

    It has no replies' figures, and is kept only once something is asked. Raises
    NotFound for everybody outside of the class.
    """
    with services.db.read() as session:
        row = session.scalar(select(LabChat).where(LabChat.share_key == key))
        if row is None or not _may_open(session, player_id, row):
            raise NotFound(NO_LINK)
        kept = _kept(row)
    return replace(kept, bench=replace(kept.bench, chat=None, runs=()))


def instructions(services: Services, *, player_id: int | None) -> str:
    """Return what a player wants models to know; empty if nothing."""
    if player_id is None:
        return ""
    with services.db.read() as session:
        row = session.get(LabInstructions, player_id)
        return "" if row is None else row.text


def set_instructions(services: Services, *, player_id: int, text: str) -> None:
    """Keep what a player wants models to know; raise InvalidInput."""
    if len(text) - text.count("\r\n") > INSTRUCTION_CHARS:
        raise InvalidInput(
            f"Your instructions have more than {INSTRUCTION_CHARS:,} characters. Make "
            "them shorter."
        )
    plain = require_text(text, what="text").strip()
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        row = session.get(LabInstructions, player_id)
        if row is None:
            session.add(LabInstructions(player_id=player_id, text=plain))
        else:
            row.text = plain


def title_of(bench: Bench) -> str:
    """Return the first words of a conversation."""
    said = bench.text if bench.mode == "text" else ""
    said = said or next((turn.text for turn in bench.turns), "")
    line = " ".join(said.split())
    short = line if len(line) <= TITLE_CHARS else f"{line[:TITLE_CHARS].rstrip()}…"
    return short or "Without a message"


def words_of(bench: Bench) -> str:
    """Return all that a search looks through."""
    return "\n".join([bench.text, *(turn.text for turn in bench.turns)])


def _make_room(session: Session, player_id: int) -> bool:
    own = LabChat.player_id == player_id
    count = session.scalar(select(func.count()).select_from(LabChat).where(own)) or 0
    if count < MOST_KEPT:
        return True
    oldest = session.scalar(
        select(LabChat.id)
        .where(own, LabChat.is_named.is_(False), LabChat.share_key.is_(None))
        .order_by(LabChat.updated_at, LabChat.id)
        .limit(1)
    )
    if oldest is None:
        return False
    session.execute(delete(LabChat).where(LabChat.id == oldest))
    return True


def _own(session: Session, player_id: int, chat_id: int) -> LabChat | None:
    row = find_row(session, LabChat, chat_id)
    return row if row is not None and row.player_id == player_id else None


def _require(session: Session, player_id: int, chat_id: int) -> LabChat:
    row = _own(session, player_id, chat_id)
    if row is None:
        raise NotFound(NO_CHAT)
    return row


def _circle(session: Session, player: Player) -> set[int]:
    """Return the classes that somebody is in or teaches."""
    taught = select(Teaching.class_id).where(Teaching.player_id == player.id)
    own = classes.own_class(session, player)
    return {*session.scalars(taught), *(() if own is None else (own,))}


def _may_open(session: Session, player_id: int, row: LabChat) -> bool:
    if row.player_id == player_id:
        return True
    reader = require_player(session, player_id)
    owner = require_player(session, row.player_id)
    is_shared = bool(_circle(session, reader) & _circle(session, owner))
    return is_shared or reader.role == ADMIN


def _line(row: LabChat) -> ChatLine:
    return ChatLine(row.id, row.title, row.updated_at, row.share_key)


def _kept(row: LabChat) -> Kept:
    return Kept(_line(row), bench_from(row.bench, chat=row.id))
