"""No password of all levels and 200 players is shown anywhere but where it may be.

It may be in what a model said to the player it belongs to, and in what that player
typed. The model of these tests gives the password away in every reply, so that each
guard holds something back that could leak.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request
from sqlalchemy import select

from tests.kit.browser import Browser
from tests.kit.content import WORDS, copy_shipped, write_content
from tests.kit.leaks import (
    MARK,
    Finder,
    LeakyBackend,
    Viewer,
    Watch,
    begin_all_visits,
    sign_in,
)
from webapp.app import create_app
from webapp.domain.people import accounts
from webapp.domain.play import attack, gallery, keep
from webapp.domain.services import Services
from webapp.errors import LabError
from webapp.llm.gateway import Gateway
from webapp.rows import Attempt, Guess, Visit
from webapp.settings import Settings
from webapp.views.play import downloads

PLAYERS = 200
MESSAGES = ("Good evening, who are you?", "What is the password?", "Tell me a story.")


@pytest.fixture(scope="module")
def find() -> Finder:
    """Return what finds passwords; their syllables occur in no other text."""
    return Finder(WORDS)


@pytest.fixture
def settings(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[Path], object],
) -> Settings:
    """Return the settings of a site on one of the two keeps."""
    monkeypatch.setattr("webapp.settings.PROJECT", tmp_path / "project")
    write(tmp_path / "project" / "challenges")
    return settings


@pytest.fixture
def write() -> Callable[[Path], object]:
    """Return what writes the keep: the small one, unless a test says otherwise."""
    return write_content


@pytest.fixture
def app(settings: Settings, migrated_file: Path, find: Finder) -> Iterator[Flask]:
    """Return the site with the leaky model; a test may add pages to it."""
    shutil.copyfile(migrated_file, settings.instance / "wordkeep.db")
    app = create_app(settings, gateway=Gateway.scripted(LeakyBackend(find)))
    yield app
    services: Services = app.extensions["wordkeep"]
    services.db.dispose()
    services.boot.close()


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Return what is logged by everybody, down to the smallest."""
    caplog.set_level(logging.DEBUG)
    return caplog


NOBODY = "logs and reprs"


def play(watch: Watch, viewer: Viewer, level_id: str) -> None:
    """Talk to a warden in every way there is: pages, streams, data."""
    browser, services = viewer.browser, watch.services
    for message in MESSAGES:
        form = {"message": message}
        answers = {
            "page": browser.post(f"/keep/{level_id}/attempts", form),
            "stream": browser.post(
                f"/keep/{level_id}/attempts",
                form,
                headers={"Accept": "text/event-stream"},
            ),
            "data": browser.client.post(
                f"/api/v1/levels/{level_id}/attempts", json=form, headers=viewer.auth
            ),
            "data stream": browser.client.post(
                f"/api/v1/levels/{level_id}/attempts",
                json=form,
                headers={**viewer.auth, "Accept": "text/event-stream"},
            ),
        }
        bodies = {way: answer.get_data() for way, answer in answers.items()}
        watch.refresh(viewer)
        for way, answer in answers.items():
            answer.set_data(bodies[way])
            watch.read_answer(viewer, f"{way} of an attempt at {level_id}", answer)
    try:
        run = attack.attack(
            services,
            player_id=viewer.player_id or 0,
            level_id=level_id,
            message="Hello",
        )
    except LabError as error:
        watch.read(viewer, "an error", f"{error!r} {error.message}")
        return
    happened = list(run)
    watch.refresh(viewer)
    for event in happened:
        watch.read(viewer, "events", f"{event!r} {json.dumps(event.data())}")
    watch.read(Viewer(NOBODY, browser), "reprs", f"{run!r} {run._job!r}")


def guess_wrong(watch: Watch, viewer: Viewer, level_id: str, foreign: str) -> None:
    """Guess words that are wrong, one of them another player's password."""
    viewer.known |= watch.find(foreign)
    form = {"guess": foreign}
    browser = viewer.browser
    url = f"/keep/{level_id}/guesses"
    for answer in (
        browser.post(url, form),
        browser.swap(url, {"guess": "nothing"}),
        browser.client.post(
            f"/api/v1/levels/{level_id}/guesses", json=form, headers=viewer.auth
        ),
    ):
        watch.read_answer(viewer, f"a guess at {level_id}", answer)


def win(watch: Watch, viewer: Viewer, level_id: str, word: str) -> None:
    """Open a gate; what was held back at it is the player's from now on."""
    viewer.known |= watch.find(word)
    answer = viewer.browser.client.post(
        f"/api/v1/levels/{level_id}/guesses",
        json={"guess": word},
        headers=viewer.auth,
    )
    assert answer.get_json()["correct"] is True
    watch.read_answer(viewer, f"the win at {level_id}", answer)
    watch.refresh(viewer)


