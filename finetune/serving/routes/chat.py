"""POST /v1/chat/completions and /v1/completions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from finetune.serving.catalogue.catalogue import Catalogue
from finetune.serving.catalogue.loading import ServedEngine
from finetune.serving.catalogue.shelf import Lease
from finetune.serving.engine.beginnings import Shared
from finetune.serving.engine.desk import (
    CallerLeft,
    Desk,
    ReadingPrompt,
    RunningReply,
    Waiting,
)
from finetune.serving.engine.generation import Finish, TextPiece
from finetune.serving.engine.prompts import Prompt
from finetune.serving.errors import (
    ApiError,
    context_overflow,
    crashed,
    engine_failed,
)
from finetune.serving.routes.schemas import (
    ChatPrompt,
    ChatRequest,
    CompletionRequest,
    Sampled,
    TokenizeChatRequest,
    TokenizeRequest,
    clean,
)
from finetune.serving.routes.shapes import BEAT, ChatShape, CompletionShape, sse_error

_SAMPLERS = ["penalties", "top_k", "temperature", "top_p"]
# Each token has at least a byte of text, and texts far over the context need no count.
_CHARS_PER_TOKEN = 64
# The engine takes 32 bits and reads the highest number as "random".
_SEEDS = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has its place in the queue, and the shape of its answer."""

    reply: RunningReply
    shape: ChatShape
    tells_position: bool
    wants_usage: bool

    def stream(self) -> Iterator[bytes]:
        """Yield the answer as server-sent events; errors come as the last event."""
        try:
            for event in self.reply.events():
                match event:
                    case TextPiece():
                        yield self.shape.piece(event)
                    case Waiting() if self.tells_position:
                        yield self.shape.queued(event.position)
                    case ReadingPrompt():
                        yield self.shape.started()
                    case Finish():
                        yield from self.shape.finish(event, with_usage=self.wants_usage)
                    case _:
                        yield BEAT
        except ApiError as error:
            yield sse_error(error)
        except CallerLeft:
            return
        except Exception as error:  # noqa: BLE001 -- border: an answer under way
            yield sse_error(crashed(error))
        finally:
            self.reply.close()

    def whole(self) -> dict[str, Any]:
        """Return the answer as one body; raise CallerLeft when nobody waits for it."""
        pieces = []
        try:
            for event in self.reply.events():
                if isinstance(event, TextPiece):
                    pieces.append(event)
                elif isinstance(event, Finish):
                    return self.shape.whole(pieces, event)
        finally:
            self.reply.close()
        raise engine_failed()


class Chats:
    """Opens chat and completion calls."""

    def __init__(
        self, catalogue: Catalogue, desk: Desk, *, default_tokens: int
    ) -> None:
        self._catalogue = catalogue
        self._desk = desk
        self._default_tokens = default_tokens

    def open_chat(self, body: ChatRequest, is_connected: Callable[[], bool]) -> Call:
        """Check a chat request and put it into the queue."""
        with _until_opened(self._catalogue.chat(body.model)) as lease:
            prompt = chat_prompt(lease.model, body, _borders(body))
            return self._open(lease, body, prompt, ChatShape, is_connected)

    def count(self, body: TokenizeChatRequest) -> dict[str, Any]:
        """Return how many tokens a chat takes, in vLLM's words for it."""
        with self._catalogue.chat(body.model) as served:
            size = len(chat_prompt(served, body).ids)
            return {"count": size, "max_model_len": served.engine.context}

    def split(self, body: TokenizeRequest) -> dict[str, Any]:
        """Return the tokens of a text, in vLLM's words for them.

        Half a character is shown as a replacement mark.
        """
        text = clean(body.prompt)
        with self._catalogue.talker(body.model) as served:
            check_size(served, len(text))
            pieces = served.engine.pieces(
                text, special=body.raw_tokens, start=body.add_special_tokens
            )
            return {
                "count": len(pieces),
                "max_model_len": served.engine.context,
                "tokens": [number for number, _ in pieces],
                "token_strs": [piece.decode(errors="replace") for _, piece in pieces],
            }

    def open_completion(
        self, body: CompletionRequest, is_connected: Callable[[], bool]
    ) -> Call:
        """Check a plain completion request and put it into the queue."""
        with _until_opened(self._catalogue.talker(body.model)) as lease:
            prompt = text_prompt(
                lease.model, body.prompt, body.raw_tokens, _borders(body)
            )
            return self._open(lease, body, prompt, CompletionShape, is_connected)

    def _open(
        self,
        lease: Lease[ServedEngine],
        body: ChatRequest | CompletionRequest,
        prompt: Prompt,
        shape: type[ChatShape],
        is_connected: Callable[[], bool],
    ) -> Call:
        engine = lease.model.engine
        size = len(prompt.ids)
        room = engine.context - size
        if room < 1:
            raise context_overflow(size, engine.context)
        limit = min(room, body.limit() or self._default_tokens)
        reply = self._desk.open(
            engine,
            engine_request(body, prompt.ids, limit),
            stop_words=[clean(word) for word in body.stop_words()],
            user=body.user,
            is_connected=is_connected,
            on_end=lease.release,
            shared=_shared(prompt, body),
        )
        return Call(
            reply=reply,
            shape=shape(body.model, body.probabilities()),
            tells_position=body.queue_events,
            wants_usage=body.wants_usage(),
        )


