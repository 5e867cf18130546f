"""What all clients of the sidecar share, beside its calls in the shapes of OpenAI.

What the sidecar refuses it says in sentences for people, and they are passed on. All
else that goes wrong becomes one of our own errors.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Final, Self, TypeVar
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
from webapp.settings import Settings

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 10.0
SENTENCE_CHARS: Final = 500

S = TypeVar("S", bound=BaseModel)


class SidecarClient:
    """A part of the sidecar. Keys and addresses show in no repr.

    Subclasses say what is told where no sidecar is, where it does not answer, and
    where nobody can read what it says.
    """

    what: ClassVar[str]
    missing: ClassVar[BackendError]
    away: ClassVar[str]
    garbage: ClassVar[str]

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

    @classmethod
    def of_instance(cls, settings: Settings, env: Mapping[str, str]) -> Self:
        """Return the client of an instance; it may be that there is no sidecar."""
        found = [e for e in load_endpoints(settings, env) if e.name == LOCAL]
        if not found or found[0].kind != "wordkeep" or found[0].unavailable:
            return cls()
        endpoint = found[0]
        key = endpoint.key.reveal() if endpoint.key else ""
        return cls(endpoint.base_url, key=key, socket=endpoint.socket)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _get(self, path: str, shape: type[S], **options: Any) -> S:
        return self._read(self._ask("GET", path, **options), shape)

    def _ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        request = self._request(method, path, **options)
        with self._faults():
            answer = self._http.send(request)
        if answer.status_code >= 300:
            raise self._refusal(answer)
        return answer

    def _request(self, method: str, path: str, **options: Any) -> httpx2.Request:
        if not self._url:
            raise BackendError(self.missing.message, code=self.missing.code)
        return self._http.build_request(method, f"{self._url}{path}", **options)

    def _json(self, answer: httpx2.Response) -> Any:
        try:
            return answer.json()
        except ValueError:
            raise BackendError(self.garbage, code="backend_garbage") from None

    def _read(self, answer: httpx2.Response, shape: type[S]) -> S:
        try:
            return shape.model_validate(self._json(answer))
        except ValidationError as error:
            told = error.errors(include_input=False)
            log.warning("%s: %s is not as agreed: %s", self.what, shape.__name__, told)
            raise BackendError(self.garbage, code="backend_garbage") from None

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except httpx2.TimeoutException as error:
            log.warning("%s: %s", self.what, type(error).__name__)
            raise BackendTimeout(self.away) from None
        except httpx2.HTTPError as error:
            log.warning("%s: %s", self.what, type(error).__name__)
            raise BackendError(self.away, code="backend_unreachable") from None

    def _refusal(self, answer: httpx2.Response) -> LabError:
        """Return the error of an answer; the words of a refusal are the sidecar's."""
        status = answer.status_code
        said = _sentence(answer)
        log.info("%s: %s %s", self.what, status, said[:80])
        match status:
            case 400 | 413 | 415 | 422:
                return InvalidInput(said or "The sidecar cannot use this.")
            case 404:
                return NotFound(said or "The sidecar does not have this any more.")
            case 409:
                return Conflict(said or "That is not possible just now.")
            case 429:
                wait = answer.headers.get("retry-after", "")
                return QuotaExceeded(
                    said or "You have as many runs waiting as one person may have.",
                    scope=f"player/{self.what}",
                    retry_after=int(wait) if wait.isdigit() else 60,
                )
            case 503:
                return BackendOverloaded(said or self.away)
            case _:
                return BackendError(self.away)


def path_part(name: str) -> str:
    """Return a name as a part of a path: it leads nowhere else."""
    if name in {"", ".", ".."}:
        raise NotFound("There is nothing of this name.")
    return quote(name, safe="")


def _sentence(answer: httpx2.Response) -> str:
    try:
        error = answer.json()["error"]
        return str(error["message"])[:SENTENCE_CHARS]
    except (ValueError, KeyError, TypeError):
        return ""
