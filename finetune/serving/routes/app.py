"""The sidecar's HTTP application."""

from __future__ import annotations

import hmac
import select
import socket
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from finetune.errors import FinetuneError
from finetune.serving.catalogue.catalogue import Catalogue
from finetune.serving.catalogue.tokenizers import Tokenizers
from finetune.serving.engine.desk import CallerLeft, Desk
from finetune.serving.errors import ApiError, crashed, wrong_key
from finetune.serving.routes.bodies import json_body
from finetune.serving.routes.chat import Call, Chats
from finetune.serving.routes.files import files
from finetune.serving.routes.jobs import jobs
from finetune.serving.routes.probabilities import Probabilities
from finetune.serving.routes.probability_schemas import (
    NextTokenRequest,
    RenderRequest,
    ScoreRequest,
)
from finetune.serving.routes.schemas import (
    ChatRequest,
    CompletionRequest,
    EmbeddingsRequest,
    ModerationsRequest,
    TokenizeChatRequest,
    TokenizeRequest,
    parse,
)
from finetune.serving.routes.tokenizers import tokenizers
from finetune.serving.routes.training import of_training, open_trainings
from finetune.serving.routes.vectors import embeddings, moderations
from finetune.settings import Settings

# What a server answers when the caller has hung up; nobody reads it.
_CALLER_LEFT = 499
_TOO_LARGE = 413

v1 = Blueprint("v1", __name__, url_prefix="/v1")
v1.register_blueprint(files)
v1.register_blueprint(jobs)
v1.register_blueprint(tokenizers)