@contextmanager
def _until_opened(lease: Lease[ServedEngine]) -> Iterator[Lease[ServedEngine]]:
    """Give the model back if no call comes of it; a call gives it back at its end."""
    try:
        yield lease
    except BaseException:
        lease.release()
        raise


def engine_request(
    body: ChatRequest | CompletionRequest, prompt: list[int], limit: int
) -> dict[str, Any]:
    """Return what the engine is asked."""
    alternatives = body.probabilities()
    request: dict[str, Any] = {
        "prompt": prompt,
        "max_tokens": limit,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": body.top_k,
        "min_p": 0,
        "samplers": _SAMPLERS,
        "frequency_penalty": body.frequency_penalty,
        "presence_penalty": body.presence_penalty,
        # What the engine would do unasked may be another thing in its next version.
        "repeat_penalty": 1,
        "dynatemp_range": 0,
        "mirostat": 0,
        "stream": True,
        # Steps of reading the prompt are reported, so that they can be cancelled too.
        "return_progress": True,
        # Else how fast a prompt is read would tell what others have asked. The engine
        # makes an exception for what may be shared.
        "cache_prompt": False,
    }
    if body.seed is not None:
        request["seed"] = body.seed % _SEEDS
    if alternatives is not None:
        request["n_probs"] = max(1, alternatives)
    if grammar := body.grammar():
        request["grammar"] = grammar
    return request


def _borders(body: Sampled) -> tuple[int, int]:
    return body.common, body.public


def _shared(prompt: Prompt, body: Sampled) -> tuple[Shared, Shared]:
    common, public = prompt.before
    return Shared(common), Shared(public, body.cache_salt)


def text_prompt(
    served: ServedEngine,
    prompt: str | list[int],
    raw: bool,
    borders: tuple[int, ...] = (),
) -> Prompt:
    """Return the prompt of a text, or of ids as they are; raise ApiError about them."""
    if isinstance(prompt, list):
        words = served.engine.words
        if max(prompt) >= words:
            raise ApiError(
                f"prompt: this model's token ids end at {words - 1}.", param="prompt"
            )
        return Prompt(prompt, (0,) * len(borders))
    text = clean(prompt)
    check_size(served, len(text))
    return served.prompts.plain(text, raw=raw, borders=borders)


def chat_prompt(
    served: ServedEngine, body: ChatPrompt, borders: tuple[int, ...] = ()
) -> Prompt:
    """Return the prompt of a chat; raise ApiError if it is far too long."""
    turns = [message.turn() for message in body.messages]
    check_size(served, sum(len(turn.content) for turn in turns))
    return served.prompts.chat(
        turns,
        raw=body.raw_tokens,
        continues=body.continue_final_message,
        default_system=body.default_system,
        borders=borders,
    )


def check_size(served: ServedEngine, chars: int) -> None:
    """Refuse what cannot fit, however few tokens its characters take."""
    if chars > served.engine.context * _CHARS_PER_TOKEN:
        raise context_overflow(chars // _CHARS_PER_TOKEN, served.engine.context)
