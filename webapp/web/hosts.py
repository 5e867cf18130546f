"""Under which names the site may be asked for."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, g, request
from werkzeug.sansio.utils import host_is_trusted

from webapp.errors import LabError
from webapp.web.context import services, services_of
from webapp.web.reading import parts_of

# So is this computer asked by those who run it, and by what watches it.
_HERE = ("localhost", "127.0.0.1", "[::1]")
ELSEWHERE = (
    "This site is not known under the name that your browser asked for. If it should "
    "be, tell whoever runs it: WORDKEEP_HOSTS lists the names."
)


class WrongHost(LabError):
    """A name that is none of the site's. The answer is bare: no form, no cookie."""

    status = 421
    code = "wrong_host"


def init_app(app: Flask) -> None:
    """Look at the name before anything else happens."""
    if services_of(app).settings.host_names:
        app.before_request(check)


def check() -> None:
    """Raise WrongHost for a request under a name that is none of the site's."""
    settings = services().settings
    if not _is_among(request.host, (*settings.host_names, *_HERE, settings.host)):
        g.is_quiet = True
        raise WrongHost(ELSEWHERE)


def _is_among(host: str, names: Iterable[str]) -> bool:
    if not host_is_trusted(host):
        return False
    asked = parts_of(f"//{host}").hostname or ""
    return any(
        asked.endswith(name) if name.startswith(".") else asked == name.strip("[]")
        for name in names
    )
