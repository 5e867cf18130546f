"""Talk to the sidecar about training: files, jobs in the shapes of OpenAI, curves.

What it refuses it says in sentences for people, and they are passed on. All else that
goes wrong becomes one of our own errors.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError

from webapp.errors import (
    BackendError,
    BackendOverloaded,
    BackendTimeout,
    Conflict,
    InvalidInput,
    LabError,
    NotFound,
    QuotaExceeded,
)
from webapp.llm.endpoints import LOCAL, load_endpoints
from webapp.llm.training_shapes import (
    Base,
    BaseList,
    Curves,
    Estimate,
    EventList,
    Job,
    JobEvent,
    JobList,
    Report,
    RowList,
    Shipped,
    ShippedList,
    StoredFile,
)
from webapp.settings import Settings

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 2.0
# A page waits for these; reading a file of 50 MB takes longer than anything else.
READ_SECONDS: Final = 10.0
UPLOAD_SECONDS: Final = 60.0
# Counting the tokens of a large file.
REPORT_SECONDS: Final = 120.0
DOWNLOAD_SECONDS: Final = 120.0
SENTENCE_CHARS: Final = 500
AWAY: Final = (
    "The part of Wordkeep that trains models does not answer just now. Nothing is "
    "lost: try again in a moment."
)
NO_SIDECAR: Final = (
    "Training needs the local models, and this site was started without them. Start "
    "it with ./wordkeep up."
)
GARBAGE: Final = (
    "The part of Wordkeep that trains models sent an answer that cannot be read. If "
    "this keeps happening, tell your instructor."
)
# What somebody may do to a run, as the sidecar calls it.
ACTIONS: Final = frozenset({"cancel", "pause", "resume", "keep", "test"})

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way. Close it, or read it to its end."""

    response: httpx2.Response

    @property
    def size(self) -> str | None:
        """Its length in bytes, where it is known."""
        return self.response.headers.get("content-length")

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self.response.iter_bytes(65_536)
        except httpx2.HTTPError as error:
            log.warning("training: a download broke off: %s", type(error).__name__)
            raise
        finally:
            self.response.close()

    def close(self) -> None:
        """Stop reading."""
        self.response.close()


