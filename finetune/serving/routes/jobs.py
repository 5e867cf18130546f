"""/v1/fine_tuning: trainings, from the estimate to the model."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify, request, send_file

from finetune.jobs.asking import recipe_yaml
from finetune.jobs.errors import NoSuch
from finetune.jobs.guard_jobs import refuse_guard
from finetune.jobs.parts import PARTS
from finetune.jobs.states import Action
from finetune.jobs.telling import event_objects
from finetune.serving.errors import ApiError
from finetune.serving.routes.bodies import json_body
from finetune.serving.routes.schemas import parse
from finetune.serving.routes.training import trainings
from finetune.serving.routes.training_schemas import JobRequest, PushRequest
from finetune.weights.pushing import Target

Json = dict[str, Any]

_USUAL_LIMIT, _MOST_LIMIT = 20, 1000
_MOST_ROWS, _MOST_SEED = 100_000, 2**31 - 1
_ACCEPTED = 202
_ORDERS: Final = ("asc", "desc")

jobs = Blueprint("jobs", __name__, url_prefix="/fine_tuning")


@jobs.get("/bases")
def list_bases() -> Response:
    """List what one can start from."""
    return jsonify({"object": "list", "data": trainings().bases()})


@jobs.get("/bases/<path:name>")
def get_base(name: str) -> Response:
    """Describe one of them, or a model of the Hugging Face hub: owner/name."""
    return jsonify(trainings().base(name))


@jobs.post("/estimate")
def estimate() -> Response:
    """Foretell what a training would take; nothing is kept."""
    body = parse(JobRequest, json_body())
    found = trainings().estimate(body.model, body.training_file, body.asked())
    return jsonify(found.told())


@jobs.post("/jobs")
def create() -> Response:
    """Put a training into the queue."""
    body = parse(JobRequest, json_body())
    job = trainings().create(
        body.model,
        body.training_file,
        body.asked(),
        user=body.user,
        taken=set(current_app.extensions["sidecar"].catalogue.entries()),
        said=body.said(),
    )
    return jsonify(trainings().told(job))


@jobs.get("/jobs")
def list_jobs() -> Response:
    """List trainings, the newest first."""
    found, has_more = trainings().learning.jobs.page(
        limit=_limit(),
        after=request.args.get("after", ""),
        user=request.args.get("user"),
    )
    return jsonify(_page(trainings().told_all(found), has_more=has_more))


@jobs.get("/jobs/<job_id>")
def get_job(job_id: str) -> Response:
    """Describe a training."""
    return jsonify(trainings().told(trainings().learning.jobs.get(job_id)))


@jobs.get("/jobs/<job_id>/events")
def list_events(job_id: str) -> Response:
    """List what a training told: the newest first, unless `order` is asc."""
    job = trainings().learning.jobs.get(job_id)
    found = event_objects(job, trainings().log(job))
    order = request.args.get("order", "desc")
    if order not in _ORDERS:
        raise ApiError("order must be asc or desc.", param="order")
    if order == "desc":
        found.reverse()
    if after := request.args.get("after", ""):
        places = [n for n, event in enumerate(found) if event["id"] == after]
        if not places:
            raise NoSuch(f"There is no event {after[:60]!r}.", param="after")
        found = found[places[0] + 1 :]
    limit = _limit()
    return jsonify(_page(found[:limit], has_more=len(found) > limit))


@jobs.get("/jobs/<job_id>/curves")
def get_curves(job_id: str) -> Response:
    """Return the points of its charts, at most 500 of each."""
    job = trainings().learning.jobs.get(job_id)
    return jsonify(trainings().log(job).curves())


@jobs.get("/jobs/<job_id>/rows")
def list_rows(job_id: str) -> Response:
    """Return rows of the part that was learned from, or that it was checked by.

    The test part stays locked. `seed` draws which rows of `validation` come.
    """
    part = request.args.get("part", "validation")
    if part not in PARTS:
        raise ApiError(f"part must be {' or '.join(PARTS)}.", param="part")
    found, has_more = trainings().rows(
        job_id,
        part,
        limit=_number("limit", 1, _USUAL_LIMIT, _MOST_ROWS),
        draw=_number("seed", 0, 0, _MOST_SEED),
    )
    return jsonify({"object": "list", "data": found, "has_more": has_more})


@jobs.get("/jobs/<job_id>/recipe")
def get_recipe(job_id: str) -> Response:
    """Return the recipe as YAML, for `./wordkeep train` beside the data file."""
    job = trainings().learning.jobs.get(job_id)
    refuse_guard(job, "recipe of its own")
    text = recipe_yaml(job.recipe, filename=job.recipe["data"]["path"])
    return Response(text, mimetype="application/yaml")


@jobs.get("/jobs/<job_id>/benchmarks")
def list_benchmarks(job_id: str) -> Response:
    """Return what `tasks` has found out about the model of a training."""
    return jsonify({"object": "list", "data": trainings().benchmarks(job_id)})


@jobs.get("/jobs/<job_id>/files/<name>")
def get_result(job_id: str, name: str) -> Response:
    """Return a file of a finished model; `quality` chooses among sizes of the GGUF."""
    path = trainings().result(job_id, name, quality=request.args.get("quality", ""))
    return send_file(
        path.absolute(),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=f"{trainings().learning.jobs.get(job_id).name}-{name}",
        conditional=True,
    )


@jobs.post("/jobs/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """End a training; what it learned stays, to go on from."""
    return _ask(job_id, "cancel")


@jobs.post("/jobs/<job_id>/pause")
def pause(job_id: str) -> Response:
    """Let others train; it waits for `resume`."""
    return _ask(job_id, "pause")


@jobs.post("/jobs/<job_id>/resume")
def resume(job_id: str) -> Response:
    """Put a training back into the queue, to go on from its checkpoint."""
    return _ask(job_id, "resume")


@jobs.post("/jobs/<job_id>/keep")
def keep(job_id: str) -> Response:
    """End the learning, and make a model of what was learned."""
    return _ask(job_id, "keep")


@jobs.post("/jobs/<job_id>/push")
def push(job_id: str) -> Response:
    """Send a finished model to the hub with the caller's token, held for this call."""
    body = parse(PushRequest, json_body())
    target = Target(body.repository, body.token, is_private=body.private)
    return jsonify({"url": trainings().push(job_id, target)})


@jobs.post("/jobs/<job_id>/test")
def test(job_id: str) -> tuple[Response, int]:
    """Judge the model on its locked part, once; the figures come into the job."""
    return _ask(job_id, "test"), _ACCEPTED


def _ask(job_id: str, action: Action) -> Response:
    return jsonify(trainings().told(trainings().ask(job_id, action)))


def _page(data: list[Json], *, has_more: bool) -> Json:
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": has_more,
    }


def _limit() -> int:
    return _number("limit", 1, _USUAL_LIMIT, _MOST_LIMIT)


def _number(name: str, least: int, usual: int, most: int) -> int:
    given = request.args.get(name, str(usual))
    is_number = given.isascii() and given.isdigit() and len(given) <= len(str(most))
    if not (is_number and least <= int(given) <= most):
        raise ApiError(
            f"{name} must be a whole number from {least} to {most}.", param=name
        )
    return int(given)
