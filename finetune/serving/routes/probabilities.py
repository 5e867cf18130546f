"""POST /v1/next_token, /v1/score and /v1/render."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from finetune.serving.catalogue.catalogue import Catalogue
from finetune.serving.catalogue.loading import ServedEngine
from finetune.serving.engine.chances import (
    Cut,
    Drawn,
    Given,
    Likely,
    Looker,
    Outlook,
    Unwanted,
    Word,
)
from finetune.serving.engine.copies import Engine
from finetune.serving.engine.desk import CallerLeft, Desk
from finetune.serving.engine.loopback import EngineError
from finetune.serving.errors import (
    ApiError,
    context_overflow,
    engine_failed,
    stopping,
)
from finetune.serving.routes.chat import chat_prompt, check_size, text_prompt
from finetune.serving.routes.probability_schemas import (
    NextTokenRequest,
    RenderRequest,
    ScoreRequest,
)

# One turn scores so many tokens: each is a step of the engine, as in a reply.
SCORED = 256
# The engine tells nothing of parts of characters, so that all tokens are listed then.
_PART_STEPS = 8
_OTHERS = 8
# How the engine writes what is no whole character.
_HALF = "\ufffd"
_SEEDS = 2**32

Json = dict[str, Any]


class Probabilities:
    """Answers questions about what a model expects."""

    def __init__(self, catalogue: Catalogue, desk: Desk) -> None:
        self._catalogue = catalogue
        self._desk = desk

    def next_token(
        self, body: NextTokenRequest, is_connected: Callable[[], bool]
    ) -> Json:
        """Draw some tokens if asked to, and return all that may come then."""
        chat = body.chat()
        find = self._catalogue.talker if chat is None else self._catalogue.chat
        with find(body.model) as served:
            if chat is None:
                ids = text_prompt(served, body.text(), body.raw_tokens).ids
            else:
                ids = chat_prompt(served, chat).ids
            engine = served.engine
            if len(ids) + body.draw >= engine.context:
                raise context_overflow(len(ids) + body.draw, engine.context)
            cut = Cut(body.temperature, body.top_p, body.top_k)
            seed = (
                secrets.randbelow(_SEEDS) if body.seed is None else body.seed % _SEEDS
            )
            with self._looker(engine, body.user, is_connected) as looker:
                looker.read(ids)
                drawn = list(
                    looker.draw(ids, cut, tokens=body.draw, seed=seed, listed=_OTHERS)
                )
                ahead = [one.likely.word.id for one in drawn]
                has_ended = bool(drawn) and drawn[-1].likely.word.is_special
                outlook = (
                    None if has_ended else looker.outlook([*ids, *ahead], cut, body.top)
                )
        return {
            "prompt_ids": ids,
            "seed": seed,
            "drawn": [_drawn(one) for one in drawn],
            "finish_reason": "stop" if has_ended else "length",
            **_outlook(outlook),
        }

    def score(self, body: ScoreRequest, is_connected: Callable[[], bool]) -> Json:
        """Return how likely each token of a text was."""
        with self._catalogue.talker(body.model) as served:
            first, ids = _given(served, body)
            with self._looker(served.engine, body.user, is_connected) as looker:
                looker.read(ids[:1])
                scored = list(looker.given(first, ids, body.top))
        return _scored(scored)

    def render(self, body: RenderRequest) -> Json:
        """Return a chat as the model reads it."""
        turns = [message.turn() for message in body.messages]
        with self._catalogue.chat(body.model) as served:
            check_size(served, sum(len(turn.content) for turn in turns))
            engine, pieces = served.engine, []
            parts = served.prompts.parts(
                turns,
                raw=body.raw_tokens,
                continues=body.continue_final_message,
                default_system=body.default_system,
            )
            for number, part in enumerate(parts):
                pieces += [
                    Word(
                        token,
                        data.decode(errors="replace"),
                        data,
                        part.has_control and engine.is_control(token),
                    )
                    for token, data in engine.pieces(
                        part.text, special=part.has_control, start=number == 0
                    )
                ]
            return {
                "text": "".join(part.text for part in parts),
                "ids": [word.id for word in pieces],
                "pieces": [_word(word) for word in pieces],
                "count": len(pieces),
                "max_model_len": engine.context,
            }

    @contextmanager
    def _looker(
        self, engine: Engine, user: str, is_connected: Callable[[], bool]
    ) -> Iterator[Looker]:
        """Lend a slot for one turn; raise CallerLeft or ApiError."""

        def is_wanted() -> bool:
            return is_connected() and not self._desk.is_stopping

        try:
            with (
                self._desk.turn(user=user, is_connected=is_connected),
                engine.stepping() as steps,
            ):
                yield Looker(engine, steps, is_wanted)
        except Unwanted:
            raise stopping() if self._desk.is_stopping else CallerLeft from None
        except EngineError:
            raise engine_failed() from None


def _given(served: ServedEngine, body: ScoreRequest) -> tuple[Word, list[int]]:
    """Return the tokens of a text, the first one in full.

    Raises ApiError if it is too long for one turn.
    """
    engine = served.engine
    ids = text_prompt(served, body.text(), body.raw_tokens).ids
    if len(ids) < 2:
        raise ApiError(
            "Send at least two tokens: nothing comes before the first one.",
            code="text_too_short",
            param="prompt",
        )
    if len(ids) >= engine.context:
        raise context_overflow(len(ids), engine.context)
    if len(ids) > SCORED:
        raise _too_many(len(ids))
    names = [engine.name_of(token) for token in ids]
    parts = sum(_HALF in name for name in names)
    if len(ids) + parts * (_PART_STEPS - 1) > SCORED:
        raise _too_many(len(ids), parts)
    is_special = engine.is_control(ids[0])
    data = b"" if is_special else names[0].encode()
    return Word(ids[0], names[0], data, is_special), ids


def _too_many(tokens: int, parts: int = 0) -> ApiError:
    counted = f", and {parts} of them are parts of characters, which take longer"
    return ApiError(
        f"This text has {tokens} tokens{counted if parts else ''}. At most {SCORED} are"
        " read at once. Send a shorter part of it.",
        code="text_too_long",
        param="prompt",
    )


def _scored(scored: Sequence[Given]) -> Json:
    """Return the tokens of a text, and what they come to together."""
    known = [one for one in scored if one.logprob is not None]
    bits = -sum(one.logprob or 0.0 for one in known) / math.log(2)
    size = sum(len(one.word.bytes) for one in known if not one.word.is_special)
    return {
        "tokens": [
            {
                **_word(one.word),
                "logprob": one.logprob,
                "rank": one.rank,
                "top": [{**_word(w), "logprob": chance} for w, chance in one.top],
            }
            for one in scored
        ],
        "bits": bits,
        "bits_per_byte": bits / size if size else None,
        "perplexity": 2 ** (bits / len(known)),
    }


def _outlook(outlook: Outlook | None) -> Json:
    """Return what may come next; nothing does where the reply has ended."""
    if outlook is None:
        return {"tokens": [], "rest": None, "entropy": None}
    rest = {
        "count": outlook.rest,
        "p": outlook.rest_p,
        "shaped": outlook.rest_shaped,
    }
    tokens = [_likely(one) for one in outlook.likely]
    return {"tokens": tokens, "rest": rest, "entropy": outlook.entropy}


def _drawn(drawn: Drawn) -> Json:
    others = [_likely(one) for one in drawn.others]
    return {**_likely(drawn.likely), "rank": drawn.rank, "top": others}


def _likely(one: Likely) -> Json:
    return {
        **_word(one.word),
        "p": one.p,
        "shaped": one.shaped,
        "is_kept": one.shaped > 0,
    }


def _word(word: Word) -> Json:
    return {
        "id": word.id,
        "text": word.text,
        "bytes": list(word.bytes),
        "is_special": word.is_special,
    }
