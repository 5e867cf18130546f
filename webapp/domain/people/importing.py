"""Making the players of a class from a list of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.domain.people import access, roster
from webapp.domain.people.cards import Card, code_of
from webapp.domain.people.names import clean_name
from webapp.domain.people.roster import Actor
from webapp.domain.people.sheets import Entry, Sheet
from webapp.domain.services import Services
from webapp.errors import Conflict, InvalidInput
from webapp.rows import PLAYER, Player, SchoolClass, TakenName
from webapp.security import token_digest
from webapp.text.names import looks, name_key

# With these, a spreadsheet takes what follows for a formula.
FORMULA: Final = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Line:
    """A name of the list, and why it cannot be made a player, if so."""

    line: int
    name: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What would come of a list."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()

    @property
    def good(self) -> tuple[Line, ...]:
        """The names that would be made players."""
        return tuple(line for line in self.lines if line.problem is None)

    @property
    def bad(self) -> tuple[Line, ...]:
        """The others."""
        return tuple(line for line in self.lines if line.problem is not None)


@dataclass(frozen=True, slots=True)
class Imported:
    """The cards of new players, and the names that were not made."""

    cards: tuple[Card, ...]
    bad: tuple[Line, ...]


def plan(services: Services, *, actor: Actor, class_id: int, sheet: Sheet) -> Plan:
    """Say what would come of a list; nothing is made. Forbidden for others' classes."""
    with services.db.read() as session:
        row = roster.require_class(session, actor, class_id)
        return Plan(_checked(session, row, sheet.entries), sheet.notes)


def add(
    services: Services, *, actor: Actor, class_id: int, names: Sequence[str], form: str
) -> Imported:
    """Make players of all names that can be, and return their cards.

    `form` is a mark that only this form has: sent twice, it makes the players once, and
    gives their cards again until they have come. Raise Conflict if somebody joined with
    one of the names at the same moment; then nobody has been made.
    """
    try:
        with services.db.write() as session:
            row = roster.require_class(session, actor, class_id)
            # No instructor can take one of the names meanwhile.
            session.refresh(row, with_for_update={"key_share": True})
            return _add(session, services, actor, row, names, form)
    except IntegrityError as error:
        raise Conflict(
            "At this moment, somebody joined with a name of the list. Nobody has been "
            "added: send it once more."
        ) from error


def _add(
    session: Session,
    services: Services,
    actor: Actor,
    row: SchoolClass,
    names: Sequence[str],
    form: str,
) -> Imported:
    codes = {name: code_of(services, form, f"{row.id}\x1f{name}") for name in names}
    digests = {token_digest(code): code for code in codes.values()}
    made = session.scalars(
        select(Player).where(
            Player.class_id == row.id,
            Player.recovery_digest.in_(digests),
            Player.came_at.is_(None),
        )
    ).all()
    if made:
        again = tuple(Card(one.name, digests[one.recovery_digest]) for one in made)
        return Imported(again, ())
    entries = [Entry(number, name) for number, name in enumerate(names, start=1)]
    lines = _checked(session, row, entries)
    good = {line.name: codes[line.name] for line in lines if line.problem is None}
    if not good:
        raise InvalidInput("None of these names can be added to the class now.")
    _insert(session, services, row, good)
    what = f"added {len(good):,} from a list"
    roster.note_act(session, services, actor, None, what, class_id=row.id)
    bad = tuple(line for line in lines if line.problem is not None)
    return Imported(tuple(Card(name, code) for name, code in good.items()), bad)


def _insert(
    session: Session, services: Services, row: SchoolClass, codes: Mapping[str, str]
) -> None:
    """Write the players and their names, each kind of row in one statement."""
    digests = {token_digest(code): name for name, code in codes.items()}
    session.execute(
        insert(Player),
        [
            {
                "class_id": row.id,
                "name": name,
                "name_key": name_key(name),
                "recovery_digest": digest,
                "session_stamp": access.new_stamp(),
                "created_at": services.now(),
            }
            for digest, name in digests.items()
        ],
    )
    made = session.execute(
        select(Player.id, Player.name).where(Player.recovery_digest.in_(digests))
    )
    session.execute(
        insert(TakenName),
        [
            {"class_id": row.id, "player_id": one.id, "look": look}
            for one in made
            for look in sorted(looks(one.name))
        ],
    )


def _checked(
    session: Session, row: SchoolClass, entries: Sequence[Entry]
) -> tuple[Line, ...]:
    """Look at each name: is it one, and is it free?"""
    of_class = select(TakenName.look).where(TakenName.class_id == row.id)
    of_staff = (
        select(TakenName.look)
        .join(Player, Player.id == TakenName.player_id)
        .where(Player.role != PLAYER)
    )
    taken = frozenset(session.scalars(of_class))
    reserved = frozenset(session.scalars(of_staff))
    seen: dict[str, int] = {}
    lines = []
    for entry in entries:
        shown, problem = _cleaned(entry.text)
        own = looks(shown) if problem is None else frozenset[str]()
        if own & reserved:
            problem = "An instructor has this name, or one that looks the same."
        elif own & taken:
            problem = (
                "Somebody in this class has this name, or one that looks the same."
            )
        elif same := sorted(seen[look] for look in own & seen.keys()):
            problem = f"The same name as in line {same[0]}, or one that looks the same."
        seen |= dict.fromkeys(own - seen.keys(), entry.line)
        lines.append(Line(entry.line, shown, problem))
    return tuple(lines)


def _cleaned(text: str) -> tuple[str, str | None]:
    if text.startswith(FORMULA):
        return text, (
            f"It begins with {text[0]}, so a spreadsheet would take it for a formula. "
            "Write the name without it."
        )
    try:
        return clean_name(text)[0], None
    except InvalidInput as error:
        return text, error.message
