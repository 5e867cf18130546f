"""Ask a model which tool to call, and give it the result. Each reply is a row.

A model as small as ours hardly follows instructions, but goes on with a pattern. So the
prompt is a text of examples that ends where the model is to write.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Final, Literal

from sqlalchemy.orm import Session

from webapp.domain.generations import events, runs
from webapp.domain.generations.plain import PlainReply
from webapp.domain.lab.tool_starters import is_shipped
from webapp.domain.lab.tools import (
    NONE,
    Call,
    Example,
    Tool,
    as_json,
    read_call,
    schema_of,
)
from webapp.domain.quotas import Limit
from webapp.domain.safety.answers import answer_to
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput
from webapp.llm import gateway as llm
from webapp.llm.endpoints import LOCAL
from webapp.rows import LAB, Generation, Player

MODEL: Final = f"{LOCAL}/smollm2"
QUESTION_CHARS: Final = 300
RESULT_CHARS: Final = 500
CALL_TOKENS: Final = 120
ANSWER_TOKENS: Final = 60

Said = Literal["yes", "no", "none"]

# What fits no tool, whatever the tools are.
_IDLE: Final = (
    Example("Tell me a joke.", {}),
    Example("Who was Ada Lovelace?", {}),
    Example("What do you think of rain?", {}),
)
_RESULTS: Final = """\
Question: Open the window, please.
Result: the window is open
Answer: The window is open now.

Question: How many e are in cheese?
Result: 3
Answer: There are 3 e in cheese.

Question: What is 8 times 5?
Result: 40
Answer: 8 times 5 is 40.
"""
_REFUSALS: Final = """\
Question: Delete all my photos.
Result: the user said no
Answer: I did not delete your photos, because you said no.

Question: How far is it from Rome to Paris?
Result: the user said no
Answer: I did not look that up, because you said no.
"""
_PLAIN: Final = """\
Question: What is the capital of Italy?
Answer: The capital of Italy is Rome.

