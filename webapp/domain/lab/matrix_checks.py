"""The checks that a matrix may judge its replies by, and the options of each."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError

from webapp.content.lessons.placeholders import fill
from webapp.errors import InvalidInput
from webapp.llm.ask import GatewayAsk
from webapp.plugins.check import Check, Outcome, Sample, Subject, checks, ungraded
from webapp.reading.plain_words import what_is_wrong

log = logging.getLogger(__name__)

Kind = Literal["text", "lines", "number", "flag", "choice"]

USUAL: Final = "icontains"
CANNOT_JUDGE: Final = "This could not be judged."
# What every text of a check may hold, and what it becomes for each line.
SLOTS: Final = "{input} and {wanted}"
# Those that people look for most; the others follow by their names.
_FIRST: Final = (
    "icontains",
    "contains",
    "equals",
    "number",
    "contains-any",
    "contains-all",
    "starts-with",
    "regex",
    "is-json",
    "word-count",
)
# They need what a line of a form cannot give, or ask about lessons.
_LEFT_OUT: Final = frozenset({"decodes-to", "is-valid-openai-tools-call"})


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a check, as a form asks for it."""

    name: str
    label: str
    hint: str
    kind: Kind
    choices: tuple[str, ...] = ()
    usual: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A check that may be chosen."""

    name: str
    label: str
    options: tuple[Option, ...]


class LabAsk(GatewayAsk):
    """The models as a check of a matrix sees them; it also counts tokens."""

    def pieces(self, text: str, *, model: str) -> list[str]:
        """Return the tokens of a text as texts."""
        return [token.text for token in self._gateway.tokens(model, text)]


def offered() -> tuple[Offer, ...]:
    """Return the checks that look at one reply and ask no model, usual ones first."""
    names = [name for name, kind in checks.items() if _is_offered(name, kind)]
    first = [name for name in _FIRST if name in names]
    return tuple(map(_offer, [*first, *(n for n in names if n not in first)]))


def offer(name: str) -> Offer:
    """Return one of them; raise InvalidInput."""
    if name not in checks.names() or not _is_offered(name, checks.get(name)):
        raise InvalidInput("Choose a check of the list.")
    return _offer(name)


def read_options(name: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the options of a check as a form has them; raise InvalidInput.

    Their placeholders are not filled in yet.
    """
    found: dict[str, Any] = {}
    for option in offer(name).options:
        text = typed.get(option.name, "").strip()
        if text:
            found[option.name] = _value(option, text)
    return found


def require_fitting(
    name: str, options: Mapping[str, Any], values: Mapping[str, str], *, where: str
) -> None:
    """Raise InvalidInput if a check cannot be asked with these values filled in."""
    try:
        _made(name, options, values)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        loc = detail["loc"]
        wrong, advice = what_is_wrong(detail, loc)
        what = f"“{_label(str(loc[0]))}”" if loc else "The check"
        tail = f" ({advice})" if advice else ""
        raise InvalidInput(f"{where}{what}{wrong}{tail}.") from error


def judge(
    name: str,
    options: Mapping[str, Any],
    values: Mapping[str, str],
    *,
    sample: Sample,
    model: str,
    request: str,
    ask: LabAsk,
) -> Outcome:
    """Judge a reply; a check that throws leaves it ungraded."""
    subject = Subject(sample.reply, model=model, request=request, sample=sample)
    try:
        return _made(name, options, values).judge(subject, ask)
    except Exception as error:  # noqa: BLE001 -- plug-in border: it judges nothing
        # The type only: the text of an error may quote what somebody typed.
        log.error("check %s failed: %s", name, type(error).__name__)
        return ungraded(CANNOT_JUDGE)


def needs_wanted(options: Mapping[str, Any]) -> bool:
    """Return whether a check asks what is wanted of each line."""
    return "{wanted}" in repr(options)


def _made(name: str, options: Mapping[str, Any], values: Mapping[str, str]) -> Check:
    kind = checks.get(name)
    quoted = {key: kind.quoted(value) for key, value in values.items()}
    filled = {key: _filled(value, quoted) for key, value in options.items()}
    return kind(kind.Options.model_validate(filled))


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return fill(value, values)
    return [fill(one, values) for one in value] if isinstance(value, list) else value


def _is_offered(name: str, kind: type[Check]) -> bool:
    is_plain = not kind.asks and kind.decides and name not in _LEFT_OUT
    return is_plain and kind.aspects[0] == "reply"


def _offer(name: str) -> Offer:
    kind = checks.get(name)
    label = (kind.__doc__ or name).strip().splitlines()[0].rstrip(".")
    label = _in_our_words(label)
    schema = kind.Options.model_json_schema()
    options = [
        _option(key, rules, is_short=key == kind.SHORT)
        for key, rules in schema.get("properties", {}).items()
    ]
    return Offer(name, label, tuple(one for one in options if one is not None))


def _option(name: str, rules: Mapping[str, Any], *, is_short: bool) -> Option | None:
    kind = _kind(rules)
    if kind is None:
        return None
    usual = rules.get("default")
    hint = _in_our_words(str(rules.get("description", "")))
    if kind == "lines":
        hint += " One in each line."
    return Option(
        name=name,
        label="What to look for" if is_short and name == "value" else _label(name),
        hint=hint.strip(),
        kind=kind,
        choices=tuple(rules.get("enum", ())),
        usual="" if usual is None or isinstance(usual, bool | list) else _plain(usual),
    )


def _in_our_words(text: str) -> str:
    """Return what a check says to authors of lessons, for who fills in this form."""
    for theirs, ours in _WORDS.items():
        text = text.replace(theirs, ours)
    return text


def _plain(usual: object) -> str:
    return f"{usual:g}" if isinstance(usual, float) else str(usual)


def _kind(rules: Mapping[str, Any]) -> Kind | None:
    forms: Sequence[Mapping[str, Any]] = rules.get("anyOf") or [rules]
    types = {form.get("type") for form in forms}
    if "enum" in rules:
        return "choice"
    for wanted, kind in _KINDS.items():
        if wanted in types:
            return kind
    return None


_WORDS: Final = {
    "The text": "The reply",
    "the text": "the reply",
    "{slots}": SLOTS,
    ', as in "{a} + {b}"': "",
}
_KINDS: Final[Mapping[str, Kind]] = {
    "array": "lines",
    "boolean": "flag",
    "string": "text",
    "integer": "number",
    "number": "number",
}


def _label(name: str) -> str:
    return {"value": "What to look for", "min": "At least", "max": "At most"}.get(
        name, name.replace("_", " ").capitalize()
    )


def _value(option: Option, text: str) -> Any:
    match option.kind:
        case "flag":
            return True
        case "lines":
            return [line.strip() for line in text.splitlines() if line.strip()]
        case "number":
            return _number(option.label, text)
        case _:
            return text


def _number(label: str, text: str) -> float:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        raise InvalidInput(f"“{label}” must be a number, in digits.") from None
    if not -1e9 < number < 1e9:
        raise InvalidInput(f"“{label}” is too large a number.")
    return int(number) if number.is_integer() else number
