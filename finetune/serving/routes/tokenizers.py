"""/v1/tokenizers: what texts become before a model reads them. No model is asked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint, Response, current_app, jsonify
from pydantic import Field

from finetune.data.cutting.alphabet import token_bytes
from finetune.data.cutting.cutters import Cutter, Fitted, Fitting, Known, Piece, pad_all
from finetune.data.cutting.learning import merges_of, steps
from finetune.serving.catalogue.tokenizers import Learned, Tokenizers
from finetune.serving.errors import ApiError
from finetune.serving.routes.bodies import json_body
from finetune.serving.routes.fields import Body
from finetune.serving.routes.schemas import clean, parse

Json = dict[str, Any]
Name = Annotated[str, Field(min_length=1, max_length=200)]

_MOST_CHARACTERS = 20_000
_MOST_SENTENCE = 500
_MOST_TRAINING_BYTES = 200_000

tokenizers = Blueprint("tokenizers", __name__, url_prefix="/tokenizers")


class EncodeRequest(Body):
    """Body of POST /v1/tokenizers/encode."""

    tokenizers: list[Name] = Field(min_length=1, max_length=4)
    text: str = Field(max_length=_MOST_CHARACTERS)
    marks: bool = False


class DecodeRequest(Body):
    """Body of POST /v1/tokenizers/decode."""

    tokenizer: Name
    ids: list[Annotated[int, Field(ge=0, lt=2**31)]] = Field(
        max_length=_MOST_CHARACTERS
    )


class BatchRequest(Body):
    """Body of POST /v1/tokenizers/batch."""

    tokenizer: Name
    texts: list[Annotated[str, Field(max_length=_MOST_CHARACTERS)]] = Field(
        min_length=1, max_length=64
    )
    marks: bool = True
    padding: Literal["", "left", "right"] = "right"
    truncation: Literal["", "left", "right"] = "right"
    longest: int = Field(16, ge=1, le=4096)


class TrainRequest(Body):
    """Body of POST /v1/tokenizers/train."""

    text: str = Field(min_length=1)
    vocabulary: int = Field(ge=300, le=4000)
    against: Name


class StepsRequest(Body):
    """Body of POST /v1/tokenizers/learned/ID/steps."""

    text: str = Field(max_length=_MOST_SENTENCE)


@tokenizers.get("")
def index() -> Response:
    """List the tokenizers; learned ones are known only to who has their id."""
    data = [
        {"id": name, "object": "tokenizer", "origin": origin}
        for name, origin in _all().names().items()
    ]
    return jsonify({"object": "list", "data": data})


@tokenizers.post("/encode")
def encode() -> Response:
    """Cut one text with several tokenizers."""
    body = parse(EncodeRequest, json_body())
    text = clean(body.text)
    data = [
        _cut(name, _all().open(name), text, marks=body.marks)
        for name in body.tokenizers
    ]
    return jsonify({"object": "list", "data": data})


@tokenizers.post("/decode")
def decode() -> Response:
    """Read numbers with a tokenizer, right or wrong."""
    body = parse(DecodeRequest, json_body())
    text, known = _all().open(body.tokenizer).join(body.ids)
    return jsonify({"text": text, "pieces": [_known(one) for one in known]})


@tokenizers.post("/batch")
def batch() -> Response:
    """Make texts equally long, as a model reads several at once."""
    body = parse(BatchRequest, json_body())
    cutter = _all().open(body.tokenizer)
    fitting = Fitting(body.padding, body.truncation, body.longest)
    rows = [cutter.fit(clean(t), fitting, marks=body.marks) for t in body.texts]
    if body.padding and cutter.pad is not None:
        rows = pad_all(rows, fitting, cutter.pad)
    pad = None if cutter.pad is None else _known(cutter.pad)
    return jsonify({"rows": [_row(row) for row in rows], "pad": pad})


@tokenizers.post("/train")
def train() -> Response:
    """Learn a tokenizer from a text and keep it."""
    body = parse(TrainRequest, json_body())
    text = clean(body.text)
    size = len(text.encode())
    if size > _MOST_TRAINING_BYTES:
        raise ApiError(
            f"The text has {size:,} bytes, and at most {_MOST_TRAINING_BYTES:,} are"
            " read: shorten it.",
            param="text",
        )
    learned = _all().learn(text, body.vocabulary, against=body.against)
    return jsonify(_learned(learned))


@tokenizers.get("/learned/<id>")
def show(id: str) -> Response:
    """Show what was learned."""
    return jsonify(_learned(_all().learned(id)))


@tokenizers.get("/learned/<id>/tokenizer.json")
def file(id: str) -> Response:
    """Return a learned tokenizer as a file that `tokenizers` and others read."""
    learned = _all().learned(id)
    return Response(learned.tokenizer.to_str(pretty=True), mimetype="application/json")


@tokenizers.post("/learned/<id>/steps")
def step(id: str) -> Response:
    """Merge a text step by step."""
    body = parse(StepsRequest, json_body())
    found = steps(_all().learned(id).tokenizer, clean(body.text))
    data = [
        {"merge": one.merge, "tokens": [token.hex() for token in one.tokens]}
        for one in found
    ]
    return jsonify({"object": "list", "data": data})


def _all() -> Tokenizers:
    found: Tokenizers = current_app.extensions["tokenizers"]
    return found


def _cut(name: str, cutter: Cutter, text: str, *, marks: bool) -> Json:
    return {
        "tokenizer": name,
        "is_exact": cutter.is_exact,
        "size": cutter.size,
        "marks": list(cutter.marks),
        "pieces": [_piece(piece) for piece in cutter.cut(text, marks=marks)],
    }


def _piece(piece: Piece) -> Json:
    return {
        "id": piece.id,
        "name": piece.name,
        "start": piece.start,
        "end": piece.end,
        "is_mark": piece.is_mark,
    }


def _known(known: Known) -> Json:
    return {
        "id": known.id,
        "name": known.name,
        "content": known.content.hex(),
        "is_mark": known.is_mark,
    }


def _row(row: Fitted) -> Json:
    return {
        "pieces": [_known(one) for one in row.pieces],
        "mask": list(row.mask),
        "lost": row.lost,
    }


def _learned(learned: Learned) -> Json:
    merges = [
        [token_bytes(left).hex(), token_bytes(right).hex()]
        for left, right in merges_of(learned.tokenizer)
    ]
    size = learned.tokenizer.get_vocab_size()
    return {"id": learned.id, "size": size, "merges": merges, **learned.about}
