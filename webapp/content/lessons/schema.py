"""The fields of a lesson. Their descriptions are what editors show."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    Field,
    SerializeAsAny,
    StrictBool,
    StrictFloat,
    StrictInt,
)

from webapp.content.schema import Id, Line, Record, Shown, Text

LESSON_ID: Final = r"^[a-z][a-z0-9-]*/[a-z][a-z0-9-]*$"
LessonId = Annotated[str, Field(pattern=LESSON_ID, max_length=80)]
# A slot or a hidden value, as {name} in texts.
SlotName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
Voice = Annotated[str, Field(min_length=1, max_length=80)]
Talk = Literal["chat", "complete", "none"]
Show = Literal["tokens", "probabilities", "request", "template", "compare"]
Values = dict[SlotName, str]


class TrackInfo(Record):
    """What `track.yaml` says of the lessons in its folder."""

    title: Line = Field(description="Name of the track.")
    story: Shown = Field(description="One or two sentences: what one can do after it.")
    place: StrictInt = Field(ge=1, le=99, description="Where it stands on the course.")


class LessonInfo(Record):
    """The front matter of a lesson."""

    title: Line = Field(description="Name of the lesson.")
    idea: Line = Field(description="The one idea, in one sentence.")
    minutes: StrictInt = Field(ge=1, le=30, description="How long it takes.")
    after: tuple[LessonId, ...] = Field(
        (), max_length=10, description="Lessons that are better read before."
    )
    gates: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")], ...] = (
        Field((), max_length=8, description="Gates it helps with: ladder/level.")
    )
    can_do: Line = Field(description='What follows "You can now", as in "teach …".')
    was: tuple[LessonId, ...] = Field(
        (), max_length=20, description="Ids that it had before; progress is kept."
    )
    read_more: tuple[str, ...] = Field(
        (), max_length=8, description="Further reading: title, then the address."
    )


class Slot(Record):
    """A part of the prompt that the student edits. All else is locked."""

    start: Annotated[str, Field(max_length=2_000)] = Field(
        "", description="What stands in it at first."
    )
    label: Line | None = Field(None, description="What the box is called on the page.")
    lines: StrictInt = Field(3, ge=1, le=30, description="Height of the box.")
    words: tuple[StrictInt, StrictInt] | None = Field(
        None, description="Fewest and most words, as [3, 40]."
    )
    chars: StrictInt = Field(1_000, ge=1, le=4_000, description="Most characters.")
    choices: tuple[Line, ...] = Field(
        (), max_length=20, description="A menu to choose from, instead of a box."
    )
    items: tuple[Annotated[str, Field(min_length=1, max_length=600)], ...] = Field(
        (),
        max_length=12,
        description="Locked lines that the student puts in order, instead of a box.",
    )


class PromptMessage(Record):
    """One message of a chat prompt: exactly one of the three."""

    system: Text | None = Field(None, description="The system prompt; only the first.")
    user: Text | None = Field(None, description="What the user says. May hold {slots}.")
    assistant: Text | None = Field(
        None, description="What the model is said to have answered."
    )


class CheckSpec(Record):
    """One check with its options, which the check's own class has checked.

    `of` is `reply`, `prompt` (all that the student typed), `request`, `probabilities`,
    `runs`, or the name of a slot. `parts` are the checks of a group (`all-of`,
    `any-of`, `at-least`). Texts in the options may hold {slots} and hidden {values}.
    """

    name: str = Field(description="Without `not-`.")
    negated: bool = False
    of: str = "reply"
    options: SerializeAsAny[BaseModel] | None = None
    parts: tuple[CheckSpec, ...] = ()
    least: int = Field(0, description="How many parts of `at-least` must pass.")
    say: Annotated[str, Field(max_length=400)] | None = Field(
        None, description="What the student reads if it fails."
    )
    why: Annotated[str, Field(max_length=400)] | None = Field(
        None, description="Why that matters; one sentence."
    )
    weight: float = Field(1.0, ge=0)
    metric: str | None = None
    required: bool = Field(True, description="False: told, but it decides nothing.")


class Mistake(Record):
    """A named common mistake: what shows it, and what helps.

    It is told instead of the outcome of a check that failed. With `voids` a run that
    shows it does not count, even if every check passes.
    """

    when: tuple[CheckSpec, ...] = Field(min_length=1, description="All must pass.")
    say: Annotated[str, Field(min_length=1, max_length=400)] = Field(
        description="What the student reads: what it is, and what helps."
    )
    voids: StrictBool = Field(
        False, description="true: the run does not count, even if all checks pass."
    )
    example: Values = Field(description="What to type to make it.")


class LessonHint(Record):
    """Help on the way: the idea, where to look, a line to finish."""

    title: Line = Field(description="Shown before the hint is taken.")
    text: Shown = Field(description="Shown after the hint is taken.")


class StoredSample(Record):
    """An answer that a model gave once; shown until the first run."""

    text: Text = Field(description="The reply.")
    model: Voice = Field(description="Which model gave it.")
    made: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] = Field(
        description="When, as 2026-11-29."
    )


class Needed(Record):
    """How many of how many samples must pass."""

    least: StrictInt = Field(ge=1, le=10, description="How many must pass.")
    of: StrictInt = Field(ge=1, le=10, description="How many there are.")


class PanelProof(Record):
    """What must solve the panel and what must not. `check --play` tries it."""

    solved_by: tuple[Values, ...] = Field(
        min_length=1, max_length=5, description="What to type to pass, by slot."
    )
    not_solved_by: tuple[Values, ...] = Field(
        (), max_length=10, description="What looks right and must not pass."
    )


class Panel(Record):
    """A prompt to change, a model that answers, and what is checked."""

    name: Id = Field(description="Written behind the word panel, not inside.")
    task: Shown = Field(description="What to do, in one to three sentences.")
    talk: Talk = Field("chat", description="chat; complete: goes on with a text; none.")
    model: Voice = Field("scribe", description="Whose voice it is.")
    system: Text | None = Field(
        None, description="The system prompt; `none` sends none at all."
    )
    messages: tuple[PromptMessage, ...] = Field(
        (), max_length=20, description="The prompt of `talk: chat`."
    )
    text: Text | None = Field(None, description="The prompt of `talk: complete`.")
    start_reply: Annotated[str, Field(max_length=500)] = Field(
        "", description="The beginning of the reply, written for the model."
    )
    slots: dict[SlotName, Slot] = Field(
        default_factory=dict, description="What the student may edit, by name."
    )
    vary: tuple[Values, ...] = Field(
        (),
        description=(
            "Hidden values, another set for each sample. Written as {word: [lamp, "
            "tree], answer: [LAMP, TREE]}."
        ),
    )
    temperature: StrictFloat = Field(
        0.2, ge=0, le=2, description="0 always picks the likeliest token; 1 is lively."
    )
    top_p: StrictFloat = Field(
        0.9, gt=0, le=1, description="Share of likely tokens to choose from."
    )
    max_tokens: StrictInt = Field(
        60, ge=1, le=300, description="Longest reply, in tokens."
    )
    stop: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = Field(
        (), max_length=4, description="Texts at which the reply ends."
    )
    choices: tuple[Line, ...] = Field(
        (),
        max_length=20,
        description="The reply is held to one of these: nothing else can be written.",
    )
    seed: StrictInt | None = Field(None, ge=0, description="Empty: another each time.")
    show: tuple[Show, ...] = Field((), description="What else the page shows.")
    sample: StoredSample | None = Field(
        None, description="A reply to look at before the first run."
    )
    samples: Needed = Field(Needed(least=1, of=1), description="As in 3 of 5.")
    expect: Literal["success", "failure"] = Field(
        "success", description="failure: the point is to see it fail."
    )
    checks: tuple[CheckSpec, ...] = Field(
        min_length=1, max_length=6, description="All must pass, in each sample."
    )
    mistakes: tuple[Mistake, ...] = Field(
        (), max_length=6, description="Common mistakes, the most telling one first."
    )
    hints: tuple[LessonHint, ...] = Field(
        (), max_length=3, description="Help, in the order in which it is offered."
    )
    solution: Values | None = Field(None, description="Empty: the first of solved_by.")
    proof: PanelProof = Field(description="What shows that the panel works.")


class Question(Record):
    """A question without a model: predict, choose, order or reflect.

    `answer` is the right choice, or the right order of `lines`; none for `reflect`, and
    for a `predict` that the next panel answers.
    """

    name: Id = Field(description="Written behind the kind, or q1, q2 and so on.")
    kind: Literal["predict", "choose", "order", "reflect"] = Field(
        description="Written behind the word question, not inside."
    )
    ask: Shown = Field(description="The question.")
    choices: tuple[Line, ...] = Field(
        (), max_length=8, description="For predict and choose: what to choose from."
    )
    lines: tuple[Line, ...] = Field(
        (), max_length=10, description="In the right order."
    )
    answer: Line | None = Field(None, description="The right one of the choices.")
    why: Shown | None = Field(None, description="Told after the answer.")


class Prose(Record):
    """Markdown between two blocks. Blocks that start with ??? are folded."""

    markdown: str


Part = Prose | Panel | Question


class Lesson(Record):
    """A lesson: front matter, and prose, panels and questions in their order."""

    id: LessonId
    info: LessonInfo
    parts: tuple[Part, ...]

    @property
    def track(self) -> str:
        """The id of the track: the name of its folder."""
        return self.id.partition("/")[0]

    # Pages of a class ask for these very often.
    @cached_property
    def panels(self) -> tuple[Panel, ...]:
        """The panels, in their order."""
        return tuple(part for part in self.parts if isinstance(part, Panel))

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The questions, in their order."""
        return tuple(part for part in self.parts if isinstance(part, Question))


def system_is_none(panel: Panel) -> bool:
    """Return whether no system message is sent, not even the template's own."""
    return panel.system == "none"


def example_values(value: Any) -> Any:
    """Turn {word: [lamp, tree]} into a mapping for each sample."""
    if not isinstance(value, dict):
        return value
    lists = {
        name: texts if isinstance(texts, list) else [texts]
        for name, texts in value.items()
    }
    longest = max((len(texts) for texts in lists.values()), default=0)
    return [
        {name: str(texts[i % len(texts)]) for name, texts in lists.items() if texts}
        for i in range(longest)
    ]
