"""A made-up lesson in each of its states, for the page with all components."""

from __future__ import annotations

from datetime import UTC, datetime

from webapp.content.lessons.schema import StoredSample
from webapp.views.learn.shown import (
    Box,
    Checked,
    Hint,
    Lesson,
    Link,
    Message,
    Outcome,
    Panel,
    Piece,
    Prose,
    Question,
    Reply,
    Run,
    Told,
    WayOn,
)
from webapp.views.odds import Odds, Token

_WHEN = datetime(2026, 1, 31, 17, 45, tzinfo=UTC)
_PROSE = """Here is a language nobody speaks: **Zo**. Every word gets *-zo* at its end.

> [!tip]
> Look at the last line before you write.

??? Why the end of the text matters
A model continues what it sees. `cat -> ` asks for one more word.
???

| you write | it goes on |
|---|---|
| `cat ->` | `catzo` |
"""


_CHECKS = (
    Checked("failed", "There is more than the word."),
    Checked("passed", "It is one line."),
)


_WORD = Piece("hidden", "word")
_ODDS = (Odds(" a", 0.625, is_picked=True), Odds(" the", 0.25), Odds("", 0.004))
_TOKENS = (Token(_ODDS[0], _ODDS, Odds("", 0.121)),) * 2


def lesson() -> Lesson:
    """Return a lesson with a panel that failed, a fresh one, and all questions."""
    return Lesson(
        track="sample",
        slug="sample",
        track_title="Basics",
        title="A sample lesson",
        idea="Examples teach a small model what explanations do not.",
        minutes=6,
        can_do="teach a model a new rule with examples",
        state="begun",
        parts=(
            Prose(_PROSE),
            _question("predict", "p1", given="ten", told=True),
            _failed(),
            Prose("Now without a run, and with all that a prompt can have in it."),
            _question("order", "o1"),
            _question("reflect", "r1"),
            _fresh(),
        ),
        on=WayOn("#", "Next: Mood ring", "Skip to Mood ring"),
        gates=(Link("The Told Gate", "#"),),
        read_more=(Link("Few-shot prompting", "https://example.com/"),),
        left="part 1",
    )


def _question(kind: str, name: str, *, given: str = "", told: bool = False) -> Question:
    return Question(
        name=name,
        kind=kind,  # type: ignore[arg-type]
        ask="How many examples will it take until the model gets it?",
        choices=("one", "two or three", "ten") if kind == "predict" else (),
        lines=("cat -> catzo", "dog -> dogzo", "sun ->") if kind == "order" else (),
        given=given or None,
        told=Told("warn", "Not quite.", "Two or three are enough.") if told else None,
    )


def _failed() -> Panel:
    run = Run(
        id=1,
        created_at=_WHEN,
        status="finished",
        values={"examples": "cat -> catzo"},
        samples=(
            Reply(1, "lampzo", "passed", "The reply is the word in Zo."),
            Reply(
                2,
                "a kind of riverzoo",
                "failed",
                "There is more.",
                (10, 18),
                _CHECKS,
                _TOKENS,
            ),
            Reply(3, "", "failed", "There is nothing in it."),
            Reply(4, "W" * 300, "failed", "There is more."),
        ),
        outcome=Outcome(
            status="failed",
            title="Not yet",
            message="The model wrote more than the word in Zo.",
            why="It goes on with the pattern that it sees, and one line is hardly one.",
            next="Add two more lines like the first.",
        ),
    )
    return Panel(
        name="show",
        number=1,
        task="Write examples above the last line.",
        talk="complete",
        model="SmolLM2",
        messages=(
            Message(
                "text",
                (
                    Piece("slot", "examples"),
                    Piece("hidden", "word"),
                    Piece("text", " ->"),
                ),
            ),
        ),
        has_no_system=False,
        boxes=(Box("examples", "Examples", 4, "cat -> catzo", "3 to 40 words"),),
        needed=3,
        of=5,
        state="failed",
        run=run,
        compare=(run, run),
        history=(run, run),
        hints=(Hint(1, "The idea", "The model continues patterns."),),
        next_hint=Hint(2, "Where to look"),
        solution={"examples": "cat -> catzo\ndog -> dogzo"},
        shows=frozenset({"probabilities", "tokens"}),
        sent=(Message("text", (Piece("text", "cat -> catzo\n"), _WORD)),),
        in_pieces={"examples": ("cat", " ->", " cat", "zo", "\n")},
    )


def _fresh() -> Panel:
    return Panel(
        name="chat",
        number=2,
        task="Make it greet you in *capitals*.",
        talk="chat",
        model="scribe",
        messages=(
            Message(
                "system",
                (
                    Piece("text", "You are a "),
                    Piece("slot", "mood"),
                    Piece("text", " helper."),
                ),
            ),
            Message(
                "user",
                (Piece("text", "The rules:\n"), Piece("slot", "rules")),
            ),
            Message("start", (Piece("slot", "begin"),)),
        ),
        has_no_system=True,
        boxes=(
            Box("mood", "Mood", 1, "kind", choices=("kind", "loud")),
            Box("rules", "Rules", 3, "", items=("Be brief.", "Shout.", "Greet.")),
            Box("begin", "Beginning", 1, "HELLO"),
        ),
        needed=1,
        of=1,
        state="passed",
        warning="Not tried yet on the model that this site uses.",
        sample=StoredSample(text="HELLO YOU.", model="scribe", made="2026-01-31"),
        may_see_solution=True,
        gallery=True,
    )
