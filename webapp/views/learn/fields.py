"""What was typed on the page of a lesson, from the fields of its forms and links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict

from werkzeug.datastructures import MultiDict

from webapp.content.lessons.schema import Lesson, Panel, Slot
from webapp.errors import InvalidInput, NotFound

# A slot is a field of this name, so that no slot can be taken for anything else.
SLOT: Final = "s."
LINE, PLACE = ".line", ".place"
ORDER: Final = "order"

Form = MultiDict[str, str]


def texts(form: Form) -> dict[str, str]:
    """Return the text of each slot; lines that were put in order are left out."""
    return {
        key.removeprefix(SLOT): _lines(value)
        for key, value in form.items()
        if key.startswith(SLOT) and not key.endswith((LINE, PLACE))
    }


def values(form: Form, panel: Panel) -> dict[str, str]:
    """Return the value of each slot of a panel: for lines in order, their numbers."""
    orders = {
        name: numbers(ordered(form, SLOT + name), slot)
        for name, slot in panel.slots.items()
        if slot.items and f"{SLOT}{name}{LINE}" in form
    }
    return {**texts(form), **orders}


def ordered(form: Form, name: str) -> list[str]:
    """Return lines in the order of the places that were chosen for them.

    Lines with the same place stay as they were on the page.
    """
    lines = [_lines(line) for line in form.getlist(name + LINE)]
    places = form.getlist(name + PLACE)
    if len(lines) != len(places) or not all(place.isdecimal() for place in places):
        raise InvalidInput("Give each line a place, then send it again.")
    order = sorted(range(len(lines)), key=lambda n: int(places[n]))
    return [lines[n] for n in order]


def numbers(lines: list[str], slot: Slot) -> str:
    """Return the numbers of lines, as in "2 1 3"; equal lines in their order."""
    left = list(enumerate(slot.items, start=1))
    found = []
    for line in lines:
        item = next((item for item in left if _lines(item[1]) == line), None)
        if item is None:
            raise InvalidInput("One of the lines has changed. Load the page again.")
        left.remove(item)
        found.append(str(item[0]))
    return " ".join(found)


class Answer(TypedDict):
    """The answer to a question: a choice, a text, or lines in order."""

    choice: str
    text: str
    order: tuple[str, ...]


def given(form: Form) -> Answer:
    """Return what was answered; what the question does not ask for is empty."""
    return Answer(
        choice=form.get("choice", ""),
        text=_lines(form.get("text", "")),
        order=tuple(ordered(form, ORDER)) if ORDER + LINE in form else (),
    )


def find_panel(lesson: Lesson, name: str) -> Panel:
    """Return a panel of a lesson; raise NotFound."""
    for panel in lesson.panels:
        if panel.name == name:
            return panel
    raise NotFound("There is no such panel in this lesson.")


def shared(panel: str, slots: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments of a link that fills the boxes of a panel."""
    return {"panel": panel, **{SLOT + name: text for name, text in slots.items()}}


def _lines(text: str) -> str:
    """Return a text with its lines ended as everywhere but in forms."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