class Sidecar:
    """What the requests share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalogue = Catalogue(settings)
        self.desk = Desk(slots=settings.slots, waiting=settings.waiting)
        self.chats = Chats(
            self.catalogue, self.desk, default_tokens=settings.default_tokens
        )
        self.probabilities = Probabilities(self.catalogue, self.desk)
        self.trainings = open_trainings(settings, self.catalogue)
        self.tokenizers = Tokenizers(self.catalogue, settings.instance)

    def problems(self) -> list[str]:
        """Return what is wrong with models or the depot, a sentence each."""
        away = self.trainings.following.problem
        return [*self.catalogue.problems(), *([away] if away else [])]

    def stop(self) -> None:
        """End politely; returns when nothing runs any more."""
        self.desk.stop(self.settings.stop_seconds)


def create_app(settings: Settings) -> Flask:
    """Build the application and start loading models."""
    app = Flask("finetune")
    app.config["MAX_CONTENT_LENGTH"] = settings.body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]
    sidecar = Sidecar(settings)
    app.extensions["sidecar"] = sidecar
    app.extensions["trainings"] = sidecar.trainings
    app.extensions["tokenizers"] = sidecar.tokenizers
    app.register_blueprint(v1)
    app.add_url_rule("/health", view_func=health)
    app.register_error_handler(ApiError, _answer_api_error)
    app.register_error_handler(FinetuneError, _answer_own_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(CallerLeft, _answer_caller_left)
    app.register_error_handler(Exception, _answer_crash)
    sidecar.catalogue.start()
    sidecar.trainings.following.start()
    return app


def health() -> tuple[Response, int]:
    """Say how far the models are. Needs no key and shows nothing about requests.

    A key that is given must be right: so callers can tell that this is their sidecar.
    """
    if "Authorization" in request.headers:
        check_key()
    sidecar = _sidecar()
    catalogue = sidecar.catalogue
    engine = catalogue.state("chat", "base")
    status = {"loading": "starting", "ready": "ok", "failed": "failed"}[engine]
    if sidecar.desk.is_stopping:
        status = "stopping"
    used, budget = catalogue.memory()
    body = {
        "status": status,
        "engine": engine,
        "embeddings": catalogue.state("embedding"),
        "guards": catalogue.state("guard"),
        "models": catalogue.names("chat"),
        "memory_bytes": used,
        "memory_limit_bytes": budget,
        "slots": sidecar.settings.slots,
        "running": sidecar.desk.queue.running,
        "waiting": sidecar.desk.queue.waiting,
        "problems": sidecar.problems(),
    }
    return jsonify(body), 200 if status == "ok" else 503


@v1.before_request
def check_key() -> None:
    """Refuse calls without the bearer key."""
    key = _sidecar().settings.key
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if key and not hmac.compare_digest(given.encode(), key.encode()):
        raise wrong_key()


@v1.get("/models")
def list_models() -> Response:
    """List everything that can be named as `model`, and what is wrong with the rest."""
    data = [_model(name) for name in _sidecar().catalogue.entries()]
    problems = _sidecar().problems()
    return jsonify({"object": "list", "data": data, "problems": problems})


@v1.get("/models/<path:name>")
def get_model(name: str) -> Response:
    """Describe one model; its version is read from the weights if need be."""
    return jsonify(_model(name, compute=True))


@v1.delete("/models/<name>")
def delete_model(name: str) -> Response:
    """Delete a model that was trained here; others are not ours to delete."""
    _sidecar().trainings.delete_model(name)
    return jsonify({"id": name, "object": "model", "deleted": True})


@v1.post("/chat/completions")
def chat() -> Response:
    """Reply to a chat."""
    body = parse(ChatRequest, json_body())
    call = _sidecar().chats.open_chat(body, _caller_watch())
    return _answer(call, is_stream=body.stream)


@v1.post("/completions")
def complete() -> Response:
    """Continue a text."""
    body = parse(CompletionRequest, json_body())
    call = _sidecar().chats.open_completion(body, _caller_watch())
    return _answer(call, is_stream=body.stream)


@v1.post("/tokenize")
def tokenize() -> Response:
    """Count the tokens of a chat, or show those of a text."""
    chats, sent = _sidecar().chats, json_body()
    if "prompt" in sent:
        return jsonify(chats.split(parse(TokenizeRequest, sent)))
    return jsonify(chats.count(parse(TokenizeChatRequest, sent)))


@v1.post("/next_token")
def next_token() -> Response:
    """List what may come next, from the whole vocabulary."""
    body = parse(NextTokenRequest, json_body())
    return jsonify(_sidecar().probabilities.next_token(body, _caller_watch()))


@v1.post("/score")
def score() -> Response:
    """Say how likely each token of a text is."""
    body = parse(ScoreRequest, json_body())
    return jsonify(_sidecar().probabilities.score(body, _caller_watch()))


@v1.post("/render")
def render() -> Response:
    """Show a chat as the model reads it."""
    body = parse(RenderRequest, json_body())
    return jsonify(_sidecar().probabilities.render(body))


@v1.post("/embeddings")
def embed() -> Response:
    """Turn texts into vectors."""
    sidecar = _sidecar()
    body = parse(EmbeddingsRequest, json_body())
    return jsonify(embeddings(body, sidecar.catalogue, sidecar.settings))


@v1.post("/moderations")
def moderate() -> Response:
    """Judge texts with a guard model."""
    sidecar = _sidecar()
    body = parse(ModerationsRequest, json_body())
    return jsonify(moderations(body, sidecar.catalogue, sidecar.settings))


def _answer(call: Call, *, is_stream: bool) -> Response:
    if not is_stream:
        return jsonify(call.whole())
    response = Response(call.stream(), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    # A stream that never begins runs no `finally` of its own.
    response.call_on_close(call.reply.close)
    return response


def _sidecar() -> Sidecar:
    sidecar: Sidecar = current_app.extensions["sidecar"]
    return sidecar


def _model(name: str, *, compute: bool = False) -> dict[str, Any]:
    told = _sidecar().catalogue.describe(name, compute=compute)
    head = {"id": name, "object": "model", "created": 0, "owned_by": "wordkeep"}
    return head | told


def _caller_watch() -> Callable[[], bool]:
    """Return a function that says whether the caller is still connected.

    Looking at the socket notices a hang-up without writing to it, even while a whole
    reply is being prepared.
    """
    line = request.environ.get("gunicorn.socket")
    if not isinstance(line, socket.socket):
        return lambda: True

    def is_connected() -> bool:
        try:
            readable, _, _ = select.select([line], [], [], 0)
            return not readable or bool(line.recv(1, socket.MSG_PEEK))
        except (OSError, ValueError):
            return False

    return is_connected


def _answer_api_error(error: ApiError) -> tuple[Response, int]:
    response = jsonify(error.body())
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response, error.status


def _answer_own_error(error: FinetuneError) -> tuple[Response, int]:
    return _answer_api_error(of_training(error))


def _answer_http_error(error: HTTPException) -> tuple[Response, int]:
    status = error.code or 500
    kind = "invalid_request_error" if status < 500 else "server_error"
    message = error.description or error.name
    if status == _TOO_LARGE:
        most = request.max_content_length
        message = f"The request is too large: at most {most} bytes are read."
    return _answer_api_error(ApiError(message, status=status, kind=kind))


def _answer_caller_left(error: CallerLeft) -> tuple[str, int]:
    return "", _CALLER_LEFT


def _answer_crash(error: Exception) -> tuple[Response, int]:
    return _answer_api_error(crashed(error))
