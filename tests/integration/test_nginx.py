"""Behind nginx and over TLS, as README says: alone, and under a prefix."""

from __future__ import annotations

import http.client
import http.cookies
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from tests.kit.browser import TOKEN
from tests.kit.nginx import NAME, NoNginx, nginx_before
from tests.kit.sites import Site, running_site
from webapp.connections import MOST_OF_ONE

LINK = re.compile(r'\b(?:href|action|src|hx-get|hx-post)="([^"]*)"')
SCRIPTS = re.compile(r'\b(?:from|import)\s*\(?"([^"]+)"')


class TlsBrowser:
    """A browser at the proxy, with cookies and no scripts."""

    def __init__(self, port: int, prefix: str) -> None:
        self._port = port
        self.prefix = prefix
        self.cookies: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
        self.token = ""

    def connect(self) -> http.client.HTTPSConnection:
        """Return a connection; the certificate is one of our own."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(
            "127.0.0.1", self._port, context=context, timeout=30
        )

    def headers(self) -> dict[str, str]:
        """Return what goes with every request."""
        jar = "; ".join(f"{m.key}={m.value}" for m in self.cookies.values())
        here = f"https://{NAME}:{self._port}"
        return {"Host": urlsplit(here).netloc, "Origin": here, "Cookie": jar}

    def ask(
        self, method: str, path: str, body: str | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, str]:
        """Send a request as a browser does; return the answer and its text."""
        sent = self.headers() | {k.replace("_", "-"): v for k, v in headers.items()}
        with closing(self.connect()) as connection:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            self.cookies.load(cookie)
        for gone in [m.key for m in self.cookies.values() if not m.value]:
            del self.cookies[gone]
        if found := TOKEN.search(text):
            self.token = found[1]
        return answer, text

    def send(self, path: str, fields: dict[str, str]) -> http.client.HTTPResponse:
        """Send a form."""
        body = urlencode({"csrf_token": self.token, **fields})
        kind = "application/x-www-form-urlencoded"
        return self.ask("POST", path, body, Content_Type=kind)[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a site that is set up for a proxy."""
    env = {"WORDKEEP_TRUSTED_PROXIES": "1", "WORDKEEP_HOSTS": NAME}
    with running_site(tmp_path_factory.mktemp("nginx"), env=env) as site:
        yield site


@pytest.fixture(scope="module", params=["", "/keep", "/lab/keep"])
def browser(request: pytest.FixtureRequest, site: Site) -> Iterator[TlsBrowser]:
    """Return a browser at nginx, with a player in it."""
    prefix = str(request.param)
    try:
        with nginx_before(site.url, prefix=prefix) as port:
            browser = TlsBrowser(port, prefix)
            browser.ask("GET", f"{prefix}/join")
            name = f"Ada of {prefix.strip('/') or 'the top'}".replace("/", " ")
            assert browser.send(f"{prefix}/join", {"name": name}).status == 303
            yield browser
    except NoNginx as why:
        pytest.skip(f"not tested with nginx: {why}")


def test_cookies_are_for_https_only_and_browsers_are_told(browser: TlsBrowser) -> None:
    answer, _ = browser.ask("GET", f"{browser.prefix}/")
    hsts = answer.headers["Strict-Transport-Security"]
    assert hsts == "max-age=2592000"
    morsels = list(browser.cookies.values())
    assert len(morsels) == 1
    assert all(m["secure"] and m["httponly"] for m in morsels)


def test_a_form_works_and_goes_on_to_a_page_under_the_prefix(
    browser: TlsBrowser,
) -> None:
    browser.ask("GET", f"{browser.prefix}/me")
    alias = f"Countess {len(browser.prefix)}"
    answer = browser.send(f"{browser.prefix}/me/alias", {"alias": alias})
    assert answer.status == 303
    location = answer.headers["Location"]
    assert urlsplit(location).path.startswith(f"{browser.prefix}/me")
    answer = browser.send(
        f"{browser.prefix}/preferences",
        {"theme": "dark", "next": f"{browser.prefix}/keep"},
    )
    assert answer.headers["Location"] == f"{browser.prefix}/keep"
    assert browser.cookies["theme"]["secure"]


def test_who_must_sign_in_comes_back_to_the_prefix(browser: TlsBrowser) -> None:
    stranger = TlsBrowser(browser._port, browser.prefix)
    answer, _ = stranger.ask("GET", f"{browser.prefix}/notebook")
    location = urlsplit(answer.headers["Location"])
    assert location.path == f"{browser.prefix}/join"
    assert location.query == urlencode({"next": f"{browser.prefix}/notebook"}, safe="/")


