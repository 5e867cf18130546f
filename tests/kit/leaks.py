"""Looks for passwords, and for replies that a guard held back, in all that is shown."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import re2
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from tests.kit.browser import Browser
from webapp.domain.models import cards
from webapp.domain.people import accounts
from webapp.domain.play import visits
from webapp.domain.services import Services
from webapp.domain.teach import tables
from webapp.domain.writing.files import names_in
from webapp.llm.cancel import Cancel
from webapp.llm.events import ChatRequest, Finish, Piece
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import FINISHED, STOPPED, Attempt, Player

# Stands in each reply of the leaky model, with a number: so the reply is known again.
MARK = "rawmark"


class Finder:
    """Finds every word of the lists and every mark in a text, in any case."""

    def __init__(self, words: Iterable[str]) -> None:
        options = re2.Options()
        options.case_sensitive = False
        options.max_mem = 256 << 20
        self._pattern = re2.compile("|".join([*words, MARK + r"\d+x"]), options)

    def __call__(self, text: str) -> set[str]:
        return {found.lower() for found in self._pattern.findall(text)}


class LeakyBackend(ScriptedBackend):
    """A model that gives the password away in every reply, if it knows one."""

    def __init__(self, find: Finder) -> None:
        super().__init__()
        self._find = find
        self._numbers = itertools.count(1)

    def stream(self, request: ChatRequest, cancel: Cancel) -> Iterator[Any]:  # type: ignore[override]
        """Say the word of the system prompt, next to a mark."""
        prompt = " ".join(message["content"] for message in request.messages)
        words = " ".join(sorted(self._find(prompt)))
        if words:
            yield Piece(f"{MARK}{next(self._numbers)}x The password is ")
        yield Piece(f"{words or 'I know none'}.")
        yield Finish("stop", 1, 1)


@dataclass(frozen=True, slots=True)
class Leak:
    """A word or mark where nobody may see it."""

    viewer: str
    where: str
    word: str


@dataclass
class Viewer:
    """Somebody who looks at the site, and the words that are theirs to see."""

    name: str
    browser: Browser
    player_id: int | None = None
    token: str = ""
    known: set[str] = field(default_factory=set)

    @property
    def auth(self) -> dict[str, str]:
        """Headers of the viewer's programs."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class Watch:
    """Collects every leak in whatever it is shown."""

    def __init__(self, app: Flask, find: Finder) -> None:
        self.app = app
        self.find = find
        self.leaks: set[Leak] = set()
        self.documents = 0

    @property
    def services(self) -> Services:
        """What the site works with."""
        found: Services = self.app.extensions["wordkeep"]
        return found

    def read(self, viewer: Viewer, where: str, text: str) -> None:
        """Look for what this viewer may not see in a text."""
        self.documents += 1
        for word in self.find(text) - viewer.known:
            self.leaks.add(Leak(viewer.name, where, word))

    def read_answer(self, viewer: Viewer, where: str, answer: Any) -> None:
        """Look into an answer: its headers and its body."""
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers)
        self.read(viewer, where, f"{headers}\n{answer.get_data(as_text=True)}")

    def refresh(self, viewer: Viewer) -> None:
        """Learn what a player typed, was told, or may read since the win."""
        assert viewer.player_id is not None
        with self.services.db.read() as session:
            solved = visits.solved_levels(session, viewer.player_id)
            rows = session.scalars(
                select(Attempt).where(Attempt.player_id == viewer.player_id)
            ).all()
        for row in rows:
            viewer.known |= self.find(row.message)
            if row.status in {FINISHED, STOPPED} or row.level_id in solved:
                viewer.known |= self.find(row.reply or "")

    def held_back(self, viewer: Viewer) -> list[str]:
        """Return the replies that were stored and that the player may not see."""
        with self.services.db.read() as session:
            rows = session.scalars(
                select(Attempt).where(Attempt.player_id == viewer.player_id)
            ).all()
        return [
            row.reply
            for row in rows
            if row.reply and self.find(row.reply) - viewer.known
        ]

    def open_everything(self, viewer: Viewer, attempts: Iterable[int]) -> None:
        """Open every address of the site that takes GET, as page, part and data."""
        for url in (*self._urls("GET", attempts), *_EXTRA):
            for headers in ({}, {"HX-Request": "true"}):
                answer = viewer.browser.get(url, headers={**viewer.auth, **headers})
                self.read_answer(viewer, f"GET {url}", answer)

    def send_everything(self, viewer: Viewer, attempts: Iterable[int]) -> None:
        """Send an empty form to every address that takes POST, and a broken one."""
        for url in self._urls("POST", attempts):
            if url in _ENDS:
                continue
            for headers in ({}, {"HX-Request": "true"}, viewer.auth):
                answer = viewer.browser.post(url, {}, headers=headers)
                self.read_answer(viewer, f"POST {url}", answer)
            answer = viewer.browser.client.post(url, data={"csrf_token": "wrong"})
            self.read_answer(viewer, f"POST {url} without a token", answer)
            answer = viewer.browser.client.post(url, json=[], headers=viewer.auth)
            self.read_answer(viewer, f"POST {url} with JSON", answer)

    def _urls(self, method: str, attempts: Iterable[int]) -> Iterator[str]:
        numbers = list(attempts)
        for rule in self.app.url_map.iter_rules():
            if method in (rule.methods or ()) and rule.endpoint != "static":
                yield from _fill(rule, self.services, numbers, lessons=2)


