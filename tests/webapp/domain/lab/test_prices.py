"""What tokens cost, by the table that an instructor writes."""

from __future__ import annotations

import pytest

from tests.kit.world import World
from webapp.domain.lab import prices
from webapp.errors import InvalidInput

LINES = [
    ("local/warden", "1,5", "6"),
    ("", "", ""),
    ("SMOL*", "0.02", "0.06"),
    ("hosted/*", "0", "0"),
]


def cost(world: World, model: str, read: int = 100, written: int = 50) -> str:
    return str(prices.prices(world.services).cost(model, read=read, written=written))


def test_nothing_costs_anything_before_there_is_a_table(world: World) -> None:
    assert cost(world, "local/smollm2") == "None"


def test_the_first_line_that_fits_a_model_counts(world: World) -> None:
    prices.set_prices(world.services, currency="EUR", lines=LINES)
    # 100 × 1.5 + 50 × 6, for a million.
    assert cost(world, "local/warden") == "0.00045 EUR"
    assert cost(world, "local/warden (scripted)") == "0.00045 EUR"
    assert cost(world, "local/smollm2") == "0.0000050 EUR"
    assert cost(world, "hosted/big") == "0 EUR"
    assert cost(world, "local/other") == "None"


def test_many_replies_cost_that_many_times_as_much(world: World) -> None:
    prices.set_prices(world.services, currency="EUR", lines=[("*", "3", "15")])
    found = prices.prices(world.services).cost("x/y", read=1_000, written=200)
    assert found is not None
    assert (str(found), str(found.times(10_000))) == ("0.0060 EUR", "60.00 EUR")


def test_unknown_counts_cost_nothing_known(world: World) -> None:
    prices.set_prices(world.services, currency="EUR", lines=[("*", "3", "15")])
    assert prices.prices(world.services).cost("x/y", read=None, written=3) is None


def test_a_table_takes_the_place_of_the_last_one(world: World) -> None:
    prices.set_prices(world.services, currency="EUR", lines=LINES)
    prices.set_prices(world.services, currency="Ft", lines=[("*", "8", "8")])
    found = prices.prices(world.services)
    assert (found.currency, len(found.lines)) == ("Ft", 1)


WRONG = [
    ("", ("*", "1", "1"), "A currency has 1 to 12 characters"),
    ("EUR", ("", "1", "1"), r"Line 1: name a model, or write \*"),
    ("EUR", ("*", "cheap", "1"), "Line 1: write both prices"),
    ("EUR", ("*", "1", ""), "Line 1: write both prices"),
    ("EUR", ("*", "-1", "1"), "Line 1: write both prices"),
    ("EUR", ("*", "nan", "1"), "Line 1: write both prices"),
    ("EUR", ("*", "1e99", "1"), "Line 1: write both prices"),
]


def test_a_line_that_is_wrong_is_named(world: World) -> None:
    for currency, line, words in WRONG:
        with pytest.raises(InvalidInput, match=words):
            prices.set_prices(world.services, currency=currency, lines=[line])
    assert prices.prices(world.services).lines == ()


def test_a_table_has_an_end(world: World) -> None:
    with pytest.raises(InvalidInput, match="room for 20 lines"):
        prices.set_prices(world.services, currency="EUR", lines=[("*", "1", "1")] * 21)