class TrainingClient:
    """The sidecar's files and jobs. Keys and addresses show in no repr."""

    def __init__(
        self,
        base_url: str = "",
        *,
        key: str = "",
        socket: str = "",
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """`base_url` ends with /v1; without one every call says that there is none."""
        self._url = base_url.rstrip("/")
        if transport is None and socket:
            transport = httpx2.HTTPTransport(uds=socket)
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            transport=transport,
            follow_redirects=False,
            # The sidecar is on this machine: no proxy from the environment applies.
            trust_env=False,
            verify=self._url.startswith("https:"),
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def bases(self) -> tuple[Base, ...]:
        """Return the models that training can begin with."""
        return self._get("/fine_tuning/bases", BaseList).data

    def shipped(self) -> tuple[Shipped, ...]:
        """Return the sets of data that come with the program."""
        return self._get("/files/shipped", ShippedList).data

    def upload(self, name: str, content: Any) -> StoredFile:
        """Store a file: bytes, or an open file. Raise InvalidInput if it is no use."""
        files = {"file": (name, content, "application/octet-stream")}
        answer = self._ask(
            "POST",
            "/files",
            files=files,
            data={"purpose": "fine-tune"},
            timeout=UPLOAD_SECONDS,
        )
        return _read(answer, StoredFile)

    def delete_file(self, file_id: str) -> None:
        """Delete a file; one that is gone already is fine."""
        try:
            self._ask("DELETE", f"/files/{_part(file_id)}")
        except NotFound:
            log.info("training: a file was gone before it was deleted")

    def report(
        self,
        file_id: str,
        *,
        model: str,
        data: Mapping[str, Any],
        seed: int,
        rows: int = 5,
    ) -> Report:
        """Return what is in a file; raise InvalidInput that says what is wrong."""
        body = {"model": model, "data": dict(data), "seed": seed, "rows": rows}
        path = f"/files/{_part(file_id)}/report"
        answer = self._ask("POST", path, json=body, timeout=REPORT_SECONDS)
        return _read(answer, Report)

    def estimate(self, job: Mapping[str, Any]) -> Estimate:
        """Return what a job would take; nothing is begun."""
        answer = self._ask("POST", "/fine_tuning/estimate", json=dict(job))
        return _read(answer, Estimate)

    def begin(self, job: Mapping[str, Any]) -> Job:
        """Put a job into the queue."""
        return _read(self._ask("POST", "/fine_tuning/jobs", json=dict(job)), Job)

    def jobs(self, *, user: str, limit: int = 100) -> tuple[Job, ...]:
        """Return the jobs of a user, newest first."""
        params = {"user": user, "limit": limit}
        return self._get("/fine_tuning/jobs", JobList, params=params).data

    def job(self, job_id: str) -> Job:
        """Return a job; raise NotFound."""
        return self._get(f"/fine_tuning/jobs/{_part(job_id)}", Job)

    def act(self, job_id: str, action: str) -> Job | None:
        """Cancel, pause, resume, keep or test; raise Conflict if it is not possible.

        Return the job as it is then, where the answer tells.
        """
        if action not in ACTIONS:
            raise NotFound("There is no such action.")
        answer = self._ask("POST", f"/fine_tuning/jobs/{_part(job_id)}/{action}")
        body = _json(answer)
        is_job = isinstance(body, dict) and body.get("object") == "fine_tuning.job"
        return _read(answer, Job) if is_job else None

    def events(self, job_id: str, *, limit: int = 20) -> tuple[JobEvent, ...]:
        """Return what was told of a job, newest first."""
        path = f"/fine_tuning/jobs/{_part(job_id)}/events"
        return self._get(path, EventList, params={"limit": limit}).data

    def curves(self, job_id: str) -> Curves:
        """Return losses, rates and samples so far."""
        return self._get(f"/fine_tuning/jobs/{_part(job_id)}/curves", Curves)

    def recipe(self, job_id: str) -> str:
        """Return the recipe of a job as YAML."""
        return self._ask("GET", f"/fine_tuning/jobs/{_part(job_id)}/recipe").text

    def rows(
        self, job_id: str, *, part: str, limit: int = 100_000, seed: int = 0
    ) -> RowList:
        """Return rows of a part of a job's data, as they were written for the model.

        `limit` rows at most: of `validation` drawn by `seed`, of `train` the first.
        Raise NotFound if the data is gone.
        """
        path = f"/fine_tuning/jobs/{_part(job_id)}/rows"
        params = {"part": part, "limit": limit, "seed": seed}
        return self._get(path, RowList, params=params, timeout=UPLOAD_SECONDS)

    def content(self, file_id: str, *, most: int) -> bytes:
        """Return a file, or its first `most` bytes; raise NotFound if it is gone."""
        path = f"/files/{_part(file_id)}/content"
        with closing(self._open(path, {})) as download:
            found = b""
            with _faults():
                for piece in download:
                    found += piece
                    if len(found) >= most:
                        break
        return found[:most]

    def download(self, job_id: str, name: str, *, quality: str = "") -> Download:
        """Open a file of a trained model; raise NotFound if it is gone."""
        path = f"/fine_tuning/jobs/{_part(job_id)}/files/{_part(name)}"
        return self._open(path, {"quality": quality} if quality else {})

    def _open(self, path: str, params: Mapping[str, str]) -> Download:
        request = self._request("GET", path, params=params, timeout=DOWNLOAD_SECONDS)
        with _faults():
            response = self._http.send(request, stream=True)
            if response.status_code != 200:
                response.read()
                response.close()
                raise _refusal(response)
        return Download(response)

    def delete_model(self, name: str) -> None:
        """Delete a trained model; one that is gone already is fine."""
        try:
            self._ask("DELETE", f"/models/{_part(name)}")
        except NotFound:
            log.info("training: a model was gone before it was deleted")

    def _get(self, path: str, shape: type[S], **options: Any) -> S:
        return _read(self._ask("GET", path, **options), shape)

    def _ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        request = self._request(method, path, **options)
        with _faults():
            answer = self._http.send(request)
        if answer.status_code >= 300:
            raise _refusal(answer)
        return answer

    def _request(self, method: str, path: str, **options: Any) -> httpx2.Request:
        if not self._url:
            raise BackendError(NO_SIDECAR, code="no_training")
        return self._http.build_request(method, f"{self._url}{path}", **options)


def open_training(settings: Settings, env: Mapping[str, str]) -> TrainingClient:
    """Return the client of the sidecar of an instance; it may be that there is none."""
    found = [e for e in load_endpoints(settings, env) if e.name == LOCAL]
    if not found or found[0].kind != "wordkeep" or found[0].unavailable:
        return TrainingClient()
    endpoint = found[0]
    key = endpoint.key.reveal() if endpoint.key else ""
    return TrainingClient(endpoint.base_url, key=key, socket=endpoint.socket)


def _part(name: str) -> str:
    """Return a name as a part of a path: it leads nowhere else."""
    if name in {"", ".", ".."}:
        raise NotFound("There is nothing of this name.")
    return quote(name, safe="")


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except httpx2.TimeoutException as error:
        log.warning("training: %s", type(error).__name__)
        raise BackendTimeout(AWAY) from None
    except httpx2.HTTPError as error:
        log.warning("training: %s", type(error).__name__)
        raise BackendError(AWAY, code="backend_unreachable") from None


def _json(answer: httpx2.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise BackendError(GARBAGE, code="backend_garbage") from None


def _read(answer: httpx2.Response, shape: type[S]) -> S:
    try:
        return shape.model_validate(_json(answer))
    except ValidationError as error:
        log.warning("training: %s is not as agreed: %s", shape.__name__, error.errors())
        raise BackendError(GARBAGE, code="backend_garbage") from None


def _refusal(answer: httpx2.Response) -> LabError:
    """Return the error of an answer; the words of a refusal are the sidecar's own."""
    status = answer.status_code
    said = _sentence(answer)
    log.info("training: %s %s", status, said[:80])
    match status:
        case 400 | 413 | 415 | 422:
            return InvalidInput(said or "The trainer cannot use this.")
        case 404:
            return NotFound(said or "The trainer does not have this any more.")
        case 409:
            return Conflict(said or "That is not possible just now.")
        case 429:
            wait = answer.headers.get("retry-after", "")
            return QuotaExceeded(
                said or "You have as many runs waiting as one person may have.",
                scope="player/training",
                retry_after=int(wait) if wait.isdigit() else 60,
            )
        case 503:
            return BackendOverloaded(said or AWAY)
        case _:
            return BackendError(AWAY)


def _sentence(answer: httpx2.Response) -> str:
    try:
        error = answer.json()["error"]
        return str(error["message"])[:SENTENCE_CHARS]
    except (ValueError, KeyError, TypeError):
        return ""
