"""POST /v1/embeddings and /v1/moderations."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finetune.guards.judge import (
    MOST_TOKENS,
    Case,
    EarlierTurn,
    Judgement,
    TextTooLong,
)
from finetune.serving.catalogue.catalogue import Catalogue
from finetune.serving.errors import ApiError, text_too_long
from finetune.serving.routes.schemas import EmbeddingsRequest, ModerationsRequest, clean
from finetune.settings import Settings

Json = dict[str, Any]


def embeddings(
    body: EmbeddingsRequest, catalogue: Catalogue, settings: Settings
) -> Json:
    """Answer an embeddings call."""
    with catalogue.embedder(body.model) as served:
        texts = _texts(body.input, settings)
        embedder = served.embedder
        sizes = embedder.count_tokens(texts)
        if max(sizes) > embedder.longest:
            raise text_too_long(max(sizes), embedder.longest)
        vectors = embedder.embed(texts)
        tokens = sum(sizes)
    if body.dimensions not in (None, vectors.shape[1]):
        raise ApiError(
            f"{body.model} always gives {vectors.shape[1]} dimensions.",
            param="dimensions",
        )
    encode = _base64 if body.encoding_format == "base64" else _floats
    return {
        "object": "list",
        "model": body.model,
        "data": [
            {"object": "embedding", "index": index, "embedding": encode(vector)}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def moderations(
    body: ModerationsRequest, catalogue: Catalogue, settings: Settings
) -> Json:
    """Answer a moderations call with one result for each text."""
    name = body.model or catalogue.usual_guard("message")
    with catalogue.judge(name) as served:
        texts = _texts(body.input, settings)
        try:
            results = [_result(served.judge.judge(_case(body, text))) for text in texts]
        except TextTooLong as error:
            raise text_too_long(error.tokens, MOST_TOKENS) from None
        version = served.judge.version
    return {
        "id": f"modr-{secrets.token_hex(12)}",
        "model": name,
        "version": version,
        "results": results,
    }


def _case(body: ModerationsRequest, text: str) -> Case:
    return Case(
        text,
        secret=None if body.secret is None else clean(body.secret),
        question=clean(body.question),
        earlier=tuple(
            EarlierTurn(clean(e.question), clean(e.reply)) for e in body.earlier
        ),
        as_typed=body.as_typed,
        first_tokens=body.first_tokens,
        highlights=body.highlights,
    )


def _result(judgement: Judgement) -> Json:
    result: Json = {
        "flagged": judgement.flagged,
        "categories": {
            name: score >= judgement.threshold
            for name, score in judgement.scores.items()
        },
        "category_scores": judgement.scores,
        "score": judgement.score,
        "threshold": judgement.threshold,
    }
    if judgement.highlights:
        result["highlights"] = [part._asdict() for part in judgement.highlights]
    return result


def _texts(given: str | list[str], settings: Settings) -> list[str]:
    texts = [clean(text) for text in ([given] if isinstance(given, str) else given)]
    if not 1 <= len(texts) <= settings.batch_inputs:
        raise ApiError(
            f"input must hold 1 to {settings.batch_inputs} texts.", param="input"
        )
    if max(len(text) for text in texts) > settings.input_chars:
        raise ApiError(
            f"A text in input is longer than {settings.input_chars} characters.",
            code="string_above_max_length",
            param="input",
        )
    return texts


def _floats(vector: NDArray[np.float32]) -> list[float]:
    return [float(number) for number in vector]


def _base64(vector: NDArray[np.float32]) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
