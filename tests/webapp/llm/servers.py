"""What other people's servers answer, after their documents and bug reports.

One table: each server by its name, with its ways to say that a prompt is too long,
and the chunks in which a model that thinks replies "Hello, Ann." on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.webapp.llm.upstream import Answer, Call

Json = dict[str, Any]
THOUGHTS = "The password is lantern. I must not tell."
REPLY = "Hello, Ann."


@dataclass(frozen=True)
class Server:
    """`too_long` holds status and body; status 200 is an error inside the stream."""

    too_long: tuple[tuple[int, Any], ...]
    thinking: tuple[Json, ...] = ()
    only_thoughts: tuple[Json, ...] = ()


def deltas(*parts: Json) -> tuple[Json, ...]:
    return tuple({"index": 0, "delta": part, "finish_reason": None} for part in parts)


def content(*pieces: Any) -> tuple[Json, ...]:
    return deltas(*({"role": "assistant", "content": piece} for piece in pieces))


def _error(message: str, kind: str, code: Any, **more: Any) -> Json:
    return {"error": {"message": message, "type": kind, "code": code, **more}}


_VLLM_OLD = (
    "This model's maximum context length is 4096 tokens. However, you requested 5160 "
    "tokens (5000 in the messages, 160 in the completion). Please reduce the length of "
    "the messages or completion."
)
_VLLM_NEW = (
    "'max_tokens' or 'max_completion_tokens' is too large: 160. This model's maximum "
    "context length is 4096 tokens and your request has 4000 input tokens (160 > 4096 "
    "- 4000)."
)
_VLLM = (
    (
        400,
        {
            "object": "error",
            "message": _VLLM_OLD,
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    ),
    (400, _error(_VLLM_NEW, "BadRequestError", 400, param="max_tokens")),
    (
        400,
        _error(
            "The decoder prompt (length 5000) is longer than the maximum model length "
            "of 4096. Make sure that `max_model_len` is no smaller than the number of "
            "text tokens.",
            "BadRequestError",
            400,
        ),
    ),
    (200, _error(_VLLM_OLD, "BadRequestError", 400)),
    (
        200,
        {
            "object": "error",
            "message": _VLLM_OLD,
            "type": "BadRequestError",
            "code": 400,
        },
    ),
)
_OPENAI = (
    400,
    _error(
        "This model's maximum context length is 8192 tokens. However, your messages "
        "resulted in 9000 tokens. Please reduce the length of the messages.",
        "invalid_request_error",
        "context_length_exceeded",
        param="messages",
    ),
)
_LLAMA = "the request exceeds the available context size, try increasing it"

SERVERS = {
    "llama.cpp": Server(
        too_long=(
            (
                400,
                _error(
                    _LLAMA,
                    "exceed_context_size_error",
                    400,
                    n_prompt_tokens=5000,
                    n_ctx=4096,
                ),
            ),
            # Before it had a type of its own.
            (400, _error(_LLAMA, "invalid_request_error", 400)),
            (500, _error("Context size has been exceeded.", "server_error", 500)),
            (200, _error("context size has been exceeded", "server_error", 500)),
        ),
        thinking=deltas(
            {"role": "assistant", "content": None},
            {"reasoning_content": THOUGHTS[:20]},
            {"reasoning_content": THOUGHTS[20:]},
            {"content": REPLY[:5]},
            {"content": REPLY[5:]},
        ),
        only_thoughts=deltas({"content": None}, {"reasoning_content": THOUGHTS}),
    ),
    "vllm": Server(
        too_long=_VLLM,
        thinking=content(
            "", "<think>", "\n", THOUGHTS, "\n", "</think>", "\n\n", REPLY
        ),
        only_thoughts=content("", "<think>", "\n", THOUGHTS),
    ),
    "vllm with a reasoning parser": Server(
        too_long=_VLLM,
        thinking=deltas(
            {"role": "assistant", "content": ""},
            {"reasoning": THOUGHTS, "reasoning_content": THOUGHTS},
            {"content": "\n\n", "reasoning": None},
            {"content": REPLY},
        ),
        only_thoughts=deltas({"content": ""}, {"reasoning": THOUGHTS}),
    ),
    # DeepSeek-R1 and others whose template writes the opening tag into the prompt.
    "vllm, opened in the prompt": Server(
        too_long=_VLLM,
        thinking=content("", THOUGHTS[:9], THOUGHTS[9:], "\n</th", "ink>\n\n", REPLY),
    ),
    "ollama": Server(
        too_long=(
            (400, _error(_LLAMA, "exceed_context_size_error", None)),
            (
                400,
                _error(
                    "prompt too long; exceeded max context length by 904 tokens",
                    "invalid_request_error",
                    None,
                ),
            ),
            (
                500,
                _error(
                    "the input length exceeds the context length", "api_error", None
                ),
            ),
            (400, {"error": "input length exceeds maximum context length"}),
        ),
        thinking=deltas(
            {"role": "assistant", "content": "", "reasoning": THOUGHTS[:20]},
            {"role": "assistant", "content": "", "reasoning": THOUGHTS[20:]},
            {"role": "assistant", "content": REPLY},
        ),
        only_thoughts=deltas(
            {"role": "assistant", "content": "", "reasoning": THOUGHTS}
        ),
    ),
    "openai": Server(
        too_long=(
            _OPENAI,
            (200, _OPENAI[1]),
            (
                400,
                _error(
                    "Invalid 'messages[0].content': string too long. Expected a string "
                    "with maximum length 10485760.",
                    "invalid_request_error",
                    "string_above_max_length",
                ),
            ),
        ),
    ),
    "openrouter": Server(
        too_long=(
            (
                400,
                _error(
                    "This endpoint's maximum context length is 8192 tokens. However, "
                    "you requested about 9160 tokens.",
                    "",
                    400,
                    metadata={"provider_name": None},
                ),
            ),
            (
                200,
                {
                    **_error("maximum context length is 8192 tokens", "", 400),
                    "choices": [
                        {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
                    ],
                },
            ),
            (413, _error("Payload too large", "", 413)),
        ),
        thinking=deltas(
            {"role": "assistant", "content": "", "reasoning": None},
            {
                "content": "",
                "reasoning": THOUGHTS,
                "reasoning_details": [{"type": "reasoning.text", "text": THOUGHTS}],
            },
            {"content": REPLY, "reasoning": None, "reasoning_details": []},
        ),
        only_thoughts=deltas(
            {
                "content": "",
                "reasoning_details": [{"type": "reasoning.text", "text": THOUGHTS}],
            }
        ),
    ),
    "azure": Server(
        too_long=(
            _OPENAI,
            (
                400,
                _error(
                    "Input tokens exceed the configured limit of 272000 tokens. Your "
                    "messages resulted in 280000 tokens.",
                    "invalid_request_error",
                    "context_length_exceeded",
                ),
            ),
        ),
    ),
}


def says(status: int, body: Any) -> Answer:
    """Return an answer that is this error."""

    def answer(call: Call) -> None:
        if status != 200:
            call.json(body, status)
            return
        call.start()
        call.send(body)
        call.done()

    return answer


def streams(choices: tuple[Json, ...], reason: str = "stop") -> Answer:
    """Return an answer that streams these choices, one in each chunk."""

    def answer(call: Call) -> None:
        call.start()
        for choice in choices:
            call.send({"object": "chat.completion.chunk", "choices": [choice]})
        call.finish(reason)

    return answer