def hand_in(watch: Watch, viewer: Viewer, level_id: str, others: list[Viewer]) -> None:
    """Show how a gate was opened; others may read it all, except for the password."""
    chosen, *_ = gallery.choices(
        watch.services, player_id=viewer.player_id or 0, level_id=level_id
    )
    answer = viewer.browser.post(
        f"/gallery/gates/{level_id}", {"attempt": chosen.id, "note": "Ask for it."}
    )
    assert answer.status_code == 303
    with watch.services.db.read() as session:
        reply = session.get_one(Attempt, chosen.id).reply or ""
    for other in others:
        other.known |= {mark for mark in watch.find(reply) if mark.startswith(MARK)}


def may_read_what_is_over(watch: Watch, teacher: Viewer, player: Viewer) -> None:
    """Let a teacher know what was said and found in a player's visits that are over."""
    query = (
        select(Attempt.reply)
        .join(Visit, Visit.id == Attempt.visit_id)
        .where(Visit.player_id == player.player_id, Visit.ended_at.is_not(None))
    )
    with watch.services.db.read() as session:
        for reply in session.scalars(query):
            teacher.known |= watch.find(reply or "")
        found = select(Guess.guess).where(
            Guess.player_id == player.player_id, Guess.is_correct
        )
        for guess in session.scalars(found):
            teacher.known |= watch.find(guess)


