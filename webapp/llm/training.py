"""Talk to the sidecar about training: files, jobs in the shapes of OpenAI, curves."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import httpx2

from webapp.errors import BackendError, NotFound
from webapp.llm.sidecar import SidecarClient, path_part
from webapp.llm.training_shapes import (
    Base,
    BaseList,
    Benchmark,
    BenchmarkList,
    Curves,
    Estimate,
    EventList,
    Job,
    JobEvent,
    JobList,
    Judged,
    JudgedList,
    Pushed,
    Report,
    RowList,
    Shipped,
    ShippedList,
    StoredFile,
)
from webapp.settings import Settings

log = logging.getLogger(__name__)

# A page waits for these; reading a file of 50 MB takes longer than anything else.
UPLOAD_SECONDS: Final = 60.0
# Counting the tokens of a large file.
REPORT_SECONDS: Final = 120.0
DOWNLOAD_SECONDS: Final = 120.0
# 300 MB on a slow line.
PUSH_SECONDS: Final = 900.0
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


class TrainingClient(SidecarClient):
    """The sidecar's files and jobs."""

    what = "training"
    missing: ClassVar[BackendError] = BackendError(NO_SIDECAR, code="no_training")
    away = AWAY
    garbage = GARBAGE

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
        return self._read(answer, StoredFile)

    def fetch_file(self, wanted: Mapping[str, Any]) -> StoredFile:
        """Store rows of a data set of the Hugging Face hub.

        Raise InvalidInput that says why not: no such set, or no way to the hub.
        """
        answer = self._ask(
            "POST", "/files/hub", json=dict(wanted), timeout=UPLOAD_SECONDS
        )
        return self._read(answer, StoredFile)

    def delete_file(self, file_id: str) -> None:
        """Delete a file; one that is gone already is fine."""
        try:
            self._ask("DELETE", f"/files/{path_part(file_id)}")
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
        path = f"/files/{path_part(file_id)}/report"
        answer = self._ask("POST", path, json=body, timeout=REPORT_SECONDS)
        return self._read(answer, Report)

    def estimate(self, job: Mapping[str, Any]) -> Estimate:
        """Return what a job would take; nothing is begun."""
        answer = self._ask("POST", "/fine_tuning/estimate", json=dict(job))
        return self._read(answer, Estimate)

    def begin(self, job: Mapping[str, Any]) -> Job:
        """Put a job into the queue."""
        return self._read(self._ask("POST", "/fine_tuning/jobs", json=dict(job)), Job)

    def jobs(self, *, user: str, limit: int = 100) -> tuple[Job, ...]:
        """Return the jobs of a user, newest first."""
        params = {"user": user, "limit": limit}
        return self._get("/fine_tuning/jobs", JobList, params=params).data

    def job(self, job_id: str) -> Job:
        """Return a job; raise NotFound."""
        return self._get(f"/fine_tuning/jobs/{path_part(job_id)}", Job)

    def act(self, job_id: str, action: str) -> Job | None:
        """Cancel, pause, resume, keep or test; raise Conflict if it is not possible.

        Return the job as it is then, where the answer tells.
        """
        if action not in ACTIONS:
            raise NotFound("There is no such action.")
        answer = self._ask("POST", f"/fine_tuning/jobs/{path_part(job_id)}/{action}")
        body = self._json(answer)
        is_job = isinstance(body, dict) and body.get("object") == "fine_tuning.job"
        return self._read(answer, Job) if is_job else None

    def events(self, job_id: str, *, limit: int = 20) -> tuple[JobEvent, ...]:
        """Return what was told of a job, newest first."""
        path = f"/fine_tuning/jobs/{path_part(job_id)}/events"
        return self._get(path, EventList, params={"limit": limit}).data

    def curves(self, job_id: str) -> Curves:
        """Return losses, rates and samples so far."""
        return self._get(f"/fine_tuning/jobs/{path_part(job_id)}/curves", Curves)

    def push(
        self, job_id: str, *, repository: str, token: str, is_private: bool
    ) -> str:
        """Send a trained model to the hub; return its address there.

        The token is for this call alone. Raises InvalidInput in the hub's stead.
        """
        body = {"repository": repository, "token": token, "private": is_private}
        path = f"/fine_tuning/jobs/{path_part(job_id)}/push"
        answer = self._ask("POST", path, json=body, timeout=PUSH_SECONDS)
        return self._read(answer, Pushed).url

    def recipe(self, job_id: str) -> str:
        """Return the recipe of a job as YAML."""
        return self._ask("GET", f"/fine_tuning/jobs/{path_part(job_id)}/recipe").text

    def rows(
        self, job_id: str, *, part: str, limit: int = 100_000, seed: int = 0
    ) -> RowList:
        """Return rows of a part of a job's data, as they were written for the model.

        `limit` rows at most: of `validation` drawn by `seed`, of `train` the first.
        Raise NotFound if the data is gone.
        """
        path = f"/fine_tuning/jobs/{path_part(job_id)}/rows"
        params = {"part": part, "limit": limit, "seed": seed}
        return self._get(path, RowList, params=params, timeout=UPLOAD_SECONDS)

    def judged(self, job_id: str) -> tuple[Judged, ...]:
        """Return what a guard said of held-out messages; raise NotFound if gone."""
        path = f"/fine_tuning/jobs/{path_part(job_id)}/files/judged.json"
        return self._get(path, JudgedList).data

    def benchmarks(self, job_id: str) -> tuple[Benchmark, ...]:
        """Return what benchmarks say of a model; raise NotFound if it is gone."""
        path = f"/fine_tuning/jobs/{path_part(job_id)}/benchmarks"
        return self._get(path, BenchmarkList).data

    def content(self, file_id: str, *, most: int) -> bytes:
        """Return a file, or its first `most` bytes; raise NotFound if it is gone."""
        path = f"/files/{path_part(file_id)}/content"
        with closing(self._open(path, {})) as download:
            found = b""
            with self._faults():
                for piece in download:
                    found += piece
                    if len(found) >= most:
                        break
        return found[:most]

    def download(self, job_id: str, name: str, *, quality: str = "") -> Download:
        """Open a file of a trained model; raise NotFound if it is gone."""
        path = f"/fine_tuning/jobs/{path_part(job_id)}/files/{path_part(name)}"
        return self._open(path, {"quality": quality} if quality else {})

    def _open(self, path: str, params: Mapping[str, str]) -> Download:
        request = self._request("GET", path, params=params, timeout=DOWNLOAD_SECONDS)
        with self._faults():
            response = self._http.send(request, stream=True)
            if response.status_code != 200:
                response.read()
                response.close()
                raise self._refusal(response)
        return Download(response)

    def delete_model(self, name: str) -> None:
        """Delete a trained model; one that is gone already is fine."""
        try:
            self._ask("DELETE", f"/models/{path_part(name)}")
        except NotFound:
            log.info("training: a model was gone before it was deleted")


def open_training(settings: Settings, env: Mapping[str, str]) -> TrainingClient:
    """Return the client of the sidecar of an instance; it may be that there is none."""
    return TrainingClient.of_instance(settings, env)
