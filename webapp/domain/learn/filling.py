"""A panel filled in: what the student typed, and what the model is asked with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from webapp.content.lessons.placeholders import NAME, fill
from webapp.content.lessons.schema import Panel, Slot, system_is_none
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput
from webapp.llm import gateway as llm
from webapp.plugins.asking import Message

_NUMBERS: Final = re.compile(r"[\s,]+")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a student typed: `values` as it came, `texts` as it is put into the prompt.

    They differ for lines that are put in order: the value is their numbers, as in
    "2 1 3", the text is the lines.
    """

    values: Mapping[str, str]
    texts: Mapping[str, str]

    @property
    def prompt(self) -> str:
        """All of it as one text."""
        return "\n".join(self.texts.values())


@dataclass(frozen=True, slots=True)
class PanelRequest:
    """What a model is asked for one sample.

    Exactly one of `messages` and `text` is filled, as `talk` says. The first `public`
    characters of it come before any hidden value, so all samples of a run have them in
    common; `salt` is that run's own where they hold what was typed.
    """

    messages: tuple[Message, ...]
    text: str
    start_reply: str
    has_default_system: bool
    sampling: llm.Sampling
    public: int = 0
    salt: str = ""

    @property
    def as_text(self) -> str:
        """All that is sent, as checks of the request read it."""
        if not self.messages:
            return self.text
        said = [f"{message['role']}: {message['content']}" for message in self.messages]
        if self.start_reply:
            said.append(f"assistant: {self.start_reply}")
        return "\n".join(said)

    @property
    def as_row(self) -> list[dict[str, Any]] | str:
        """The prompt as it is stored."""
        return [dict(message) for message in self.messages] or self.text


def pieces(text: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield ("text", a piece) and ("name", a placeholder) in their order.

    Braces around anything but `names` are text, such as those of JSON.
    """
    at = 0
    for found in NAME.finditer(text):
        if found[1] not in names:
            continue
        if found.start() > at:
            yield "text", text[at : found.start()]
        yield "name", found[1]
        at = found.end()
    if at < len(text):
        yield "text", text[at:]


def start_values(panel: Panel) -> dict[str, str]:
    """Return what the slots of a panel hold at first."""
    return {name: _start(slot) for name, slot in panel.slots.items()}


def typed(panel: Panel, values: Mapping[str, str]) -> Typed:
    """Return what was typed, as it is played; a slot that is not named stays as it was.

    Raises InvalidInput that names the slot and says what to do.
    """
    unknown = [name for name in values if name not in panel.slots]
    if unknown:
        raise InvalidInput(
            f"This panel has no box named “{unknown[0][:40]}”. Load the page again."
        )
    kept: dict[str, str] = {}
    texts: dict[str, str] = {}
    for name, slot in panel.slots.items():
        kept[name] = _clean(name, slot, values.get(name, _start(slot)))
        texts[name] = ordered(slot, kept[name]) if slot.items else kept[name]
    return Typed(kept, texts)


def ordered(slot: Slot, numbers: str) -> str:
    """Return the lines of a slot in the order of their numbers."""
    return "\n".join(slot.items[number - 1] for number in order_of(numbers))


def order_of(numbers: str) -> list[int]:
    """Return numbers such as "2 1 3" as numbers."""
    return [int(number) for number in _NUMBERS.split(numbers.strip()) if number]


def hidden_sets(panel: Panel, count: int, turn: int = 0) -> list[Mapping[str, str]]:
    """Return the hidden values of `count` samples; `turn` says where they begin."""
    if not panel.vary:
        return [{} for _ in range(count)]
    sets = len(panel.vary)
    return [panel.vary[(turn + number) % sets] for number in range(count)]


def request_of(
    panel: Panel, given: Typed, hidden: Mapping[str, str], *, seed: int, salt: str = ""
) -> PanelRequest:
    """Return what the model is asked with these values; `salt` is the run's own."""
    known = {**given.texts, **hidden}
    sampling = llm.Sampling(
        temperature=panel.temperature,
        top_p=panel.top_p,
        max_tokens=panel.max_tokens,
        seed=seed,
        stop=panel.stop,
    )
    is_text = panel.talk == "complete"
    raw = () if is_text else tuple(raw_messages(panel))
    text = panel.text or "" if is_text else ""
    parts = [text] if is_text else [content for _, content in raw]
    public, has_typed = _common(parts, given.texts, tuple(hidden))
    return PanelRequest(
        messages=tuple(
            Message(role=role, content=fill(content, known)) for role, content in raw
        ),
        text=fill(text, known),
        start_reply=fill(panel.start_reply, known),
        has_default_system=not system_is_none(panel),
        sampling=sampling,
        public=public if salt or not has_typed else 0,
        salt=salt if has_typed else "",
    )


def raw_messages(panel: Panel) -> Iterator[tuple[str, str]]:
    """Yield role and text of each message of a panel, its placeholders as written."""
    if panel.system is not None and not system_is_none(panel):
        yield "system", panel.system
    for message in panel.messages:
        for role in ("system", "user", "assistant"):
            content = getattr(message, role)
            if content is not None:
                yield role, content


def own_words(panel: Panel, given: Typed) -> str:
    """Return what a student wrote: no choice, no line of ours, nothing unchanged."""
    return "\n".join(
        given.texts[name]
        for name, slot in panel.slots.items()
        if not slot.choices and not slot.items and given.values[name] != _start(slot)
    )


def _common(
    parts: Sequence[str], texts: Mapping[str, str], hidden: Sequence[str]
) -> tuple[int, bool]:
    """Return how many characters precede a hidden value, and if some are typed."""
    count, has_typed = 0, False
    for part in parts:
        for kind, piece in pieces(part, (*texts, *hidden)):
            if kind == "name" and piece in hidden:
                return count, has_typed
            has_typed = has_typed or kind == "name"
            count += len(piece if kind == "text" else texts[piece])
    return count, has_typed


def _start(slot: Slot) -> str:
    if slot.start:
        return slot.start
    if slot.items:
        return " ".join(str(number) for number in range(1, len(slot.items) + 1))
    return slot.choices[0] if slot.choices else ""


def _clean(name: str, slot: Slot, value: str) -> str:
    label = slot.label or name
    text = require_text(value, what=f"box “{label}”")
    if slot.items:
        return _clean_order(label, slot, text)
    if slot.choices:
        if text not in slot.choices:
            raise InvalidInput(f"Choose one of the entries of “{label}”.")
        return text
    if len(text) > slot.chars:
        raise InvalidInput(
            f"“{label}” has {len(text):,} characters; the limit here is "
            f"{slot.chars:,}. Make it shorter."
        )
    return text


def _clean_order(label: str, slot: Slot, text: str) -> str:
    wanted = list(range(1, len(slot.items) + 1))
    try:
        numbers = order_of(text)
    except ValueError:
        numbers = []
    if sorted(numbers) != wanted:
        raise InvalidInput(f"Put each line of “{label}” in its place, once.")
    return " ".join(map(str, numbers))
