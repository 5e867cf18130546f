"""/v1/files: what trainings learn from."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request, send_file

from finetune.data.shipped import SETS
from finetune.jobs.errors import NotNow
from finetune.jobs.files import SHIPPED, KeptFile
from finetune.serving.errors import ApiError
from finetune.serving.routes.bodies import json_body
from finetune.serving.routes.schemas import parse
from finetune.serving.routes.training import trainings
from finetune.serving.routes.training_schemas import HubDataRequest, ReportRequest

Json = dict[str, Any]

_PURPOSE: Final = "fine-tune"
# What a form has around its file.
_AROUND_BYTES: Final = 100_000
_TOO_LARGE: Final = 413
_MOST_READ_AWAY: Final = 1_000_000_000

files = Blueprint("files", __name__, url_prefix="/files")


@files.post("")
def upload() -> Response:
    """Keep a file."""
    most = trainings().learning.settings.file_bytes
    if (request.content_length or 0) > most + _AROUND_BYTES:
        _read_away()
        raise _too_large(most)
    request.max_content_length = most + _AROUND_BYTES
    sent = request.files.get("file")
    if sent is None:
        raise ApiError(
            "Send the file as the part `file` of a form (multipart/form-data).",
            param="file",
        )
    purpose = request.form.get("purpose", _PURPOSE)
    if purpose != _PURPOSE:
        raise ApiError(
            f"Files are only for training here: purpose must be {_PURPOSE}.",
            param="purpose",
        )
    size = sent.stream.seek(0, 2)
    sent.stream.seek(0)
    if size > most:
        raise _too_large(most)
    if not size:
        raise ApiError("The file is empty: choose one with some text.", param="file")
    kept = trainings().learning.files.add(
        sent.stream, filename=sent.filename or "", purpose=purpose
    )
    return jsonify(_file(kept))


@files.get("")
def list_files() -> Response:
    """List what was uploaded, the newest first."""
    found = trainings().learning.files.all()
    return jsonify(
        {"object": "list", "data": [_file(kept) for kept in found], "has_more": False}
    )


@files.get("/shipped")
def list_shipped() -> Response:
    """List the sets that are here already."""
    data = [
        {
            "id": f"{SHIPPED}{name}",
            "title": found.title,
            "about": found.about,
            "licence": found.licence,
            "columns": list(found.columns),
            "text": found.text,
            "answer": found.answer,
            "is_chat": found.is_chat,
            "rows": found.rows,
        }
        for name, found in SETS.items()
    ]
    return jsonify({"object": "list", "data": data})


@files.post("/hub")
def fetch_from_hub() -> Response:
    """Keep the first rows of a data set of the Hugging Face hub as a file."""
    body = parse(HubDataRequest, json_body())
    learning = trainings().learning
    kept = learning.hub_data.fetch(
        learning.files,
        name=body.name,
        subset=body.subset,
        split=body.split,
        rows=body.rows,
    )
    return jsonify(_file(kept))


@files.get("/<file_id>")
def get_file(file_id: str) -> Response:
    """Describe a file."""
    learning = trainings().learning
    if not file_id.startswith(SHIPPED):
        return jsonify(_file(learning.files.get(file_id)))
    path = learning.data_path(file_id)
    size = path.stat().st_size
    kept = KeptFile(file_id, learning.filename(file_id), size, 0, _PURPOSE)
    return jsonify(_file(kept))


@files.get("/<file_id>/content")
def read_file(file_id: str) -> Response:
    """Return a file as it was sent: to be saved, and never shown as a page."""
    learning = trainings().learning
    return send_file(
        learning.data_path(file_id),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=learning.filename(file_id),
    )


@files.delete("/<file_id>")
def delete_file(file_id: str) -> Response:
    """Delete a file that no training needs."""
    learning = trainings().learning
    learning.files.get(file_id)
    if learning.jobs.uses(file_id):
        raise NotNow(
            "A training that is not over learns from this file. Cancel it first, or"
            " wait until it is over."
        )
    learning.files.remove(file_id)
    return jsonify({"id": file_id, "object": "file", "deleted": True})


@files.post("/<file_id>/report")
def report(file_id: str) -> Response:
    """Show some rows, how they are written, and what is to be known of them all."""
    body = parse(ReportRequest, json_body())
    return jsonify(
        trainings().report(
            file_id, model=body.model, data=body.data, seed=body.seed, rows=body.rows
        )
    )


def _file(kept: KeptFile) -> Json:
    return {"object": "file", "status": "processed", **asdict(kept)}


def _too_large(most: int) -> ApiError:
    return ApiError(
        f"The file is too large: at most {most / 1e6:.0f} MB are taken. Send a part of"
        " it.",
        status=_TOO_LARGE,
        code="file_too_large",
        param="file",
    )


def _read_away() -> None:
    """Read what is sent and keep nothing: most callers send all before they listen."""
    stream, left = request.environ["wsgi.input"], request.content_length or 0
    left = min(left, _MOST_READ_AWAY)
    while left > 0 and (chunk := stream.read(min(left, 1 << 20))):
        left -= len(chunk)