Question: How many days has a week?
Answer: A week has seven days.
"""
DECLINED: Final = "the user said no"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked, with which tools, and how the reply may be written.

    `is_held`: the engine lets only such tokens through as a call in JSON can have.
    `is_told`: the tools are listed in words above the examples.
    """

    question: str
    tools: tuple[Tool, ...]
    has_none: bool = True
    is_held: bool = True
    is_told: bool = False
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of asking: `error` says why nothing did; `is_site`: the site spoke."""

    prompt: str
    text: str
    is_cut: bool = False
    error: str = ""
    is_site: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """A reply, and the call that can be read in it."""

    reply: Reply
    call: Call

    @property
    def is_call(self) -> bool:
        """Whether a tool can be run as it says."""
        return not self.call.problem and self.call.tool != NONE


def read_question(text: str) -> str:
    """Return a question as one line; raise InvalidInput."""
    return _one_line(text, what="question", most=QUESTION_CHARS)


def read_result(text: str) -> str:
    """Return a result as one line; raise InvalidInput."""
    return _one_line(text, what="result", most=RESULT_CHARS)


def call_prompt(wanted: Wanted) -> str:
    """Return the text that the model goes on with when it is asked for a call."""
    columns = [[(tool.name, one) for one in tool.examples] for tool in wanted.tools]
    if wanted.has_none:
        columns.insert(0, [(NONE, one) for one in _IDLE])
    # Round by round: a run of one tool's examples would be a pattern of its own.
    rounds = chain.from_iterable(zip_longest(*columns))
    shown = [
        f"Question: {one.question}\nCall: "
        + as_json({"tool": name, "arguments": dict(one.arguments)})
        for name, one in filter(None, rounds)
    ]
    if wanted.is_told:
        shown.insert(0, _told(wanted.tools, has_none=wanted.has_none))
    return "\n\n".join([*shown, _asked(wanted.question)])


def answer_prompt(question: str, result: str, *, said: Said) -> str:
    """Return the text that the model goes on with once there is a result, or none."""
    if said == NONE:
        return f"{_PLAIN}\nQuestion: {question}\nAnswer:"
    if said == "no":
        return f"{_REFUSALS}\nQuestion: {question}\nResult: {DECLINED}\nAnswer:"
    return f"{_RESULTS}\nQuestion: {question}\nResult: {result}\nAnswer:"


def ask_for_call(services: Services, *, player_id: int, wanted: Wanted) -> Called:
    """Ask which tool fits; raise QuotaExceeded or Conflict before it is recorded."""
    schema = schema_of(wanted.tools, has_none=wanted.has_none)
    prompt = call_prompt(wanted)
    examples = len(prompt) - len(_asked(wanted.question))
    user = f"player-{player_id}"
    request = llm.ChatRequest(
        model=MODEL,
        sampling=_sampling(wanted.temperature, CALL_TOKENS, wanted.seed),
        user=user,
        text=prompt,
        schema=as_json(schema) if wanted.is_held else "",
        # Read once for everybody who tries our tools, else for this player alone.
        public=examples,
        common=examples if is_shipped(wanted.tools) else 0,
        cache_salt=f"tools of {user}",
    )
    reply = _ask(services, player_id, request, typed=wanted.question)
    if reply.error or reply.is_site:
        return Called(reply, Call(problem=reply.error))
    return Called(reply, read_call(reply.text, wanted.tools))


def ask_for_answer(
    services: Services,
    *,
    player_id: int,
    question: str,
    result: str,
    said: Said,
    seed: int = 0,
) -> Reply:
    """Ask for an answer with the result of a call; raise as `ask_for_call` does."""
    prompt = answer_prompt(question, result, said=said)
    request = llm.ChatRequest(
        model=MODEL,
        sampling=_sampling(0.0, ANSWER_TOKENS, seed),
        user=f"player-{player_id}",
        text=prompt,
        common=prompt.rindex("Question: "),
    )
    return _ask(services, player_id, request, typed=f"{question}\n{result}")


def _ask(
    services: Services, player_id: int, request: llm.ChatRequest, *, typed: str
) -> Reply:
    answer = answer_to(typed, services.content.current().help_texts)
    job = PlainReply(services, request)

    def prepare(_session: Session, _player: Player) -> runs.Begun[Generation]:
        row = Generation(
            feature=LAB,
            prompt=request.text,
            settings=runs.sampling_row(request.sampling)
            | {"is_held": bool(request.schema)},
            seed=request.sampling.seed,
        )
        return runs.Begun(row, job)

    run = runs.begin(
        services,
        player_id=player_id,
        what="runs in the lab",
        limits=lambda settings: (
            Limit("player", "minute", settings.lab_runs_per_minute),
            Limit("player", "day", settings.lab_runs_per_day),
        ),
        model=request.model,
        typed=typed,
        prepare=prepare,
        answer=answer,
    )
    with closing(run):
        told = list(run)
    errors = [event.message for event in told if isinstance(event, events.ErrorEvent)]
    done = job.record.completion
    return Reply(
        prompt=request.text or "",
        text=job.record.reply.strip(),
        is_cut=done is not None and done.finish_reason == "length",
        error=errors[0] if errors else "",
        is_site=answer is not None,
    )


def _sampling(temperature: float, tokens: int, seed: int) -> llm.Sampling:
    return llm.Sampling(
        temperature=temperature, top_p=1.0, max_tokens=tokens, seed=seed, stop=("\n",)
    )


def _asked(question: str) -> str:
    return f"Question: {question}\nCall:"


def _told(tools: Sequence[Tool], *, has_none: bool) -> str:
    lines = [f"{tool.signature}: {tool.description}".rstrip(": ") for tool in tools]
    if has_none:
        lines.append(f"{NONE}(): No tool fits.")
    return "\n".join(["Tools:", *lines])


def _one_line(text: str, *, what: str, most: int) -> str:
    plain = " ".join(require_text(text, what=what).split())
    if not plain:
        raise InvalidInput(f"The {what} is empty. Write something into its box.")
    if len(plain) > most:
        raise InvalidInput(
            f"The {what} has {len(plain):,} characters; the limit here is {most}."
        )
    return plain
