"""The JSON of chat and plain completions, whole and in chunks."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

from finetune.serving.engine.generation import Finish, TextPiece
from finetune.serving.errors import ApiError

Json = dict[str, Any]
DONE = b"data: [DONE]\n\n"
BEAT = b": waiting\n\n"


def sse(body: Json) -> bytes:
    """Return one server-sent event."""
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def sse_error(error: ApiError) -> bytes:
    """Return an error as the last event of a stream."""
    return sse(error.body())


class ChatShape:
    """POST /v1/chat/completions."""

    whole_object = "chat.completion"
    chunk_object = "chat.completion.chunk"
    id_prefix = "chatcmpl-"

    def __init__(self, model: str, alternatives: int | None) -> None:
        self._model = model
        self._alternatives = alternatives
        self._id = self.id_prefix + secrets.token_hex(12)
        self._created = int(time.time())
        head = {
            "id": self._id,
            "object": self.chunk_object,
            "created": self._created,
            "model": model,
        }
        self._head = b"data: " + json.dumps(head).encode()[:-1]

    def queued(self, position: int) -> bytes:
        """Return the chunk that gives the position in the queue."""
        queue = json.dumps({"position": position}).encode()
        return self._head + b',"choices":[],"queue":' + queue + b"}\n\n"

    def started(self) -> bytes:
        """Return the chunk that opens the reply."""
        return self._chunk({"delta": {"role": "assistant", "content": ""}}, None)

    def piece(self, piece: TextPiece) -> bytes:
        """Return a chunk with more text."""
        choice: Json = {"delta": {"content": piece.text}}
        if self._alternatives is not None:
            choice["logprobs"] = {"content": self._entries(piece.logprobs)}
        return self._chunk(choice, None)

    def finish(self, finish: Finish, *, with_usage: bool) -> Iterator[bytes]:
        """Yield the chunks that end a reply."""
        yield self._chunk(self._empty(), finish.reason)
        if with_usage:
            usage = json.dumps(_usage(finish)).encode()
            yield self._head + b',"choices":[],"usage":' + usage + b"}\n\n"
        yield DONE

    def whole(self, pieces: list[TextPiece], finish: Finish) -> Json:
        """Return the whole reply as one body."""
        choice = self._whole_choice(pieces)
        return {
            "id": self._id,
            "object": self.whole_object,
            "created": self._created,
            "model": self._model,
            "choices": [{"index": 0, **choice, "finish_reason": finish.reason}],
            "usage": _usage(finish),
        }

    def _whole_choice(self, pieces: list[TextPiece]) -> Json:
        text = "".join(piece.text for piece in pieces)
        logprobs = None
        if self._alternatives is not None:
            entries = [entry for piece in pieces for entry in piece.logprobs]
            logprobs = {"content": self._entries(entries), "refusal": None}
        message = {"role": "assistant", "content": text, "refusal": None}
        return {"message": message, "logprobs": logprobs}

    def _empty(self) -> Json:
        return {"delta": {}}

    def _chunk(self, choice: Json, reason: str | None) -> bytes:
        # Only the changing part is encoded again: this runs for every chunk.
        body = json.dumps({"index": 0, **choice, "finish_reason": reason})
        return self._head + b',"choices":[' + body.encode() + b"]}\n\n"

    def _entries(self, entries: list[Json]) -> list[Json]:
        return [self._entry(entry) for entry in entries]

    def _entry(self, entry: Json) -> Json:
        listed = entry["top_logprobs"][: self._alternatives]
        return {
            **_alternative(entry),
            "top_logprobs": [_alternative(one) for one in listed],
        }


class CompletionShape(ChatShape):
    """POST /v1/completions, the older shape."""

    whole_object = "text_completion"
    chunk_object = "text_completion"
    id_prefix = "cmpl-"
    _offset = 0

    def started(self) -> bytes:
        """Say only that the stream is alive: this shape has no opening chunk."""
        return BEAT

    def piece(self, piece: TextPiece) -> bytes:
        """Return a chunk with more text."""
        return self._chunk(self._choice(piece.text, piece.logprobs), None)

    def _whole_choice(self, pieces: list[TextPiece]) -> Json:
        text = "".join(piece.text for piece in pieces)
        return self._choice(text, [e for piece in pieces for e in piece.logprobs])

    def _empty(self) -> Json:
        return {"text": "", "logprobs": None}

    def _choice(self, text: str, entries: list[Json]) -> Json:
        if self._alternatives is None:
            return {"text": text, "logprobs": None}
        tokens = self._entries(entries)
        offsets = []
        for token in tokens:
            offsets.append(self._offset)
            self._offset += len(token["token"])
        return {
            "text": text,
            "logprobs": {
                "tokens": [token["token"] for token in tokens],
                "token_logprobs": [token["logprob"] for token in tokens],
                "top_logprobs": [
                    {one["token"]: one["logprob"] for one in token["top_logprobs"]}
                    for token in tokens
                ],
                "text_offset": offsets,
                # As chats list them: with ids and bytes, and each alternative once.
                "content": tokens,
            },
        }


def _alternative(entry: Json) -> Json:
    return {
        "id": entry["id"],
        "token": entry["token"],
        "logprob": entry["logprob"],
        "bytes": entry["bytes"],
    }


def _usage(finish: Finish) -> Json:
    return {
        "prompt_tokens": finish.prompt_tokens,
        "completion_tokens": finish.completion_tokens,
        "total_tokens": finish.prompt_tokens + finish.completion_tokens,
    }
