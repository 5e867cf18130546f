"""The playground over the API: what its page copies out as curl and Python."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr

from webapp.api.operations import Api
from webapp.api.records import Answer, Given, Status, example
from webapp.domain.generations.events import ErrorEvent, Start
from webapp.domain.lab import asking
from webapp.domain.lab.bench import (
    LAST_SEED,
    MOST_CHARS,
    MOST_STOPS,
    MOST_TOKENS,
    MOST_TOP_K,
    MOST_TURNS,
    STOP_CHARS,
    Request,
)
from webapp.domain.people.accounts import PlayerInfo
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput, LabError
from webapp.llm.gateway import Sampling
from webapp.plugins.asking import Message
from webapp.web import seats
from webapp.web.context import services

api = Api("lab")

StopText = Annotated[StrictStr, Field(min_length=1, max_length=STOP_CHARS)]


class LabMessage(Given):
    """A message of the list that a model is sent."""

    role: Literal["system", "user", "assistant"]
    content: StrictStr = Field(max_length=MOST_CHARS)


class LabRequest(Given):
    """What a model is asked: a list of messages, or a text to go on with."""

    model_config = example(
        model="smollm2",
        messages=[{"role": "user", "content": "What is the capital of Hungary?"}],
        temperature=0,
        seed=7,
    )

    model: StrictStr = Field(description="A model, as the playground names it.")
    messages: (
        Annotated[
            tuple[LabMessage, ...], Field(min_length=1, max_length=MOST_TURNS + 1)
        ]
        | None
    ) = Field(
        None,
        description="If the last one is the assistant’s, the model goes on with it.",
    )
    prompt: StrictStr | None = Field(
        None, description="A text to go on with, in place of messages."
    )
    default_system: StrictBool = Field(
        True, description="Whether the model’s own system message is put in front."
    )
    raw_tokens: StrictBool = Field(
        False, description="Whether marks such as <|im_end|> in a text are tokens."
    )
    temperature: float = Field(0.7, ge=0, le=2)
    top_p: float = Field(1, gt=0, le=1)
    top_k: StrictInt = Field(0, ge=0, le=MOST_TOP_K, description="0: all tokens.")
    max_tokens: StrictInt = Field(120, ge=1, le=MOST_TOKENS)
    seed: StrictInt | None = Field(
        None, ge=0, le=LAST_SEED, description="The same one gives the same reply."
    )
    stop: Annotated[tuple[StopText, ...], Field(max_length=MOST_STOPS)] = ()


class LabAnswer(Answer):
    """What a model wrote. `seed` is the one that was typed, or chance’s choice."""

    model_config = example(
        id=12,
        status="finished",
        model="local/smollm2",
        reply="The capital of Hungary is Budapest.",
        seed=7,
        prompt_tokens=37,
        reply_tokens=8,
        ms=640,
    )

    id: int
    status: Status
    model: str
    reply: str
    seed: int
    prompt_tokens: int | None
    reply_tokens: int | None
    ms: int | None


@api.post("/lab/chat", problems=(429, 502, 504))
def chat(player: PlayerInfo, body: LabRequest) -> LabAnswer:
    """Ask a model of the lab.

    The same request with the same seed gives the same reply, here and on the page.
    """
    request, typed = _read(body)
    with seats.seat():
        run = asking.ask(services(), player_id=player.id, request=request, typed=typed)
        with closing(run):
            happened = list(run)
    for event in happened:
        if isinstance(event, ErrorEvent):
            failed = LabError(event.message, code=event.code)
            failed.status = event.status
            raise failed
    run_id = next(event.id for event in happened if isinstance(event, Start))
    reply = asking.find(services(), player_id=player.id, run_id=run_id)
    return LabAnswer(
        id=reply.id,
        status=reply.status,
        model=reply.model,
        reply=reply.text,
        seed=reply.seed,
        prompt_tokens=reply.prompt_tokens,
        reply_tokens=reply.reply_tokens,
        ms=reply.ms,
    )


def _read(body: LabRequest) -> tuple[Request, str]:
    """Return the request, and what a person wrote in it; raise InvalidInput."""
    messages: list[Message] = [
        {"role": one.role, "content": require_text(one.content, what="message")}
        for one in body.messages or ()
    ]
    if bool(messages) == bool(body.prompt):
        raise InvalidInput("Send either “messages” or “prompt”, and only one of them.")
    text = None if body.prompt is None else require_text(body.prompt, what="prompt")
    said = [m["content"] for m in messages if m["role"] != "assistant"]
    if sum(len(m["content"]) for m in messages) + len(text or "") > MOST_CHARS:
        raise InvalidInput(
            f"All texts together have at most {MOST_CHARS:,} characters."
        )
    start = ""
    if messages and messages[-1]["role"] == "assistant":
        start = messages.pop()["content"]
    seed = services().seed() if body.seed is None else body.seed
    request = Request(
        model=body.model,
        sampling=Sampling(
            temperature=body.temperature,
            top_p=body.top_p,
            max_tokens=body.max_tokens,
            seed=seed,
            stop=body.stop,
            top_k=body.top_k,
        ),
        messages=tuple(messages),
        text=text,
        start_reply=start,
        default_system=body.default_system,
        raw_tokens=body.raw_tokens,
    )
    return request, "\n".join([*said, text or ""])
