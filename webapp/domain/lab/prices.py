"""What tokens cost, by a table that an instructor writes: prices are nobody's fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Final

from webapp.domain.people.names import clean_line
from webapp.domain.services import Services
from webapp.errors import InvalidInput
from webapp.rows import PriceTable

MOST_LINES: Final = 20
CURRENCY_CHARS, PATTERN_CHARS = 12, 80
MILLION: Final = 1_000_000
_MOST: Final = Decimal(1_000_000)
# The one row of the table.
_ONLY: Final = 1


@dataclass(frozen=True, slots=True)
class Line:
    """Prices of a million tokens that are read and written, for some models.

    `pattern` is a model's name, in which * stands for anything.
    """

    pattern: str
    read: Decimal
    written: Decimal


@dataclass(frozen=True, slots=True)
class Prices:
    """The table. The first line that fits a model counts."""

    currency: str
    lines: tuple[Line, ...]

    def cost(self, model: str, *, read: int | None, written: int | None) -> Cost | None:
        """Return what a reply of a model cost; None where no line fits it."""
        line = next((one for one in self.lines if _fits(one.pattern, model)), None)
        if line is None or read is None or written is None:
            return None
        total = (line.read * read + line.written * written) / MILLION
        return Cost(total, self.currency)


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount in the currency of the table."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        """Write it with two digits that say something, and never as 1e-5."""
        if not self.amount:
            return f"0 {self.currency}"
        places = max(2, 1 - self.amount.adjusted())
        return f"{self.amount:.{places}f} {self.currency}"

    def times(self, count: int) -> Cost:
        """Return what so many of them cost."""
        return Cost(self.amount * count, self.currency)


def prices(services: Services) -> Prices:
    """Return the table; without lines while nobody has written one."""
    with services.db.read() as session:
        row = session.get(PriceTable, _ONLY)
        if row is None:
            return Prices("EUR", ())
        lines = tuple(
            Line(one["pattern"], Decimal(one["read"]), Decimal(one["written"]))
            for one in row.lines
        )
        return Prices(row.currency, lines)


def set_prices(
    services: Services, *, currency: str, lines: Sequence[tuple[str, str, str]]
) -> None:
    """Keep the table as it was typed; lines without a model are left out.

    Raises InvalidInput that names the line.
    """
    money = clean_line(currency, what="currency", fewest=1, most=CURRENCY_CHARS)
    found = [
        _read(number, *(part.strip() for part in line))
        for number, line in enumerate(lines, start=1)
        if any(part.strip() for part in line)
    ]
    if len(found) > MOST_LINES:
        raise InvalidInput(f"The table has room for {MOST_LINES} lines.")
    kept = [
        {"pattern": one.pattern, "read": str(one.read), "written": str(one.written)}
        for one in found
    ]
    with services.db.write() as session:
        row = session.get(PriceTable, _ONLY) or PriceTable(id=_ONLY)
        row.currency, row.lines, row.updated_at = money, kept, services.now()
        session.add(row)


def _read(number: int, pattern: str, read: str, written: str) -> Line:
    if not 1 <= len(pattern) <= PATTERN_CHARS:
        raise InvalidInput(
            f"Line {number}: name a model, or write * for all of them, in at most "
            f"{PATTERN_CHARS} characters."
        )
    return Line(pattern, _price(number, read), _price(number, written))


def _price(number: int, text: str) -> Decimal:
    try:
        price = Decimal(text.replace(",", "."))
    except InvalidOperation:
        price = Decimal("NaN")
    if not (price.is_finite() and 0 <= price <= _MOST):
        raise InvalidInput(
            f"Line {number}: write both prices as numbers from 0 to {_MOST:,}, such as "
            "0.25."
        )
    return price


def _fits(pattern: str, model: str) -> bool:
    name = model.removesuffix(" (scripted)")
    return any(
        fnmatchcase(one.casefold(), pattern.casefold())
        for one in (name, name.partition("/")[2])
    )
