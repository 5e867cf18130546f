"""Rows of the lab: what people keep of their experiments."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime

# The feature that calls from the lab are recorded under.
LAB: Final = "lab"
# How a token came into a tree: drawn by chance, or chosen by a person.
DRAWN, CHOSEN = "drawn", "chosen"


class LabTree(Base):
    """A beginning, and all that a player let grow from it, token by token.

    `form` marks the form that it was planted with, so that one sent twice is one.
    `start` says what was typed, `ids` are the tokens that the model read of it:
    whatever grows is read after exactly these.
    """

    __tablename__ = "lab_trees"
    __table_args__ = (
        UniqueConstraint("player_id", "form"),
        Index(None, "player_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    form: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(80))
    model: Mapped[str] = mapped_column(String(120))
    start: Mapped[dict[str, Any]] = mapped_column(JSON)
    ids: Mapped[list[int]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class LabNode(Base):
    """A token of a tree, and what may come after it; the root has no token.

    `how` it came is empty for the root. `ahead` is what the model expected next when it
    was last asked, with the cut that was set then.
    """

    __tablename__ = "lab_nodes"
    __table_args__ = (Index(None, "tree_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tree_id: Mapped[int] = mapped_column(ForeignKey("lab_trees.id", ondelete="CASCADE"))
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("lab_nodes.id", ondelete="CASCADE")
    )
    how: Mapped[str] = mapped_column(String(8))
    token: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    rank: Mapped[int | None]
    ahead: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    is_marked: Mapped[bool] = mapped_column(default=False, server_default=false())
    note: Mapped[str] = mapped_column(String(60), default="", server_default="")


class LabChat(Base):
    """A conversation of the playground that a player keeps.

    `bench` is all that its page holds, `words` what a search looks through. `title` is
    its first words until the player gives it a name. `share_key` stands in the link by
    which the class may open it; None: nobody else may.
    """

    __tablename__ = "lab_chats"
    __table_args__ = (Index(None, "player_id", "updated_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(80))
    is_named: Mapped[bool] = mapped_column(default=False)
    bench: Mapped[dict[str, Any]] = mapped_column(JSON)
    words: Mapped[str] = mapped_column(Text)
    share_key: Mapped[str | None] = mapped_column(String(40), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class LabInstructions(Base):
    """What a player wants the models of the playground to know, if that is on."""

    __tablename__ = "lab_instructions"

    player_id: Mapped[int] = mapped_column(
        ForeignKey("players.id", ondelete="CASCADE"), primary_key=True
    )
    text: Mapped[str] = mapped_column(Text)


class PriceTable(Base):
    """What tokens cost, as an instructor has written it down; there is one row at most.

    Each of `lines` has a `pattern` of model names and the prices of a million tokens
    that are read and that are written, as texts: `read` and `written`.
    """

    __tablename__ = "price_table"

    id: Mapped[int] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(String(12))
    lines: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class LabMatrix(Base):
    """Prompts asked of models at temperatures, with a check of every reply.

    `form` marks the form that it was asked for with, so that one sent twice is one.
    `setup` is all that was chosen. `state` is ready, running, paused or finished, and
    `boot_id` says which process asks; `note` why it was paused. `done` of `total`
    replies are there.
    """

    __tablename__ = "lab_matrices"
    __table_args__ = (
        UniqueConstraint("player_id", "form"),
        Index(None, "player_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    form: Mapped[str] = mapped_column(String(64))
    setup: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(12))
    boot_id: Mapped[str] = mapped_column(String(64), default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int]
    note: Mapped[str] = mapped_column(String(400), default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class LabCell(Base):
    """One prompt at one model and one temperature: all replies, and their checks.

    `place` counts the cells of a matrix as its page shows them.
    """

    __tablename__ = "lab_cells"
    __table_args__ = (UniqueConstraint("matrix_id", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    matrix_id: Mapped[int] = mapped_column(
        ForeignKey("lab_matrices.id", ondelete="CASCADE")
    )
    place: Mapped[int]
    replies: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)


class LabDocument(Base):
    """A text that a player keeps to ask about, and how it is cut into passages.

    `size` and `overlap` are words of a passage, and words that it shares with the next.
    """

    __tablename__ = "lab_documents"
    __table_args__ = (Index(None, "player_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    overlap: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class LabPassage(Base):
    """A piece of a document; `vector` are the 32-bit numbers of its embedding."""

    __tablename__ = "lab_passages"
    __table_args__ = (UniqueConstraint("document_id", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(
        ForeignKey("lab_documents.id", ondelete="CASCADE")
    )
    place: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class LabQuestion(Base):
    """A question about a player's documents, and what a model said to it.

    `sides` are the ways in which it was asked: what was searched for, the passages
    that were found, the messages, and the answer. `vector` is the embedding of what the
    last side searched for; empty if the site answered. `follows` is the question that
    came before, if one did.
    """

    __tablename__ = "lab_questions"
    __table_args__ = (Index(None, "player_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    follows: Mapped[int | None] = mapped_column(
        ForeignKey("lab_questions.id", ondelete="SET NULL")
    )
    text: Mapped[str] = mapped_column(Text)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    sides: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
