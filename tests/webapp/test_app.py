"""The site as a whole."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from webapp.app import create_app
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.settings import Settings


@pytest.fixture
def open_site(
    settings: Settings, migrated_file: Path, tmp_path: Path
) -> Iterator[Callable[[str], Flask]]:
    """Return what opens the site of an instance, by the name of its folder."""
    opened: list[Flask] = []

    def open_one(name: str) -> Flask:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        if not (folder / "wordkeep.db").exists():
            shutil.copyfile(migrated_file, folder / "wordkeep.db")
        app = create_app(
            settings.but(instance=folder), gateway=Gateway.scripted(ScriptedBackend())
        )
        opened.append(app)
        return app

    yield open_one
    for app in opened:
        app.extensions["wordkeep"].db.dispose()
        app.extensions["wordkeep"].boot.close()


def test_two_instances_on_one_host_keep_their_visitors(
    open_site: Callable[[str], Flask],
) -> None:
    one, other = (open_site(name) for name in ("one", "other"))
    jar: dict[str, str] = {}
    for app in (one, other):
        visit(app, jar, "/join")
        answer = visit(app, jar, "/join", name="Ada")
        assert answer == 303
    assert [visit(app, jar, "/me") for app in (one, other)] == [200, 200]


def test_an_instance_knows_its_visitors_after_a_restart(
    open_site: Callable[[str], Flask],
) -> None:
    jar: dict[str, str] = {}
    visit(open_site("one"), jar, "/join")
    visit(open_site("one"), jar, "/join", name="Ada")
    assert visit(open_site("one"), jar, "/me") == 200


def visit(app: Flask, jar: dict[str, str], path: str, **form: str) -> int:
    """Ask a site with the cookies of one host, as a browser does for all its ports.

    The token of the page that was opened last is kept in the jar, too.
    """
    client = app.test_client(use_cookies=False)
    cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
    if form:
        form["csrf_token"] = jar["page"]
        answer = client.post(path, data=form, headers={"Cookie": cookie})
    else:
        answer = client.get(path, headers={"Cookie": cookie})
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        jar.update({"page": found[1]} if found else {})
    for header in answer.headers.getlist("Set-Cookie"):
        name, _, value = header.partition(";")[0].partition("=")
        jar[name] = value
    return answer.status_code
