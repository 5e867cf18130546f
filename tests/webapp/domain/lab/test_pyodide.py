"""Python for the browser comes whole and unchanged, or not at all."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from webapp.domain.lab import pyodide
from webapp.errors import BackendError, Busy, NotFound
from webapp.settings import Settings


def packed(*names: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    return data.getvalue()


WHOLE = packed(*pyodide.TYPES, "README.md")
PARTS = packed("pyodide.mjs")


def sum_of(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


@pytest.fixture
def place() -> Iterator[str]:
    """Return the address of a server with both files."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = {"/whole": WHOLE, "/parts": PARTS}.get(self.path)
            self.send_response(200 if body else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_fetched_once(settings: Settings, place: str) -> None:
    settings = settings.but(pyodide_url=f"{place}/whole")
    assert not pyodide.is_there(settings)
    pyodide.fetch(settings, integrity=sum_of(WHOLE))
    assert pyodide.is_there(settings)
    assert pyodide.file(settings, "pyodide.asm.wasm").read_text() == "pyodide.asm.wasm"
    folder = pyodide.folder(settings)
    assert {path.name for path in folder.iterdir()} == set(pyodide.TYPES)
    # It is there, so nothing is asked for any more.
    pyodide.fetch(settings.but(pyodide_url=f"{place}/gone"))


@pytest.mark.parametrize(
    ("path", "right", "words"),
    [
        ("/whole", PARTS, "not the file that this site knows"),
        ("/parts", PARTS, "cannot be unpacked"),
        ("/gone", WHOLE, "answered 404"),
    ],
)
def test_nothing_is_kept_of_what_is_not_right(
    settings: Settings, place: str, path: str, right: bytes, words: str
) -> None:
    settings = settings.but(pyodide_url=place + path)
    with pytest.raises(BackendError) as caught:
        pyodide.fetch(settings, integrity=sum_of(right))
    assert words in caught.value.message
    assert "type the result" in caught.value.message
    parent = pyodide.folder(settings).parent
    assert not parent.exists() or not list(parent.iterdir())


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "nonsense"])
def test_being_offline_is_said_plainly(settings: Settings, url: str) -> None:
    with pytest.raises(BackendError, match="offline"):
        pyodide.fetch(settings.but(pyodide_url=url))


def test_a_site_may_fetch_nothing(settings: Settings) -> None:
    with pytest.raises(BackendError, match="WORDKEEP_PYODIDE_URL"):
        pyodide.fetch(settings.but(pyodide_url=""))


def test_one_fetches_at_a_time(settings: Settings) -> None:
    with pyodide._FETCHING, pytest.raises(Busy):
        pyodide.fetch(settings)


@pytest.mark.parametrize("name", ["worker.js", "../wordkeep.db", "pyodide.mjs"])
def test_no_other_file_is_sent(settings: Settings, name: str) -> None:
    with pytest.raises(NotFound):
        pyodide.file(settings, name)
