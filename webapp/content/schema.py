"""The fields of a level and a ladder. Their descriptions are what editors show."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    StrictBool,
    StrictFloat,
    StrictInt,
)

from webapp.plugins.guard import Stage
from webapp.text.characters import is_blank
from webapp.text.names import why_unreadable

ID_PATTERN: Final = r"^[a-z][a-z0-9-]{0,39}$"
Id = Annotated[str, Field(pattern=ID_PATTERN)]


def _readable_line(line: str) -> str:
    fault = why_unreadable(line)
    if fault is not None:
        raise ValueError(f"it {fault}")
    return line


def _readable_text(text: str) -> str:
    if is_blank(text):
        raise ValueError("it has nothing in it that can be seen")
    for char in text:
        if unicodedata.category(char) == "Cc" and char not in "\n\t":
            raise ValueError(f"it has the control character U+{ord(char):04X}")
    return text


Line = Annotated[
    str, Field(min_length=1, max_length=120), AfterValidator(_readable_line)
]
GuardName = Annotated[
    str, Field(min_length=1, max_length=40), AfterValidator(_readable_line)
]
# What models and attacks are made of: it may hold what nobody could read on a page.
Text = Annotated[str, Field(min_length=1, max_length=8_000)]
Shown = Annotated[Text, AfterValidator(_readable_text)]
Story = Annotated[
    str, Field(min_length=1, max_length=600), AfterValidator(_readable_text)
]
ShowGuards = Literal["none", "stage", "full"]


def _one_turn_as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Turns = Annotated[
    tuple[Text, ...],
    Field(min_length=1, max_length=50),
    BeforeValidator(_one_turn_as_list, json_schema_input_type=Text | tuple[Text, ...]),
]


class Record(BaseModel):
    """Parent of all authored records: unknown keys are errors, and nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PromptExample(Record):
    """A question and answer shown to the model before the player's first message."""

    user: Text = Field(description="What a visitor says. May contain {{ secret }}.")
    assistant: Text = Field(
        description="What the defender answers. May contain {{ secret }}."
    )


class Defender(Record):
    """The model behind the gate, and how it is told to behave."""

    model: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        "warden", description="The model that answers."
    )
    system: Text = Field(
        description="The system prompt. {{ secret }} becomes the password."
    )
    examples: tuple[PromptExample, ...] = Field(
        (), max_length=8, description="Worked examples, sent after the system prompt."
    )
    turns: StrictInt = Field(
        1, ge=1, le=50, description="How many messages one conversation may have."
    )
    temperature: StrictFloat = Field(
        0.7, ge=0, le=2, description="0 always picks the likeliest word; 1 is lively."
    )
    top_p: StrictFloat = Field(
        0.95, gt=0, le=1, description="Share of likely words to choose from."
    )
    max_tokens: StrictInt = Field(
        160, ge=1, le=1024, description="Longest reply, in tokens."
    )
    raw_tokens: StrictBool = Field(
        False, description="Let control tokens in messages act as real ones."
    )
    message_chars: StrictInt = Field(
        2000, ge=1, le=4000, description="Longest message of the player, in characters."
    )


class LevelDocument(Record):
    """Makes what the player sends a document that the defender is given to read.

    The player never speaks to the defender: a visitor asks, and the page answers.
    """

    question: Line = Field(
        description="What the visitor asks about the page: always the same."
    )
    page: Text = Field(
        description=(
            "All that the model reads in the visitor's name. {question} becomes the "
            "question, {document} what the player handed in; each stands there once."
        )
    )

    def filled(self, document: str) -> str:
        """Return the page with the question and a document in it, as they are."""
        # The document last, and once: whatever it says, it cannot move the question.
        before, _, after = self.page.replace("{question}", self.question).partition(
            "{document}"
        )
        return f"{before}{document}{after}"


class SecretSpec(Record):
    """Where the password of each visit comes from."""

    words: Id = Field(description="Name of the list words/<name>.txt.")


