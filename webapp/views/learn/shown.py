"""What the pages of a lesson show, in the words and the order in which they show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeVar

from webapp.content.lessons.schema import StoredSample
from webapp.errors import NotFound
from webapp.plugins.check import Status
from webapp.views.odds import Token

ROLES = {
    "system": "System prompt",
    "user": "You",
    "assistant": "Model",
    "text": "The text so far",
    "start": "The reply begins with",
    "typed": "",
}
RESULTS = {
    "passed": "passed",
    "failed": "not yet",
    "ungraded": "could not be judged",
    "running": "still being answered",
    "stopped": "stopped",
    "failed_run": "no reply",
}


# Models whose own name is written differently from what lessons call them.
SPEAKERS = {"smollm2": "SmolLM2"}


def speaker(model: str) -> str:
    """Return what pages call a model."""
    return SPEAKERS.get(model, model)


@dataclass(frozen=True, slots=True)
class Link:
    """Where one can go; no address for further reading without one."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a prompt: locked text, or the name of a slot or of a hidden value."""

    kind: Literal["text", "slot", "hidden"]
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a prompt, under the name that pages give to its role."""

    role: str
    pieces: tuple[Piece, ...]

    @property
    def label(self) -> str:
        """Return what it is called on the page; what is only typed has its own name."""
        return ROLES[self.role]


@dataclass(frozen=True, slots=True)
class Box:
    """A slot and its text: a box to write in, a menu, or lines to put in order."""

    name: str
    label: str
    lines: int
    text: str
    limit: str = ""
    choices: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check has found in a reply."""

    status: Status
    message: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of a run, and what was found in it. `span` is underlined."""

    number: int
    reply: str
    status: Status
    message: str
    span: tuple[int, int] | None = None
    checks: tuple[Checked, ...] = ()
    tokens: tuple[Token, ...] = ()
    has_more_tokens: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: what was seen, why it matters, and one next move."""

    status: Status
    title: str
    message: str
    why: str | None
    next: str
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a panel, on its page or in its history."""

    id: int
    created_at: datetime
    status: str
    values: Mapping[str, str]
    samples: tuple[Reply, ...]
    outcome: Outcome | None
    error: str | None = None
    answer: str | None = None

    @property
    def decisive(self) -> Reply | None:
        """Return the reply that shows best how it came out."""
        if not self.samples:
            return None
        status = self.outcome.status if self.outcome else None
        fitting = (sample for sample in self.samples if sample.status == status)
        return next(fitting, self.samples[0])

    @property
    def result_words(self) -> str:
        """Return in a word or two how it ended."""
        if self.outcome is not None:
            return RESULTS[self.outcome.status]
        return RESULTS.get(self.status, RESULTS["failed_run"])

    @property
    def first_line(self) -> str:
        """Return the beginning of what was typed, to recognise it by."""
        typed = " ".join(" ".join(self.values.values()).split())
        return typed[:80]

    @property
    def replies(self) -> tuple[str, ...]:
        """Return all replies as texts."""
        return tuple(sample.reply for sample in self.samples)


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint; its text is there once it was opened."""

    number: int
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: its task, its prompt with boxes in it, and what came of the last run."""

    name: str
    number: int
    task: str
    talk: Literal["chat", "complete", "none"]
    model: str
    messages: tuple[Message, ...]
    has_no_system: bool
    boxes: tuple[Box, ...]
    needed: int
    of: int
    state: Literal["new", "passed", "helped", "failed"] = "new"
    warning: str = ""
    sample: StoredSample | None = None
    run: Run | None = None
    compare: tuple[Run, ...] = ()
    history: tuple[Run, ...] = ()
    hints: tuple[Hint, ...] = ()
    next_hint: Hint | None = None
    solution: Mapping[str, str] | None = None
    may_see_solution: bool = False
    gallery: bool = False
    # What it shows of the run besides the replies.
    shows: frozenset[str] = frozenset()
    sent: tuple[Message, ...] = ()
    in_pieces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # All that the model may reply; nothing here where it is free.
    reply_choices: tuple[str, ...] = ()
    # What a link needs that fills the boxes with the prompt of the run.
    shared: Mapping[str, str] = field(default_factory=dict)

    def slot(self, name: str) -> Box:
        """Return the box of a slot."""
        return next(box for box in self.boxes if box.name == name)

    @property
    def voice_name(self) -> str:
        """Return whose replies these are."""
        return "The check" if self.talk == "none" else speaker(self.model)

    @property
    def voice(self) -> str:
        """Return who answers, and how it is asked."""
        if self.talk == "none":
            return "no model: only checks"
        how = "chat" if self.talk == "chat" else "goes on with the text"
        return f"{speaker(self.model)} · {how}"

    @property
    def sample_by(self) -> str:
        """Return who gave the stored answer."""
        return speaker(self.sample.model) if self.sample else ""

    @property
    def button(self) -> str:
        """Return what the button says."""
        if self.talk == "none":
            return "Check"
        return "Generate again" if self.run or self.history else "Generate"

    def with_texts(self, texts: Mapping[str, str]) -> Panel:
        """Return it with what was typed but not run."""
        boxes = tuple(
            replace(box, text=texts[box.name]) if box.name in texts else box
            for box in self.boxes
        )
        return replace(self, boxes=boxes)


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer to a question gets: right or wrong, and why."""

    kind: Literal["success", "info", "warn"]
    title: str
    text: str | None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question without a model."""

    name: str
    kind: Literal["predict", "choose", "order", "reflect"]
    ask: str
    choices: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    given: str | None = None
    told: Told | None = None
    is_fresh: bool = False

    @property
    def button(self) -> str:
        """Return what the button says."""
        if self.kind == "reflect":
            return "Save it"
        return "Answer again" if self.told else "Answer"


@dataclass(frozen=True, slots=True)
class OldQuestion:
    """A question of an earlier lesson, asked once more before a new track."""

    track: str
    slug: str
    lesson_title: str
    question: Question


N = TypeVar("N", Panel, Question)


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown between panels and questions."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Step:
    """Text and questions, and the panel that they lead to."""

    text: tuple[Prose | Question, ...]
    panel: Panel | None


@dataclass(frozen=True, slots=True)
class WayOn:
    """The one button at the end; `skip` is what it says before the lesson is done."""

    url: str
    words: str
    skip: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """The page of a lesson."""

    track: str
    slug: str
    track_title: str
    title: str
    idea: str
    minutes: int
    can_do: str
    state: Literal["new", "begun", "done", "helped"]
    parts: tuple[Prose | Question | Panel, ...]
    on: WayOn
    after: tuple[Link, ...] = ()
    gates: tuple[Link, ...] = ()
    read_more: tuple[Link, ...] = ()
    left: str = ""
    is_first: bool = False

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The panels, in their order."""
        return tuple(part for part in self.parts if isinstance(part, Panel))

    def panel(self, name: str) -> Panel:
        """Return a panel; raise NotFound."""
        return _named(self.panels, name, "panel")

    def question(self, name: str) -> Question:
        """Return a question; raise NotFound."""
        questions = [part for part in self.parts if isinstance(part, Question)]
        return _named(questions, name, "question")

    def with_texts(self, panel: str, texts: Mapping[str, str]) -> Lesson:
        """Return it with texts in the boxes of a panel that are not run yet."""
        parts = tuple(
            part.with_texts(texts)
            if isinstance(part, Panel) and part.name == panel
            else part
            for part in self.parts
        )
        return replace(self, parts=parts)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The parts, each panel with what stands before it."""
        return tuple(_steps(self.parts))


def _named(parts: Sequence[N], name: str, what: str) -> N:
    for part in parts:
        if part.name == name:
            return part
    raise NotFound(f"There is no such {what} in this lesson. Load the page again.")


def _steps(parts: Sequence[Prose | Question | Panel]) -> list[Step]:
    steps: list[Step] = []
    text: list[Prose | Question] = []
    for part in parts:
        if isinstance(part, Panel):
            steps.append(Step(tuple(text), part))
            text = []
        else:
            text.append(part)
    return [*steps, Step(tuple(text), None)] if text else steps
