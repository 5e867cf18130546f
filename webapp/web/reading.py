"""How requests are read: whatever was sent, what nobody can read is not there."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any, Final
from urllib.parse import SplitResult, urlsplit

from flask import Request
from werkzeug.datastructures import Authorization
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

# More than any form of the site has.
FIELDS: Final = 100


def parts_of(address: str) -> SplitResult:
    """Return the parts of an address; one that cannot be read is all path."""
    try:
        parts = urlsplit(address)
        # It is read when it is asked for, and not before.
        _ = parts.port
    except ValueError:
        return SplitResult("", "", address, "", "")
    return parts


def _can_be_host(name: str) -> bool:
    try:
        # As the routes will: it refuses empty parts and those over 63 characters.
        name.encode("idna")
    except UnicodeError:
        return False
    return bool(parts_of(f"//{name}").netloc)


def _prefix(given: str) -> str:
    """Return the path under which a proxy serves the site; empty if it is none."""
    path = given.rstrip("/")
    is_path = path.startswith("/") and not path.startswith("//")
    return path if is_path and parts_of(path).path == path else ""


class _FewFields(FormDataParser):
    """Refuses a form with more fields before it takes it apart; each has a name."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Any:
        """Return stream, fields and files; raise RequestEntityTooLarge."""
        if mimetype == "application/x-www-form-urlencoded":
            body = stream.read()
            if body.count(b"&") >= FIELDS:
                raise RequestEntityTooLarge
            stream = BytesIO(body)
        rest, fields, files = super().parse(stream, mimetype, content_length, options)
        # A part of a multipart form may come without one.
        named = ((name, text) for name, text in fields.items(multi=True) if name)
        return rest, self.cls(named), files


class SiteRequest(Request):
    """A request to the site."""

    form_data_parser_class = _FewFields
    max_form_parts = FIELDS

    def __init__(self, environ: dict[str, Any], *rest: Any, **options: Any) -> None:
        # Routes and links are made from all three, and would break on some values.
        if not _can_be_host(environ.get("HTTP_HOST", "localhost")):
            environ["HTTP_HOST"] = ""
        if environ["wsgi.url_scheme"] != "https":
            environ["wsgi.url_scheme"] = "http"
        environ["SCRIPT_NAME"] = _prefix(environ.get("SCRIPT_NAME", ""))
        super().__init__(environ, *rest, **options)

    @property
    def authorization(self) -> Authorization | None:
        """Who the caller claims to be; None if that cannot be read."""
        try:
            return super().authorization
        except ValueError:
            return None
