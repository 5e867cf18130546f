"""An edit of the word list: who keeps talking, and what stays calibrated."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select

from tests.kit.content import LEVEL_IDS, SHIPPED, WORDS
from tests.kit.leaks import begin_all_visits
from tests.kit.world import World
from webapp.content.loader import load
from webapp.content.report import LevelReport, Report
from webapp.content.store import ContentStore
from webapp.domain.calibration.reports import calibration_page, store
from webapp.domain.play import keep, visits
from webapp.errors import Conflict
from webapp.rows import Player, Visit

PLAYERS = 200
ADDED = tuple(
    f"{first}a{second}eq" for first in "bdfghjklmn" for second in "prstvwxzbd"
)
REMOVED = frozenset(random.Random(5).sample(WORDS, 100))


class Talk(NamedTuple):
    """A visit and the password that is guarded in it."""

    visit: int
    word: str


def edit_words(world: World) -> None:
    """Remove 100 words, add 100, and turn the order of the rest around."""
    kept = [word for word in reversed(WORDS) if word not in REMOVED]
    assert len(kept) == len(WORDS) - 100
    path = world.content / "words" / "syllables.txt"
    path.write_text("\n".join([*ADDED, *kept]))
    look_once(world)


def look_once(world: World) -> None:
    """Read the content now, and not again for each of thousands of visits."""
    content = ContentStore([world.content], poll_seconds=600)
    world.services = replace(world.services, content=content)


def open_talks(world: World) -> dict[tuple[int, str], Talk]:
    """Return every open visit by player and level, without changing anything."""
    index = world.services.content.current()
    with world.db.read() as session:
        rows = session.scalars(select(Visit).where(Visit.ended_at.is_(None)))
        return {
            (row.player_id, row.level_id): Talk(
                row.id,
                visits.visit_secret(
                    world.services, row, index.level(row.level_id)
                ).reveal(),
            )
            for row in rows
        }


def test_an_edit_ends_only_the_visits_whose_word_is_removed(world: World) -> None:
    for number in range(PLAYERS):
        world.player(f"Player {number}")
    look_once(world)
    begin_all_visits(world.services)
    before = open_talks(world)
    assert len(before) == PLAYERS * len(LEVEL_IDS)
    lost = {where for where, talk in before.items() if talk.word in REMOVED}
    assert 20 < len(lost) < 200

    edit_words(world)
    index = world.services.content.current()
    assert set(index.words("syllables")) == {*WORDS, *ADDED} - REMOVED
    told = {where: reason_of(world, *where) for where in before}
    assert {where for where, why in told.items() if why == "words"} == lost
    assert {why for where, why in told.items() if where not in lost} == {None}

    begin_all_visits(world.services)
    after = open_talks(world)
    assert after.keys() == before.keys()
    assert {where for where in before if after[where] != before[where]} == lost
    with world.db.read() as session:
        ended = select(Visit.ended_why).where(Visit.ended_at.is_not(None))
        assert list(session.scalars(ended)) == ["words"] * len(lost)


def reason_of(world: World, player_id: int, level_id: str) -> str | None:
    """Return why a player's conversation does not go on; None if it does."""
    level = world.services.content.current().level(level_id)
    with world.db.read() as session:
        return visits.end_reason(
            session,
            world.services,
            player=session.get_one(Player, player_id),
            level=level,
            visit=visits.open_visit(session, player_id=player_id, level_id=level_id),
        )


def test_players_notice_it_only_if_their_word_is_gone(world: World) -> None:
    names = [world.player(f"Player {n}") for n in range(40)]
    words = {player: world.secret(player) for player in names}
    edit_words(world)
    is_lost = {player: word in REMOVED for player, word in words.items()}
    assert len(set(is_lost.values())) == 2
    for player, word in words.items():
        page = keep.level_page(world.services, player_id=player, level_id="open")
        if is_lost[player]:
            assert page.notice == visits.END_NOTICES["words"]
            with pytest.raises(visits.VisitEnded):
                world.guess(player, word)
            assert not world.guess(player, word).correct
        else:
            assert page.notice is None
            assert world.guess(player, word).correct


def test_a_word_that_comes_back_is_the_secret_again(world: World) -> None:
    ada = world.player()
    word = world.secret(ada)
    path = world.content / "words" / "syllables.txt"
    path.write_text("\n".join(w for w in WORDS if w != word))
    assert reason_of(world, ada, "open") == "words"
    path.write_text("\n".join([word, *(w for w in WORDS if w != word), "another"]))
    assert reason_of(world, ada, "open") is None
    assert world.guess(ada, word).correct


def test_a_word_that_leaves_between_two_looks_is_a_conflict(world: World) -> None:
    ada = world.player()
    word = world.secret(ada)
    level = world.services.content.current().level("open")
    (world.content / "words" / "syllables.txt").write_text(
        "\n".join(w for w in WORDS if w != word)
    )
    with world.db.read() as session:
        visit = session.scalars(select(Visit)).one()
        with pytest.raises(Conflict, match="was edited") as caught:
            visits.visit_secret(world.services, visit, level)
    assert caught.value.code == "words_edited"
    assert word not in str(caught.value)


def test_a_stored_calibration_stays_valid(world: World) -> None:
    store(world.services, report_of(world))
    before = calibration_page(world.services)
    assert len(before.calibrated) == len(LEVEL_IDS)
    edit_words(world)
    assert calibration_page(world.services) == before


def test_the_published_calibration_stays_valid(tmp_path: Path) -> None:
    edited = tmp_path / "challenges"
    edited.mkdir()
    for part in ("game", "attacks"):
        shutil.copytree(SHIPPED / part, edited / part)
    (edited / "words").mkdir()
    lines = (SHIPPED / "words" / "castle.txt").read_text().splitlines()
    words = [line for line in lines if line and not line.startswith("#")]
    fewer = words[: len(words) - 100] + [f"{word}q" for word in words[:100]]
    (edited / "words" / "castle.txt").write_text("\n".join(fewer))
    index = load((edited,)).index
    assert index is not None
    assert set(index.words("castle")) == set(fewer) != set(words)
    assert {report.ladder for report in index.reports} == {"keep", "annex"}
    for report in index.reports:
        assert {level.id: level.content_hash for level in report.levels} == {
            level.id: index.defence_hash(level.id)
            for level in index.levels(report.ladder)
        }


def report_of(world: World) -> Report:
    """Return a calibration of all levels as they are now."""
    index = world.services.content.current()
    levels = tuple(
        LevelReport(
            id=name,
            content_hash=index.defence_hash(name),
            model="local/warden",
            attacks=10,
            success_rate=0.5,
            interval=(0.2, 0.8),
            by_family={"direct": 0.5},
            seconds=1.0,
        )
        for name in LEVEL_IDS
    )
    return Report(
        ladder="keep",
        made_at=datetime(2026, 5, 4, tzinfo=UTC),
        attacks_from="the shipped attacks",
        attacks_hash="0",
        families={"direct": 10},
        secrets=3,
        seeds=1,
        seconds=8.0,
        levels=levels,
        results=(),
    )
