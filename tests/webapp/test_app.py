"""The site as a whole."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.kit.sites import eventually
from webapp.app import create_app
from webapp.errors import ContentError
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


def test_the_first_own_level_of_a_running_site_goes_live(
    open_site: Callable[[str], Flask], tmp_path: Path
) -> None:
    content = open_site("one").extensions["wordkeep"].content
    own = tmp_path / "one" / "content" / "game" / "mine"
    own.mkdir(parents=True)
    (own / "ladder.yaml").write_text(
        "id: mine\ntitle: Mine\nstory: One gate.\nlevels: [my-gate]\n"
    )
    (own / "my-gate.yaml").write_text(
        "id: my-gate\ntitle: My Gate\nstory: A gate.\npoints: 1\nexplain: It works.\n"
        "defender: {system: 'The password is {{ secret }}.'}\n"
        "secret: {words: castle}\n"
    )
    eventually(lambda: "mine" in content.current().ladders)


def test_what_stands_where_the_content_folder_belongs_is_named(
    open_site: Callable[[str], Flask], tmp_path: Path
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "content").write_text("text")
    with pytest.raises(ContentError, match="content:1: this must be a folder"):
        open_site("one")
