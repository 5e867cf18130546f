"""Addresses, names and forms as they come, from people and from programs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.kit.browser import Browser, text_of
from webapp.app import create_app
from webapp.errors import ContentError
from webapp.settings import Settings, load_settings

MUCH = [(f"field{number}", "x") for number in range(20_000)]


def _addresses(app: Flask) -> list[str]:
    samples = {"level_id": "open", "n": "1", "attempt_id": "1", "name": "gate"}
    samples |= {"ladder_id": "keep", "class_id": "1", "player_id": "1"}
    samples |= {"track": "basics", "slug": "next-word", "panel": "next"}
    samples |= {"run_id": "1", "piece_id": "1", "data_id": "1", "file": "card.md"}
    samples |= {"plan": "45", "season": "1"}
    samples |= {"comparison_id": "1", "sweep_id": "1", "trial_id": "1"}
    samples |= {"digest": "0" * 64}
    samples |= {"what": "progress"}
    samples |= {"tree_id": "1", "chat_id": "1", "matrix_id": "1"}
    samples |= {"document_id": "1", "question_id": "1"}
    samples |= {"kind": "level"}
    samples |= {"tokenizer_id": "0123456789abcdef"}
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or "GET" not in (rule.methods or ()):
            continue
        path = rule.rule
        for part, sample in samples.items():
            for kind in ("", "int:", "path:"):
                path = path.replace(f"<{kind}{part}>", sample)
        assert "<" not in path, path
        if path != "/":
            found.append(path)
    return found


def test_an_address_may_have_a_slash_at_its_end(player: Browser) -> None:
    addresses = _addresses(player.app)
    assert len(addresses) > 15
    for path in addresses:
        plain, slashed = player.get(path), player.get(f"{path}/")
        assert slashed.status_code == plain.status_code, path
        assert slashed.mimetype == plain.mimetype, path


def test_a_form_and_a_call_may_be_sent_to_one_too(player: Browser) -> None:
    assert player.post("/me/alias/", {"alias": "Countess"}).status_code == 303
    api = player.app.test_client(use_cookies=False)
    assert api.post("/api/v1/players/", json={"name": "Bob"}).status_code == 201


@pytest.mark.parametrize("path", ["/join", "/login", "/me/alias", "/nope"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart"])
def test_a_form_with_too_many_fields_gets_a_small_page(
    player: Browser, path: str, kind: str
) -> None:
    content_type = f"{kind}/form-data" if kind == "multipart" else kind
    fields = MUCH[:1_000] if kind == "multipart" else MUCH
    answer = player.client.post(path, data=MultiDict(fields), content_type=content_type)
    assert answer.status_code == (404 if path == "/nope" else 413)
    assert len(answer.data) < 10_000
    assert b"field7" not in answer.data


def test_a_form_with_as_many_fields_as_ours_have_is_read(browser: Browser) -> None:
    browser.get("/join")
    more = {f"more{number}": "x" for number in range(90)}
    assert browser.post("/join", {"name": "Ada", **more}).status_code == 303


@pytest.fixture
def named(
    settings: Settings, migrated_file: Path
) -> Iterator[Callable[[str], Callable[[str, str], TestResponse]]]:
    """Return what asks a site with some names for a page, under a name."""
    shutil.copyfile(migrated_file, settings.instance / "wordkeep.db")
    apps = []

    def build(hosts: str) -> Callable[[str, str], TestResponse]:
        app = create_app(settings.but(hosts=hosts))
        apps.append(app)

        def ask(path: str, host: str) -> TestResponse:
            return app.test_client().get(path, headers={"Host": host})

        return ask

    yield build
    for app in apps:
        app.extensions["wordkeep"].db.dispose()
        app.extensions["wordkeep"].boot.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("keep.school.example", 200),
        ("KEEP.school.example:8443", 200),
        ("a.lab.example", 200),
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:8000", 200),
        ("elsewhere.example", 421),
        ("keep.school.example.elsewhere.example", 421),
        ("192.0.2.1", 421),
        ("keep.school.example, elsewhere.example", 421),
    ],
)
def test_only_its_own_names_are_answered(
    named: Callable[[str], Callable[[str, str], TestResponse]], host: str, status: int
) -> None:
    ask = named("keep.school.example, .lab.example")
    page = ask("/", host)
    assert page.status_code == status
    if status == 421:
        # Neither a form nor a cookie, which would be for another site.
        assert page.mimetype == "text/plain"
        assert "Set-Cookie" not in page.headers
        assert "WORDKEEP_HOSTS" in page.text
        for path in ("/api/v1/openapi.json", "/health"):
            error = ask(path, host).get_json()["error"]
            assert error["code"] == "wrong_host"


def test_without_names_any_is_answered(
    named: Callable[[str], Callable[[str, str], TestResponse]],
) -> None:
    assert named("")("/", "whatever.lan").status_code == 200


@pytest.mark.parametrize("given", ["http://x", "a b", "x:80", "a,,*", "/"])
def test_a_name_that_is_none_is_one_sentence(given: str) -> None:
    with pytest.raises(ContentError, match="WORDKEEP_HOSTS cannot be used: “"):
        load_settings({"WORDKEEP_HOSTS": given})


def test_all_addresses_of_a_network_share_a_limit(browser: Browser) -> None:
    browser.limit(sign_ups_per_hour=2)
    calls = browser.app.test_client(use_cookies=False)
    statuses = [
        calls.post(
            "/api/v1/players",
            json={"name": f"Player {number}"},
            environ_base={"REMOTE_ADDR": address},
        ).status_code
        for number, address in enumerate(
            ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:3", "2001:db8:0:1::1"]
        )
    ]
    assert statuses == [201, 201, 429, 201]


def test_the_page_of_the_api_lives_at_a_slash_too(browser: Browser) -> None:
    assert "GET /levels" in text_of(browser.get("/api/").text).replace("/api/v1", "")