class GuardSpec(Record):
    """One guard with its options, which the guard's own class has checked."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    options: SerializeAsAny[BaseModel]


class Guards(Record):
    """The guards of a level, in the order in which they look."""

    input: tuple[GuardSpec, ...] = Field(
        (), max_length=12, description="They see the message before the model does."
    )
    output: tuple[GuardSpec, ...] = Field(
        (), max_length=12, description="They see the reply before the player does."
    )

    def at(self, stage: Stage) -> tuple[GuardSpec, ...]:
        """Return the guards of one stage."""
        return self.input if stage == "input" else self.output


class GuardNames(Record):
    """What the story calls the guards, in the order of `guards`.

    They are no part of the guards: a better name leaves a calibration valid.
    """

    input: tuple[GuardName, ...] = Field(
        (),
        max_length=12,
        description=(
            "A name for each guard of guards.input, in order, as in the middle of a "
            "sentence: the doorkeeper, Lady Maude."
        ),
    )
    output: tuple[GuardName, ...] = Field(
        (),
        max_length=12,
        description=(
            "A name for each guard of guards.output, in order, as in the middle of a "
            "sentence: the listener, the censor."
        ),
    )

    def at(self, stage: Stage) -> tuple[str, ...]:
        """Return the names of one stage."""
        return self.input if stage == "input" else self.output


class Hint(Record):
    """Help that the player may buy with points earned at this level."""

    cost: StrictInt = Field(ge=0, le=100_000, description="Points it takes away.")
    title: Line = Field(description="Shown before the hint is taken.")
    text: Shown = Field(description="Shown after the hint is taken.")


class Link(Record):
    """A page on the web."""

    title: Line = Field(description="What the link says.")
    url: Annotated[str, Field(pattern=r"^https?://[^\s<>\"]+$", max_length=500)] = (
        Field(description="Address that starts with https://")
    )


class Proof(Record):
    """Conversations that show the level works. `wordkeep check --play` plays them."""

    solved_by: tuple[Turns, ...] = Field(
        min_length=1,
        max_length=20,
        description="Conversations that get the word; each is a list of messages.",
    )
    not_solved_by: tuple[Turns, ...] = Field(
        (), max_length=20, description="Conversations that do not get the word."
    )
    benign: tuple[Text, ...] = Field(
        (), max_length=20, description="Friendly messages that must be answered."
    )


class Level(Record):
    """One gate: a defender with a password, and the guards around it."""

    id: Id = Field(description="Short name in addresses; never change it later.")
    title: Line = Field(description="Name of the level on the map.")
    story: Story = Field(description="One to three short sentences for the player.")
    lesson: (
        Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*$")] | None
    ) = Field(None, description="The lesson that goes with it: track/name.")
    defender: Defender = Field(description="The model and its instructions.")
    document: LevelDocument | None = Field(
        None,
        description="What is handed in is read on a page, not said. Empty: it is said.",
    )
    secret: SecretSpec = Field(description="Where the password comes from.")
    guards: Guards = Field(Guards(), description="What inspects each turn.")
    guard_names: GuardNames = Field(
        GuardNames(),
        description=(
            "What players read instead of the kind of each guard. Empty: plain words."
        ),
    )
    suspicion: StrictInt | None = Field(
        None,
        ge=1,
        le=100,
        description="Blocked turns that end a visit. Empty: no limit.",
    )
    show_guards: ShowGuards = Field(
        "stage",
        description=(
            "What the player learns about a block: none; stage (which guard, when); "
            "full (also score and reason)."
        ),
    )
    blocked_text: Line = Field(
        "A guard stops this.", description="What the player reads when a guard blocks."
    )
    points: StrictInt = Field(ge=0, le=100_000, description="Points for the win.")
    hints: tuple[Hint, ...] = Field(
        (), max_length=8, description="Help, in the order in which it is offered."
    )
    after: tuple[Id, ...] = Field(
        (), max_length=20, description="Levels that must be won before this one opens."
    )
    explain: Shown = Field(description="Why the attack works; shown after the win.")
    read_more: tuple[Link, ...] = Field(
        (), max_length=8, description="Pages to read after the win."
    )
    provisional: StrictBool = Field(
        False, description="Marked on the page as unfinished."
    )
    proof: Proof | None = Field(None, description="Conversations that test the level.")


class HelpTexts(Record):
    """What the site answers, instead of a model, to messages that need a person."""

    distress: Text = Field(
        description="To somebody in distress: be warm, name people and numbers."
    )
    danger: Text = Field(description="To somebody who asks how to harm people.")


class Ladder(Record):
    """A sequence of levels."""

    id: Id = Field(description="Short name in addresses.")
    title: Line = Field(description="Name of the ladder.")
    story: Story = Field(description="One to three short sentences that set the scene.")
    place: StrictInt = Field(
        1, ge=1, le=99, description="Where it stands; the first one is everybody's map."
    )
    levels: tuple[Id, ...] = Field(
        min_length=1, max_length=100, description="Ids of the levels, in order."
    )