def test_every_link_leads_somewhere_under_the_prefix(browser: TlsBrowser) -> None:
    start = f"{browser.prefix}/"
    seen, waiting = {start}, [start]
    while waiting:
        path = waiting.pop()
        answer, text = browser.ask("GET", path)
        assert answer.status in {200, 204, 303}, path
        for link in _links(answer, path, text):
            assert link.startswith(f"{browser.prefix}/"), (path, link)
            is_form = re.search(r"/(attempts|guesses|hints|reset|logout)\b", link)
            if link not in seen and not is_form and len(seen) < 150:
                seen.add(link)
                if 'method="post" action="' + link not in text:
                    waiting.append(link)
    kinds = {link.rpartition(".")[2] for link in seen}
    assert {"css", "js"} <= kinds
    assert len(seen) > 40


def _links(answer: http.client.HTTPResponse, path: str, text: str) -> Iterator[str]:
    kind = str(answer.headers["Content-Type"])
    found: list[str] = []
    if answer.headers["Location"]:
        found = [answer.headers["Location"]]
    elif kind.startswith("text/html"):
        found = [unescape(link) for link in LINK.findall(text)]
    elif "javascript" in kind:
        found = [link for link in SCRIPTS.findall(text) if link[0] in "./"]
    for link in found:
        parts = urlsplit(urljoin(path, link))
        if not parts.scheme or parts.hostname == NAME:
            yield f"{parts.path}?{parts.query}" if parts.query else parts.path


def test_a_reply_comes_piece_by_piece(browser: TlsBrowser) -> None:
    message = " ".join(f"word{number}" for number in range(12))
    arrived = []
    browser.ask("GET", f"{browser.prefix}/keep/yard-slow")
    with closing(browser.connect()) as connection:
        connection.request(
            "POST",
            f"{browser.prefix}/keep/yard-slow/attempts",
            urlencode({"csrf_token": browser.token, "message": message}),
            browser.headers()
            | {
                "Accept": "text/event-stream",
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        answer = connection.getresponse()
        assert answer.status == 200
        for line in answer:
            if line.startswith(b"event: delta"):
                arrived.append(time.monotonic())
    # Each word takes a tenth of a second; held back, all would come at once.
    assert len(arrived) == 12
    assert arrived[-1] - arrived[0] > 0.6


def test_the_api_names_its_prefix(browser: TlsBrowser) -> None:
    prefix = browser.prefix
    document: Any = json.loads(browser.ask("GET", f"{prefix}/api/v1/openapi.json")[1])
    assert document["servers"] == [{"url": prefix or "/"}]
    page = browser.ask("GET", f"{prefix}/api")[1]
    assert f"https://{NAME}:{browser._port}{prefix}" in page
    told = json.loads(browser.ask("GET", f"{prefix}/api/v1/levels")[1])
    assert f"{prefix}/me." in told["error"]["message"]
    lost = json.loads(browser.ask("GET", f"{prefix}/api/v1/nope")[1])
    assert f"{prefix}/api." in lost["error"]["message"]


def test_headers_of_the_caller_do_not_get_past_the_proxy(browser: TlsBrowser) -> None:
    _, text = browser.ask(
        "GET",
        f"{browser.prefix}/api",
        X_Forwarded_Prefix="/evil",
        X_Forwarded_Host="evil.example",
        X_Forwarded_Proto="http",
        Script_Name="/evil",
    )
    assert "evil" not in text
    assert "http://" + NAME not in text


def test_a_proxy_may_have_as_many_connections_as_it_needs(site: Site) -> None:
    parts = urlsplit(site.url)
    address = (str(parts.hostname), parts.port or 0)
    held = [socket.create_connection(address) for _ in range(MOST_OF_ONE + 20)]
    try:
        for caller in held:
            caller.sendall(
                b"GET /static/css/base.css HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )
        assert {caller.recv(12) for caller in held} == {b"HTTP/1.1 200"}
    finally:
        for caller in held:
            caller.close()


def test_without_a_trusted_proxy_its_headers_are_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running_site(tmp_path_factory.mktemp("direct")) as site:
        host = urlsplit(site.url).netloc
        with closing(http.client.HTTPConnection(host)) as connection:
            connection.request(
                "GET",
                "/api",
                headers={
                    "X-Forwarded-Prefix": "/evil",
                    "X-Forwarded-Host": "evil.example",
                    "X-Forwarded-Proto": "https",
                    "Script-Name": "/evil",
                    "SCRIPT_NAME": "/evil",
                },
            )
            answer = connection.getresponse()
            text = answer.read().decode()
    assert "evil" not in text
    assert "Strict-Transport-Security" not in answer.headers
