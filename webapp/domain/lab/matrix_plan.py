"""What a matrix asks: prompts, lines, models and temperatures, read and counted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from webapp.content.lessons.placeholders import fill
from webapp.domain.lab import matrix_checks
from webapp.domain.lab.matrix_models import Asked, alike
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput

MOST_PROMPTS: Final = 4
MOST_MODELS: Final = 4
MOST_TEMPERATURES: Final = 3
MOST_ITEMS: Final = 20
MOST_SAMPLES: Final = 10
MOST_REPLIES: Final = 400
MOST_TOKENS: Final = 200
USUAL_TOKENS: Final = 60
USUAL_SAMPLES: Final = 5
PROMPT_CHARS: Final = 2_000
INPUT: Final = "{input}"
_ARROW: Final = re.compile(r"\t|→|=>|->")
_LARGEST_SEED: Final = 2**31


class Item(NamedTuple):
    """A line that the prompts are filled with, and what is wanted of a reply."""

    text: str
    wanted: str | None = None

    @property
    def values(self) -> dict[str, str]:
        """What placeholders stand for; without what is wanted, that one stays."""
        wanted = {} if self.wanted is None else {"wanted": self.wanted}
        return {"input": self.text} | wanted


class Call(NamedTuple):
    """One reply to be asked for: in which cell, of which line, the how manieth."""

    cell: int
    item: int
    sample: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a matrix asks. Without lines there is one line that holds nothing."""

    prompts: tuple[str, ...]
    items: tuple[Item, ...]
    models: tuple[Asked, ...]
    temperatures: tuple[float, ...]
    samples: int
    check: str
    options: Mapping[str, Any]
    tokens: int = USUAL_TOKENS
    seed: int = 1

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.prompts) * len(self.models) * len(self.temperatures)

    @property
    def has_items(self) -> bool:
        """Whether prompts are filled with lines."""
        return self.items != (Item(""),)

    @property
    def total(self) -> int:
        """How many replies are asked for."""
        each = sum(map(self.samples_at, self.temperatures))
        return len(self.prompts) * len(self.models) * len(self.items) * each

    def samples_at(self, temperature: float) -> int:
        """Return how often each line is asked: at 0 the same reply would come again."""
        return self.samples if temperature else 1

    def place(self, prompt: int, model: int, heat: int) -> int:
        """Return the number of a cell."""
        rows = len(self.models) * len(self.temperatures)
        return prompt * rows + model * len(self.temperatures) + heat

    def of_cell(self, place: int) -> tuple[int, int, int]:
        """Return prompt, model and temperature of a cell, each as its number."""
        rest, heat = divmod(place, len(self.temperatures))
        prompt, model = divmod(rest, len(self.models))
        return prompt, model, heat

    def calls(self) -> Iterator[Call]:
        """Yield every reply in the order of asking.

        A model is asked all it is to be asked before the next one, as a computer may
        hold one at a time; within it, all prompts come along at the same pace.
        """
        for model in range(len(self.models)):
            for sample in range(self.samples):
                for item in range(len(self.items)):
                    for heat, temperature in enumerate(self.temperatures):
                        if sample >= self.samples_at(temperature):
                            continue
                        for prompt in range(len(self.prompts)):
                            yield Call(self.place(prompt, model, heat), item, sample)

    def text(self, call: Call) -> str:
        """Return the prompt of a call, filled in."""
        prompt, _, _ = self.of_cell(call.cell)
        return fill(self.prompts[prompt], {"input": self.items[call.item].text})

    def seed_of(self, call: Call) -> int:
        """Return the dice of a call: the same for every cell."""
        return (self.seed + call.item * self.samples + call.sample) % _LARGEST_SEED

    def as_row(self) -> dict[str, Any]:
        """Return it as it is stored."""
        row = asdict(self)
        row["items"] = [list(item) for item in self.items]
        return row

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Plan:
        """Return what was stored."""
        return cls(
            **{
                **row,
                "prompts": tuple(row["prompts"]),
                "items": tuple(Item(*item) for item in row["items"]),
                "models": tuple(Asked(**model) for model in row["models"]),
                "temperatures": tuple(row["temperatures"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form holds, as it came."""

    prompts: Sequence[str]
    items: str
    models: Sequence[str]
    temperatures: Sequence[str]
    samples: str
    tokens: str
    check: str
    options: Mapping[str, str]


def read_plan(typed: Typed, *, known: Sequence[Asked], seed: int) -> Plan:
    """Return what a form asks for; raise InvalidInput.

    `known` are the models that may be asked.
    """
    items = read_items(typed.items)
    prompts = _prompts(typed.prompts, has_items=items != (Item(""),))
    options = matrix_checks.read_options(typed.check, typed.options)
    plan = Plan(
        prompts=prompts,
        items=items,
        models=_models(typed.models, known),
        temperatures=_temperatures(typed.temperatures),
        samples=_whole("samples", typed.samples, USUAL_SAMPLES, MOST_SAMPLES),
        check=typed.check,
        options=options,
        tokens=_whole("tokens of a reply", typed.tokens, USUAL_TOKENS, MOST_TOKENS),
        seed=seed,
    )
    _require_judgeable(plan)
    if plan.total > MOST_REPLIES:
        raise InvalidInput(
            f"These are {plan.total:,} replies, and {MOST_REPLIES} are the most. Take"
            " fewer samples, lines, models or temperatures."
        )
    return plan


def read_items(text: str) -> tuple[Item, ...]:
    """Return the lines of a form, `line → wanted`; one without text if there are none.

    Raises InvalidInput.
    """
    found = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        before, *after = (part.strip() for part in _ARROW.split(line, maxsplit=1))
        if not before:
            raise InvalidInput(f"Line {number} has nothing before its arrow.")
        if len(line) > PROMPT_CHARS:
            raise InvalidInput(
                f"Line {number} is too long: {PROMPT_CHARS:,} characters are the most."
            )
        wanted = after[0] if after and after[0] else None
        found.append(Item(require_text(before, what=f"line {number}"), wanted))
    if len(found) > MOST_ITEMS:
        raise InvalidInput(
            f"These are {len(found)} lines, and {MOST_ITEMS} are the most."
        )
    return tuple(found) or (Item(""),)


def _prompts(texts: Sequence[str], *, has_items: bool) -> tuple[str, ...]:
    found = []
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        if len(text) - text.count("\r\n") > PROMPT_CHARS:
            raise InvalidInput(
                f"Prompt {number} is too long: {PROMPT_CHARS:,} characters are the"
                " most."
            )
        if has_items and INPUT not in text:
            raise InvalidInput(
                f"Prompt {number} has no {INPUT} in it, so it would be the same for"
                f" every line. Write {INPUT} where the line belongs."
            )
        if not has_items and INPUT in text:
            raise InvalidInput(
                f"Prompt {number} has {INPUT} in it, but there are no lines to put"
                " there. Write some, or take it out."
            )
        found.append(require_text(text, what=f"prompt {number}").strip())
    if not found:
        raise InvalidInput("Write at least one prompt.")
    if len(found) > MOST_PROMPTS:
        raise InvalidInput(f"{MOST_PROMPTS} prompts are the most.")
    if len(set(found)) < len(found):
        raise InvalidInput("Two of the prompts are the same. Change one of them.")
    return tuple(found)


def _models(names: Sequence[str], known: Sequence[Asked]) -> tuple[Asked, ...]:
    by_name = {model.name: model for model in known}
    chosen = tuple(dict.fromkeys(names))
    if any(name not in by_name for name in chosen):
        raise InvalidInput("One of the models is not there any more. Choose again.")
    if not 1 <= len(chosen) <= MOST_MODELS:
        raise InvalidInput(f"Choose one to {MOST_MODELS} models.")
    return alike([by_name[name] for name in chosen])


def _temperatures(texts: Sequence[str]) -> tuple[float, ...]:
    found = []
    for text in texts:
        if not text.strip():
            continue
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            number = -1.0
        if not 0 <= number <= 2:
            raise InvalidInput("A temperature is a number from 0 to 2.")
        found.append(round(number, 3))
    chosen = tuple(dict.fromkeys(found))
    if not 1 <= len(chosen) <= MOST_TEMPERATURES:
        raise InvalidInput(f"Write one to {MOST_TEMPERATURES} temperatures.")
    return tuple(sorted(chosen))


def _whole(what: str, text: str, usual: int, most: int) -> int:
    plain = text.strip()
    if not plain:
        return usual
    number = int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 5 else 0
    if not 1 <= number <= most:
        raise InvalidInput(f"The number of {what} is a whole number from 1 to {most}.")
    return number


def _require_judgeable(plan: Plan) -> None:
    asks_wanted = matrix_checks.needs_wanted(plan.options)
    for number, item in enumerate(plan.items, start=1):
        if asks_wanted and item.wanted is None:
            raise InvalidInput(
                f"The check looks for {{wanted}}, but line {number} does not say what"
                " is wanted. Write it behind an arrow: Paris → France."
            )
        where = f"Line {number}: " if plan.has_items else ""
        matrix_checks.require_fitting(
            plan.check, plan.options, item.values, where=where
        )
