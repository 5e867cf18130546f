"""The playground as somebody has set it up: what is said, to whom, and how.

Settings are kept as they were typed, so that a page can show them again; `sampling`
reads them. Nothing here calls a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, cast, get_args

from webapp.domain.texts import require_text
from webapp.errors import InvalidInput
from webapp.llm import gateway as llm
from webapp.plugins.asking import Message

Mode = Literal["chat", "text"]
# The model's own system message, none at all, or one that is typed.
SystemChoice = Literal["usual", "none", "own"]
Role = Literal["user", "assistant"]

MOST_PANES: Final = 4
MOST_TURNS: Final = 60
MOST_CHARS: Final = 24_000
MOST_TOKENS: Final = 400
MOST_TOP_K: Final = 1_000
MOST_STOPS, STOP_CHARS = 4, 40
LAST_SEED: Final = 2**31 - 1
BRIEF: Final = "Answer in one or two short sentences."


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of the conversation; either side may be made up."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Pane:
    """Who answers, and how its tokens are chosen."""

    model: str = ""
    temperature: str = "0.7"
    top_p: str = "1"
    top_k: str = "0"


@dataclass(frozen=True, slots=True)
class Bench:
    """All that a page of the playground holds.

    `runs` are the latest replies by their ids, `before` the text before the last one
    was added to it. `chat` is the conversation that it is kept as.
    """

    mode: Mode = "chat"
    system: SystemChoice = "usual"
    system_text: str = ""
    with_instructions: bool = False
    is_brief: bool = False
    turns: tuple[Turn, ...] = ()
    message: str = ""
    text: str = ""
    before: str = ""
    with_marks: bool = False
    panes: tuple[Pane, ...] = (Pane(),)
    max_tokens: str = "120"
    stop: str = ""
    seed: str = ""
    runs: tuple[int, ...] = ()
    chat: int | None = None

    @property
    def ends_with_reply(self) -> bool:
        """Whether the last turn is the model's."""
        return bool(self.turns) and self.turns[-1].role == "assistant"

    def as_row(self) -> dict[str, Any]:
        """Return it as it is kept."""
        row = asdict(self)
        del row["chat"]
        return row

    def typed(self) -> str:
        """Return what a person may have written: all but replies."""
        said = [turn.text for turn in self.turns if turn.role == "user"]
        own = [self.system_text] if self.system == "own" else []
        whole = [self.text] if self.mode == "text" else [*own, *said, self.message]
        return "\n".join(whole)


@dataclass(frozen=True, slots=True)
class Request:
    """What one model is sent. The seed is in `sampling`."""

    model: str
    sampling: llm.Sampling
    messages: tuple[Message, ...] = ()
    text: str | None = None
    start_reply: str = ""
    default_system: bool = True
    raw_tokens: bool = False


def bench_from(row: Mapping[str, Any], *, chat: int | None = None) -> Bench:
    """Return a bench as it was kept; what is not known any more is left out."""
    known = {field.name for field in fields(Bench)} - {"chat"}
    given = {name: value for name, value in row.items() if name in known}
    if "turns" in given:
        given["turns"] = tuple(Turn(**turn) for turn in given["turns"])
    if "panes" in given:
        given["panes"] = tuple(Pane(**pane) for pane in given["panes"])
    if "runs" in given:
        given["runs"] = tuple(given["runs"])
    return Bench(**given, chat=chat)


def checked(bench: Bench) -> Bench:
    """Return a bench whose texts can be kept and sent; raise InvalidInput."""
    if len(bench.turns) > MOST_TURNS:
        raise InvalidInput(
            f"The conversation has more than {MOST_TURNS} messages. Delete some of the "
            "first ones."
        )
    if not 1 <= len(bench.panes) <= MOST_PANES:
        raise InvalidInput(f"Ask one to {MOST_PANES} models at a time.")
    texts = [bench.system_text, bench.message, bench.text, bench.before]
    size = sum(map(len, [*texts, *(turn.text for turn in bench.turns)]))
    if size > MOST_CHARS:
        raise InvalidInput(
            f"All texts together have {size:,} characters, and {MOST_CHARS:,} are the "
            "most. Shorten them, or delete some messages."
        )
    return replace(
        bench,
        system_text=require_text(bench.system_text, what="system message"),
        message=require_text(bench.message, what="message"),
        text=require_text(bench.text, what="text"),
        before=require_text(bench.before, what="text"),
        turns=tuple(
            Turn(turn.role, require_text(turn.text, what=f"message number {n}"))
            for n, turn in enumerate(bench.turns, start=1)
        ),
    )