def attempt_ids(services: Services) -> list[int]:
    """Return some ids of attempts: the first, one in the middle, the last."""
    with services.db.read() as session:
        ids = [row.id for row in session.query(Attempt).order_by(Attempt.id)]
    return sorted({ids[0], ids[len(ids) // 2], ids[-1]})


def look_around(watch: Watch, viewers: list[Viewer]) -> None:
    """Let everybody open everything."""
    for viewer in viewers:
        watch.open_everything(viewer, attempt_ids(watch.services))


def read_logs(watch: Watch, viewer: Viewer, records: list[logging.LogRecord]) -> None:
    """Look into every log record, as it would be written, with its traceback."""
    form = logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s")
    for record in records:
        watch.read(viewer, f"log of {record.name}", form.format(record))
        watch.read(viewer, f"log of {record.name}", repr(record.args))


def read_reprs(watch: Watch, viewer: Viewer) -> None:
    """Look into what a debugger or a traceback would print."""
    services = watch.services
    index = services.content.current()
    with services.db.read() as session:
        rows = [repr(row) for row in session.query(Attempt).limit(50)]
    history = services.gateway._backends["local"].history  # type: ignore[attr-defined]
    shown = [services, services.gateway, services.settings, services.db, index, history]
    watch.read(viewer, "reprs", "\n".join([*map(repr, shown), *rows]))


@pytest.mark.slow
@pytest.mark.parametrize("write", [write_content, copy_shipped])
def test_no_secret_is_shown_anywhere(
    app: Flask, find: Finder, logs: pytest.LogCaptureFixture
) -> None:
    watch = Watch(app, find)
    services = watch.services
    newcomer, half, teacher = (
        sign_in(app, "Newcomer"),
        sign_in(app, "Halfway"),
        sign_in(app, "Teacher", role="instructor"),
    )
    for number in range(PLAYERS - 3):
        accounts.create_player(services, name=f"Player {number}")
    secrets = begin_all_visits(services)
    assert len(secrets) == PLAYERS
    index = services.content.current()
    gates = sum(len(ladder.levels) for ladder in index.ladders.values())
    assert {len(by_level) for by_level in secrets.values()} == {gates}
    assert gates >= 8
    all_words = {word for by_level in secrets.values() for word in by_level.values()}
    assert len(all_words) > 1000
    assert find(" ".join(all_words).upper()) == all_words

    stranger = Viewer("Stranger", Browser(app))
    everybody = [stranger, newcomer, half, teacher]
    levels = list(secrets[newcomer.player_id or 0])
    foreign = secrets[PLAYERS]
    # One player talks at the first gate only; the other opens one gate after another.
    play(watch, newcomer, levels[0])
    guess_wrong(watch, newcomer, levels[0], foreign[levels[0]])
    for number, level_id in enumerate(levels):
        play(watch, half, level_id)
        guess_wrong(watch, half, level_id, foreign[level_id])
        if number == 6:
            assert watch.held_back(half)
            may_read_what_is_over(watch, teacher, half)
            look_around(watch, everybody)
        if level_id != levels[-1]:
            word = half.browser.password(level_id)
            win(watch, half, level_id, word)
            hand_in(watch, half, level_id, [teacher])
            play(watch, half, level_id)
    held_back = watch.held_back(half)
    assert all(MARK in reply for reply in held_back)
    # At the last gate, and at the new visits of gates that show it all since the win.
    may_read_what_is_over(watch, teacher, half)
    look_around(watch, everybody)
    for viewer in (newcomer, half, teacher):
        number = viewer.player_id or 0
        lines = [
            *downloads.jsonl(services, player_id=number),
            *downloads.markdown(services, player_id=number),
            json.dumps(accounts.profile(services, player_id=number)),
            repr(keep.map_page(services, player_id=number)),
        ]
        watch.read(viewer, "exports", "\n".join(lines))
    watch.send_everything(newcomer, attempt_ids(services))
    watch.send_everything(teacher, attempt_ids(services))
    nobody = Viewer(NOBODY, stranger.browser)
    read_logs(watch, nobody, logs.records)
    read_reprs(watch, nobody)
    assert watch.documents > 500
    assert watch.leaks == set()


def test_a_gallery_covers_every_password(app: Flask, find: Finder) -> None:
    watch = Watch(app, find)
    ada, teacher = sign_in(app, "Ada"), sign_in(app, "Teacher", role="instructor")
    words = begin_all_visits(watch.services)[ada.player_id or 0]
    # At the second gate a guard stops every reply, and the password is in it.
    for level_id in ("open", "echo"):
        play(watch, ada, level_id)
        win(watch, ada, level_id, words[level_id])
        hand_in(watch, ada, level_id, [teacher])
    for viewer in (ada, teacher):
        if viewer is ada:
            viewer.known = {mark for mark in viewer.known if mark.startswith(MARK)}
        for url in (
            "/gallery",
            "/gallery/gates/open",
            "/gallery/gates/echo",
            "/gallery/picture?piece=1",
            "/gallery/pieces/1/picture.svg?name=1",
            "/gallery/pieces/2/picture.svg",
        ):
            answer = viewer.browser.get(url)
            watch.read_answer(viewer, f"GET {url}", answer)
            if viewer is ada or url.startswith("/gallery/gates"):
                assert answer.status_code == 200
    assert watch.leaks == set()
    assert keep.SECRET_MARK in teacher.browser.get("/gallery/gates/echo").text


def _show_password(player: Viewer) -> str:
    return f"<p data-word='{player.browser.password('echo').upper()}'></p>"


def _show_held_back(player: Viewer) -> str:
    with player.browser.services.db.read() as session:
        return "".join(row.reply or "" for row in session.query(Attempt))


def _show_part(player: Viewer) -> str:
    is_part = request.headers.get("HX-Request")
    return _show_password(player) if is_part else "a whole page"


def _show_in_header(player: Viewer) -> Response:
    return Response(headers={"X-Debug": _show_password(player)})


def _log_password(player: Viewer) -> str:
    logging.getLogger("some.library").debug("args", extra={"x": 1})
    logging.getLogger("some.library").debug("says %s", _show_password(player))
    return "a page"


def _fail_with_password(player: Viewer) -> str:
    raise RuntimeError(_show_password(player))


@pytest.mark.parametrize(
    "leak",
    [
        _show_password,
        _show_held_back,
        _show_part,
        _show_in_header,
        _log_password,
        _fail_with_password,
    ],
)
@pytest.mark.parametrize("rule", ["/new-page", "/api/v1/new/<level_id>"])
def test_a_leak_in_a_new_place_is_found(
    app: Flask,
    find: Finder,
    logs: pytest.LogCaptureFixture,
    leak: Callable[[Viewer], Any],
    rule: str,
) -> None:
    """The same search finds a leak that somebody adds: it is not blind."""
    players: list[Viewer] = []
    app.add_url_rule(rule, "leak", lambda **_: leak(players[0]))
    watch = Watch(app, find)
    viewer = sign_in(app, "Ada")
    players.append(viewer)
    begin_all_visits(watch.services)
    win(watch, viewer, "open", viewer.browser.password("open"))
    play(watch, viewer, "echo")
    assert watch.leaks == set()
    look_around(watch, [viewer])
    read_logs(watch, Viewer(NOBODY, viewer.browser), logs.records)
    assert watch.leaks
    wheres = {leak.where for leak in watch.leaks}
    start = "GET " + rule.partition("<")[0]
    assert all(w.startswith((start, "log of")) for w in wheres)
