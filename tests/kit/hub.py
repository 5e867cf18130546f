"""A Hugging Face hub on this machine: models and data sets out of folders."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from huggingface_hub import constants

COMMIT = "0123456789abcdef0123456789abcdef01234567"
Json = dict[str, Any]


@dataclass(slots=True)
class FakeHub:
    """What it serves: `models` are name → folder, `data` are name → rows of a split.

    `about` is what is told of a name beside its files; `asked` is what was asked for.
    """

    url: str = ""
    models: dict[str, Path] = field(default_factory=dict)
    data: dict[str, list[Json]] = field(default_factory=dict)
    about: dict[str, Json] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_broken: bool = False
    # Whose a token is, and what was sent: repository → file → bytes, and who sees it.
    tokens: dict[str, str] = field(default_factory=dict)
    sent: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)

    def env(self) -> dict[str, str]:
        """Return what makes a process ask here."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
        }

    def use(self, patch: pytest.MonkeyPatch) -> None:
        """Make this process ask here."""
        patch.setattr(constants, "ENDPOINT", self.url)
        template = self.url + "/{repo_id}/resolve/{revision}/{filename}"
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr(constants, "HF_HUB_OFFLINE", False)


@contextmanager
def running_hub() -> Iterator[FakeHub]:
    """Serve models and data sets that are put into it."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            owner = hub.tokens.get(self.headers.get("Authorization", "")[7:], "")
            path = unquote(urlsplit(self.path).path).removeprefix("/api/")
            if hub.is_broken:
                self._send(503, b"")
            elif path == "validate-yaml":
                self._json({"warnings": [], "errors": []})
            elif not owner:
                self._json({"error": "Invalid username or password."}, 401)
            elif path == "repos/create":
                self._create(owner, json.loads(body))
            else:
                self._commit(path.removeprefix("models/"), body)

        def _create(self, owner: str, asked: Json) -> None:
            if asked.get("organization", owner) != owner:
                self._json({"error": "You have no right to do this."}, 403)
                return
            name = f"{owner}/{asked['name']}"
            hub.sent.setdefault(name, {})
            # Newer clients say it in a word.
            is_private = asked.get("private") or asked.get("visibility") == "private"
            hub.private.setdefault(name, bool(is_private))
            self._json({"url": f"{hub.url}/{name}", "id": name, "name": name})

        def _commit(self, path: str, body: bytes) -> None:
            repository, _, action = path.removesuffix("/main").rpartition("/")
            if action == "preupload":
                files = json.loads(body)["files"]
                self._json({"files": [
                    {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for f in files
                ]})  # fmt: skip
                return
            for line in body.splitlines():
                told = json.loads(line)
                if told["key"] == "file":
                    value = told["value"]
                    content = base64.b64decode(value["content"])
                    hub.sent[repository][value["path"]] = content
            self._json({
                "commitUrl": f"{hub.url}/{repository}/commit/{COMMIT}",
                "commitOid": COMMIT,
                "success": True,
            })  # fmt: skip

        def log_message(self, *_: Any) -> None:
            pass

        def _answer(self) -> None:
            address = urlsplit(self.path)
            path, query = unquote(address.path), parse_qs(address.query)
            hub.asked.append(path)
            if hub.is_broken:
                self._send(503, b"")
            elif path in ("", "/"):
                self._send(200, b"a hub")
            elif path in ("/rows", "/splits"):
                self._rows(path, {name: found[0] for name, found in query.items()})
            elif path.startswith("/api/"):
                self._api(path.removeprefix("/api/"))
            else:
                self._file(path)

        def _api(self, path: str) -> None:
            kind, owner, name = (*path.split("/"), "", "")[:3]
            repository = f"{owner}/{name}"
            rest = path.removeprefix(f"{kind}/{repository}")
            if kind == "datasets" and repository in hub.data:
                self._json({"id": repository, "sha": COMMIT, "siblings": [],
                            **hub.about.get(repository, {})})  # fmt: skip
                return
            folder = hub.models.get(repository)
            if kind != "models" or folder is None:
                self._missing("RepoNotFound")
                return
            files = sorted(p for p in folder.rglob("*") if p.is_file())
            if rest.startswith("/tree/"):
                self._json(
                    [
                        {
                            "type": "file",
                            "path": str(p.relative_to(folder)),
                            "size": p.stat().st_size,
                            "oid": _digest(p),
                        }
                        for p in files
                    ]
                )
                return
            told: Json = {"id": repository, "modelId": repository, "sha": COMMIT,
                          "private": False, "gated": False, "tags": []}  # fmt: skip
            told["siblings"] = [
                {"rfilename": str(p.relative_to(folder)), "size": p.stat().st_size}
                for p in files
            ]
            self._json(told | hub.about.get(repository, {}))

        def _file(self, path: str) -> None:
            _, owner, name, resolve, _, *inside = (*path.split("/"), "", "", "", "")
            folder = hub.models.get(f"{owner}/{name}")
            if folder is None or resolve != "resolve":
                self._missing("RepoNotFound")
                return
            file = folder / "/".join(part for part in inside if part)
            if not file.is_file():
                self._missing("EntryNotFound")
                return
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{_digest(file)}"'}
            self._send(200, file.read_bytes(), headers)

        def _rows(self, path: str, query: dict[str, str]) -> None:
            name = query.get("dataset", "")
            if name not in hub.data:
                self._json({"error": "The dataset does not exist."}, 404)
                return
            if path == "/splits":
                self._json({"splits": [
                    {"dataset": name, "config": "plain", "split": "train"},
                    {"dataset": name, "config": "plain", "split": "test"},
                ]})  # fmt: skip
                return
            start, count = int(query["offset"]), int(query["length"])
            if (query["config"], query["split"]) != ("plain", "train") or count > 100:
                self._json({"error": "There is no such part."}, 404)
                return
            rows = hub.data[name]
            self._json({
                "features": [],
                "rows": [
                    {"row_idx": number, "row": row, "truncated_cells": []}
                    for number, row in enumerate(rows)
                ][start : start + count],
                "num_rows_total": len(rows),
            })  # fmt: skip

        def _json(self, value: Any, status: int = 200) -> None:
            kind = {"Content-Type": "application/json"}
            self._send(status, json.dumps(value).encode(), kind)

        def _missing(self, code: str) -> None:
            self._send(404, b"", {"X-Error-Code": code})

        def _send(
            self, status: int, body: bytes, headers: dict[str, str] | None = None
        ) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _digest(path: Path) -> str:
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
