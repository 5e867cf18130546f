"""The client of the trainer: what goes wrong becomes a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

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
from webapp.llm.training import GARBAGE, NO_SIDECAR, TrainingClient, open_training
from webapp.settings import Settings

Handler = Callable[[httpx2.Request], httpx2.Response]


def client(handler: Handler) -> TrainingClient:
    transport = httpx2.MockTransport(handler)
    return TrainingClient("http://trainer.test/v1", key="k", transport=transport)


def answering(status: int, body: Any = None, **headers: str) -> TrainingClient:
    return client(lambda _: httpx2.Response(status, json=body, headers=headers))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput),
        (413, InvalidInput),
        (404, NotFound),
        (409, Conflict),
        (429, QuotaExceeded),
        (503, BackendOverloaded),
        (500, BackendError),
        (401, BackendError),
    ],
)
def test_each_refusal_is_an_error_of_ours(status: int, kind: type[LabError]) -> None:
    with pytest.raises(LabError) as caught:
        answering(status, {"error": {"message": "Not like this."}}).job("a")
    assert type(caught.value) is kind
    assert caught.value.message.endswith(".")
    is_told = kind is not BackendError
    assert (caught.value.message == "Not like this.") == is_told


def test_a_limit_says_when_to_come_back() -> None:
    body = {"error": {"message": "Three are waiting."}}
    with pytest.raises(QuotaExceeded) as caught:
        answering(429, body, **{"retry-after": "30"}).begin({})
    assert caught.value.retry_after == 30


@pytest.mark.parametrize(
    "body", [[], {"error": "no"}, {"error": {"message": 5}}, "text", None]
)
def test_a_refusal_without_words_still_has_a_sentence(body: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        answering(400, body).job("a")
    assert caught.value.message


@pytest.mark.parametrize(
    "body", [[], {}, {"id": "a"}, {"id": "a", "status": []}, "text"]
)
def test_what_is_not_as_agreed_is_garbage(body: Any) -> None:
    with pytest.raises(BackendError) as caught:
        answering(200, body).job("a")
    assert caught.value.message == GARBAGE


def test_figures_that_are_not_numbers_are_left_out() -> None:
    content = b'{"train": [[1, NaN], [2, 3.5]], "samples": []}'
    found = client(lambda _: httpx2.Response(200, content=content)).curves("a")
    assert found.train == ((1.0, None), (2.0, 3.5))


def test_silence_is_not_the_end() -> None:
    def silent(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("", request=request)

    with pytest.raises(BackendTimeout, match="Nothing is lost"):
        client(silent).job("a")


def test_names_lead_nowhere_else() -> None:
    asked = []

    def note(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.raw_path)
        return httpx2.Response(404, json={})

    for name in ("../../health", "a/b?c=d", "..", ""):
        with pytest.raises(NotFound):
            client(note).job(name)
    assert asked == [
        b"/v1/fine_tuning/jobs/..%2F..%2Fhealth",
        b"/v1/fine_tuning/jobs/a%2Fb%3Fc%3Dd",
    ]


def test_the_key_is_sent_and_shows_nowhere() -> None:
    keys = []

    def note(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers["authorization"])
        return httpx2.Response(200, json={"data": []})

    found = client(note)
    assert found.bases() == ()
    assert keys == ["Bearer k"]
    assert "Bearer" not in repr(found)


def test_deleting_what_is_gone_is_fine() -> None:
    answering(404, {}).delete_file("file-1")
    answering(404, {}).delete_model("soup")


def test_without_a_sidecar_every_call_says_so(settings: Settings) -> None:
    found = open_training(settings, {})
    with pytest.raises(BackendError) as caught:
        found.bases()
    assert caught.value.message == NO_SIDECAR


def test_the_sidecar_of_the_instance_is_found(settings: Settings) -> None:
    given = settings.but(sidecar_url="http://127.0.0.1:1", sidecar_key="k")
    with pytest.raises(BackendError, match="does not answer"):
        open_training(given, {}).bases()