def page_urls(app: Flask) -> list[str]:
    """Return the address of every page that takes GET."""
    services: Services = app.extensions["wordkeep"]
    return [
        url
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint != "static"
        for url in _fill(rule, services, [])
    ]


# Where searching and choosing is done by what stands behind the question mark.
_EXTRA = (
    f"/notebook?q={MARK}",
    f"/api/v1/me/attempts?query={MARK}",
    "/leaderboard?class=mine",
    "/teach/trials?thing=open",
    "/leaderboard?page=2",
    "/gallery/picture?piece=1",
    "/api/v1/leaderboard?class=mine",
    "/no/such/page",
    "/api/no/such/call",
    "/api/v1/me/attempts?before=x",
)
# After these there is nobody left to look.
_ENDS = {"/logout", "/logout/everywhere", "/me/delete"}


def _fill(
    rule: Rule, services: Services, attempts: list[int], *, lessons: int | None = None
) -> Iterator[str]:
    """Yield every address of a rule; of lessons, those of the first few."""
    if "track" in rule.arguments:
        yield from _fill_lesson(rule, services, attempts, most=lessons)
        return
    index = services.content.current()
    values: dict[str, list[Any]] = {
        "level_id": [
            *(lv for name in index.ladders for lv in index.ladders[name].levels)
        ],
        "ladder_id": [*index.ladders, "nowhere"],
        "attempt_id": attempts,
        "n": [1, 99],
        "class_id": [1, 99],
        "player_id": [1, 99],
        "data_id": [1, 99],
        "run_id": [1, 99],
        "comparison_id": [1, 99],
        "matrix_id": [1, 99],
        "chat_id": [1, 99],
        "sweep_id": [1, 99],
        "tokenizer_id": ["0123456789abcdef"],
        "duel_id": [1, 99],
        "piece_id": [1, 2, 99],
        "plan": ["45", "90", "180", "nothing"],
        "season": [1, 99],
        "trial_id": [1, 99],
        "tree_id": [1, 99],
        "digest": ["0" * 64, "nothing"],
        "document_id": [1, 99],
        "question_id": [1, 99],
        "action": ["pause", "nothing"],
        "what": [*tables.TABLES, "nothing"],
        "file": ["card.md", "nothing"],
        "name": [*cards.card_names(services), "nobody"],
        "kind": ["level", "nothing"],
    }
    if rule.rule.startswith("/teach/content"):
        # A list of passwords is no page of the site's own words.
        files = [name for name in names_in(services.settings.roots) if _is_game(name)]
        values["name"] = [*map(str, files[:1]), "nobody"]
    yield from _built(rule, values)


def _is_game(name: PurePosixPath) -> bool:
    return name.parts[0] == "game"


def _fill_lesson(
    rule: Rule, services: Services, attempts: list[int], *, most: int | None
) -> Iterator[str]:
    """Fill in what a lesson has, and numbers of what belongs to somebody else."""
    lessons = [
        lesson
        for track in services.content.current().tracks
        for lesson in track.lessons
    ]
    for lesson in lessons[:most]:
        track, _, slug = lesson.id.partition("/")
        values: dict[str, list[Any]] = {
            "track": [track],
            "slug": [slug],
            "panel": [panel.name for panel in lesson.panels] or ["nothing"],
            "name": [question.name for question in lesson.questions] or ["nothing"],
            "run_id": [*attempts[:1], 99],
            "piece_id": [1, 99],
        }
        yield from _built(rule, values)
    words = ("track", "slug", "panel", "name")
    nowhere: dict[str, list[Any]] = {word: ["nowhere"] for word in words}
    yield from _built(rule, {**nowhere, "run_id": [99], "piece_id": [99]})


def _built(rule: Rule, values: dict[str, list[Any]]) -> Iterator[str]:
    unknown = rule.arguments - values.keys()
    assert not unknown, f"{rule.rule}: tell tests/kit/leaks.py what {unknown} can be"
    names = sorted(rule.arguments)
    for chosen in itertools.product(*(values[name] for name in names)):
        built = rule.build(dict(zip(names, chosen, strict=True)))
        assert built is not None
        yield built[1]


def sign_in(app: Flask, name: str, *, role: str = "player") -> Viewer:
    """Return a new player with a browser and a token."""
    services: Services = app.extensions["wordkeep"]
    code = accounts.create_player(services, name=name, role=role).recovery_code
    browser = Browser(app)
    assert browser.post("/recover", {"code": code}).status_code == 303
    browser.get("/me")
    player_id = browser.player_id()
    token = accounts.create_token(services, player_id=player_id)
    return Viewer(name, browser, player_id, token)


def begin_all_visits(services: Services) -> dict[int, dict[str, str]]:
    """Let every player visit every level; return all passwords."""
    index = services.content.current()
    levels = [lv for name in index.ladders for lv in index.levels(name)]
    found: dict[int, dict[str, str]] = {}
    with services.db.write() as session:
        for player in session.scalars(select(Player).order_by(Player.id)):
            found[player.id] = {}
            for level in levels:
                visit = visits.current_visit(
                    session, services, player=player, level=level
                )
                secret = visits.visit_secret(services, visit, level)
                found[player.id][level.id] = secret.reveal()
    return found
