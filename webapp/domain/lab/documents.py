"""Documents to ask about: brought, cut into passages, and known by their meaning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain.lab.cutting import cut
from webapp.domain.lab.nearness import packed
from webapp.domain.people.players import require_player, require_room
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.rows import LabDocument, LabPassage

MOST_DOCUMENTS: Final = 20
MOST_PASSAGES: Final = 2_000
MOST_BYTES: Final = 200_000
NAME_CHARS: Final = 80
USUAL_SIZE: Final = 25
USUAL_OVERLAP: Final = 5
SIZES: Final = range(5, 151)
KINDS: Final = (".txt", ".md")


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document of a player; `number` is its place among them, from 1."""

    id: int
    number: int
    name: str
    text: str
    size: int
    overlap: int
    passages: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage, the document it is of, and its embedding."""

    id: int
    document: DocumentView
    place: int
    text: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """How long passages are, and how much they share with the next, in words."""

    size: int = USUAL_SIZE
    overlap: int = USUAL_OVERLAP


def read_cut(size: str, overlap: str) -> Cut:
    """Return how a form wants documents cut; raise InvalidInput."""
    longest = _whole(size)
    if longest not in SIZES:
        raise InvalidInput(
            f"The length of a passage is a whole number from {SIZES[0]} to {SIZES[-1]}."
        )
    shared = _whole(overlap)
    if not 0 <= shared <= longest // 2:
        raise InvalidInput(
            f"The overlap is a whole number from 0 to {longest // 2}, which is half a "
            "passage."
        )
    return Cut(longest, shared)


def bring(services: Services, *, player_id: int, name: str, text: str) -> int:
    """Keep a document with its passages and embeddings; return its id.

    It is cut as the others are. Raises InvalidInput for what is no text, Conflict for
    too many, and BackendError if the embedding model cannot be asked.
    """
    named = _name(name)
    plain = _text(text)
    known = mine(services, player_id=player_id)
    how = Cut(known[-1].size, known[-1].overlap) if known else Cut()
    passages = cut(plain, size=how.size, overlap=how.overlap)
    _require_fits(sum(each.passages for each in known) + len(passages))
    vectors = _vectors(services, passages)
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        require_room(
            session, LabDocument, player_id, most=MOST_DOCUMENTS, what="documents"
        )
        _require_fits(_count(session, player_id) + len(passages))
        document = LabDocument(
            player_id=player_id,
            name=named,
            text=plain,
            size=how.size,
            overlap=how.overlap,
            created_at=services.now(),
        )
        session.add(document)
        session.flush()
        _put(session, document, passages, vectors)
        return document.id


def cut_again(services: Services, *, player_id: int, how: Cut) -> None:
    """Cut all documents of a player in another way, and embed what comes of it.

    Raises Conflict if that makes too many passages, and BackendError.
    """
    pieces = {
        each.id: cut(each.text, size=how.size, overlap=how.overlap)
        for each in mine(services, player_id=player_id)
    }
    _require_fits(sum(map(len, pieces.values())))
    vectors = {name: _vectors(services, texts) for name, texts in pieces.items()}
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        for name, texts in pieces.items():
            document = session.get(LabDocument, name)
            if document is None:
                continue
            document.size, document.overlap = how.size, how.overlap
            session.execute(delete(LabPassage).where(LabPassage.document_id == name))
            _put(session, document, texts, vectors[name])


def mine(services: Services, *, player_id: int) -> tuple[DocumentView, ...]:
    """Return the documents of a player, in the order in which they came."""
    with services.db.read() as session:
        return _views(session, player_id)


def passages_of(services: Services, *, player_id: int) -> tuple[PassageView, ...]:
    """Return all passages of a player's documents, in order."""
    with services.db.read() as session:
        documents = {each.id: each for each in _views(session, player_id)}
        rows = session.scalars(
            select(LabPassage)
            .join(LabDocument, LabPassage.document_id == LabDocument.id)
            .where(LabDocument.player_id == player_id)
            .order_by(LabPassage.document_id, LabPassage.place)
        )
        return tuple(
            PassageView(
                row.id, documents[row.document_id], row.place, row.text, row.vector
            )
            for row in rows
        )


def find(services: Services, *, player_id: int, document_id: int) -> DocumentView:
    """Return a document of a player; raise NotFound."""
    with services.db.read() as session:
        _require(session, player_id, document_id)
        found = _views(session, player_id)
    return next(each for each in found if each.id == document_id)


def delete_one(services: Services, *, player_id: int, document_id: int) -> None:
    """Delete a document with its passages; raise NotFound."""
    with services.db.write() as session:
        document = _require(session, player_id, document_id)
        session.delete(document)


def _require(session: Session, player_id: int, document_id: int) -> LabDocument:
    document = find_row(session, LabDocument, document_id)
    if document is None or document.player_id != player_id:
        raise NotFound("You have no such document. It may have been deleted.")
    return document


def _views(session: Session, player_id: int) -> tuple[DocumentView, ...]:
    query = (
        select(LabDocument, func.count(LabPassage.id))
        .outerjoin(LabPassage, LabPassage.document_id == LabDocument.id)
        .where(LabDocument.player_id == player_id)
        .group_by(LabDocument.id)
        .order_by(LabDocument.id)
    )
    return tuple(
        DocumentView(
            id=row.id,
            number=number,
            name=row.name,
            text=row.text,
            size=row.size,
            overlap=row.overlap,
            passages=count,
            created_at=row.created_at,
        )
        for number, (row, count) in enumerate(session.execute(query), start=1)
    )


def _count(session: Session, player_id: int) -> int:
    return (
        session.scalar(
            select(func.count(LabPassage.id))
            .join(LabDocument, LabPassage.document_id == LabDocument.id)
            .where(LabDocument.player_id == player_id)
        )
        or 0
    )


def _put(
    session: Session, document: LabDocument, texts: list[str], vectors: list[bytes]
) -> None:
    session.add_all(
        LabPassage(document_id=document.id, place=place, text=text, vector=vector)
        for place, (text, vector) in enumerate(zip(texts, vectors, strict=True), 1)
    )


def _vectors(services: Services, texts: list[str]) -> list[bytes]:
    return [packed(vector) for vector in services.gateway.embed(texts)]


def _require_fits(count: int) -> None:
    if count > MOST_PASSAGES:
        raise Conflict(
            f"That makes {count:,} passages, and {MOST_PASSAGES:,} fit here. Delete a "
            "document, or make the passages longer."
        )


def _name(name: str) -> str:
    plain = " ".join(require_text(name, what="name").split())
    return plain[:NAME_CHARS] or "Pasted text"


def _text(text: str) -> str:
    plain = require_text(text, what="text").strip()
    if not plain:
        raise InvalidInput("There is no text in it. Choose a file or paste a text.")
    if len(plain.encode()) > MOST_BYTES:
        raise InvalidInput(
            f"The text is larger than {MOST_BYTES // 1_000} KB. Bring a part of it."
        )
    return plain


def _whole(text: str) -> int:
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 5 else -1