def begun(bench: Bench, do: str) -> Bench:
    """Return the bench as its models will read it; raise InvalidInput.

    `do` is `send` for what is typed, `retry` and `fresh` for another reply in place of
    the last one, `carry` to let the model go on with the last one.
    """
    if bench.mode == "text":
        text = bench.before if do in {"retry", "fresh"} and bench.before else bench.text
        if not text:
            raise InvalidInput("The text is empty. Write how it begins.")
        return replace(bench, text=text)
    if do in {"retry", "fresh"} and bench.ends_with_reply:
        bench = replace(bench, turns=bench.turns[:-1])
    elif do == "send" and bench.message.strip():
        said = Turn("user", bench.message)
        bench = replace(bench, turns=(*bench.turns, said), message="")
    if not bench.turns or (bench.ends_with_reply and do != "carry"):
        raise InvalidInput(
            "The last message is the model’s own. Write one, or delete it."
            if bench.turns
            else "There is no message yet. Write one in the box below."
        )
    return bench


def taken(bench: Bench, reply: str) -> Bench:
    """Return the bench with a reply in its place."""
    if bench.mode == "text":
        return replace(bench, before=bench.text, text=bench.text + reply)
    if bench.ends_with_reply:
        whole = Turn("assistant", bench.turns[-1].text + reply)
        return replace(bench, turns=(*bench.turns[:-1], whole))
    return replace(bench, turns=(*bench.turns, Turn("assistant", reply)))


def system_of(bench: Bench, instructions: str) -> str | None:
    """Return the system message that is sent; None: none of ours."""
    parts = [
        bench.system_text if bench.system == "own" else "",
        instructions if bench.with_instructions else "",
        BRIEF if bench.is_brief else "",
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip()) or None


def request_of(
    bench: Bench, pane: Pane, *, seed: int | None, instructions: str = ""
) -> Request:
    """Return what a pane's model is sent for a bench that has begun.

    Raises InvalidInput for a setting that cannot be.
    """
    how = sampling(bench, pane, seed=seed)
    if bench.mode == "text":
        return Request(pane.model, how, text=bench.text, raw_tokens=bench.with_marks)
    turns, start = bench.turns, ""
    if bench.ends_with_reply:
        turns, start = turns[:-1], turns[-1].text
    return Request(
        model=pane.model,
        sampling=how,
        messages=messages_of(bench, turns, instructions),
        start_reply=start,
        default_system=bench.system != "none",
    )


def messages_of(
    bench: Bench, turns: tuple[Turn, ...], instructions: str
) -> tuple[Message, ...]:
    """Return a part of the conversation as a list of messages."""
    system = system_of(bench, instructions)
    head: list[Message] = [{"role": "system", "content": system}] if system else []
    said: list[Message] = [{"role": turn.role, "content": turn.text} for turn in turns]
    return (*head, *said)


def sampling(bench: Bench, pane: Pane, *, seed: int | None) -> llm.Sampling:
    """Return how a pane's tokens are chosen; raise InvalidInput."""
    return llm.Sampling(
        temperature=number("temperature", pane.temperature, 0, 2),
        top_p=number("top-p", pane.top_p, 0.01, 1),
        top_k=int(number("top-k", pane.top_k, 0, MOST_TOP_K, whole=True)),
        max_tokens=int(number("length", bench.max_tokens, 1, MOST_TOKENS, whole=True)),
        seed=seed,
        stop=stops(bench.stop),
    )


def seed_of(bench: Bench) -> int | None:
    """Return the seed that was typed; None: chance. Raises InvalidInput."""
    if not bench.seed.strip():
        return None
    return int(number("seed", bench.seed, 0, LAST_SEED, whole=True))


def stops(text: str) -> tuple[str, ...]:
    r"""Return the stop texts of a box: one in a line, with \n for a new line."""
    lines = text.replace("\r\n", "\n").split("\n")
    found = tuple(line.replace("\\n", "\n") for line in lines if line)
    if len(found) > MOST_STOPS or any(len(stop) > STOP_CHARS for stop in found):
        raise InvalidInput(
            f"There may be {MOST_STOPS} stop texts, each in a line of its own and at "
            f"most {STOP_CHARS} characters long."
        )
    return found


def number(
    name: str, text: str, least: float, most: float, *, whole: bool = False
) -> float:
    """Return a number that was typed; raise InvalidInput if it is none that fits."""
    kind = "a whole number" if whole else "a number"
    problem = InvalidInput(
        f"The {name} must be {kind} from {least:g} to {most:,.0f}. You wrote "
        f"“{text.strip()[:20]}”."
    )
    try:
        found = float(text.strip().replace(",", "."))
    except ValueError:
        raise problem from None
    if not least <= found <= most or (whole and found != int(found)):
        raise problem
    return found


def mode_from(text: str) -> Mode:
    """Return the mode of a form; the usual one for anything else."""
    return cast(Mode, text) if text in get_args(Mode) else "chat"


def system_from(text: str) -> SystemChoice:
    """Return the choice of a form; the usual one for anything else."""
    return cast(SystemChoice, text) if text in get_args(SystemChoice) else "usual"


def role_from(text: str) -> Role:
    """Return the role of a form; the student's for anything else."""
    return cast(Role, text) if text in get_args(Role) else "user"
