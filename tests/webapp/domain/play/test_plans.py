"""No question of the game reads a whole table of attempts."""

from __future__ import annotations

import re

from sqlalchemy import text

from tests.kit.world import World, counted_queries
from webapp.domain.generations.sweeping import sweep_interrupted
from webapp.domain.play import keep, leaderboard, marking, notebook

OF_ATTEMPTS = re.compile(r"\b(FROM|JOIN|UPDATE) (generations|attempts)\b")


def test_every_query_for_attempts_is_in_an_index(world: World) -> None:
    ada = world.player()
    world.win(ada, "open")
    services = world.services
    world.say(ada, "Hello", "talk")
    last = world.attempts(ada)[-1].id
    with counted_queries(world.db) as queries:
        world.say(ada, "Hello", "talk")
        world.say(ada, "Hello", "open")
        notebook.search(services, player_id=ada, query="hello", before=9)
        notebook.search(services, player_id=ada, level_id="talk")
        for result in notebook.RESULTS:
            notebook.search(services, player_id=ada, result=result)
        notebook.find(services, player_id=ada, attempt_id=last)
        notebook.set_note(services, player_id=ada, attempt_id=last, note="mine")
        keep.level_page(services, player_id=ada, level_id="talk")
        keep.level_page(services, player_id=ada, level_id="open")
        leaderboard.board(services)
        sweep_interrupted(world.db, services.settings.instance)
        world.win(ada, "talk")
        marking.mark(services, player_id=ada, attempt_id=last)
    reading = sorted({query for query in queries if OF_ATTEMPTS.search(query)})
    assert len(reading) > 12
    for query in reading:
        with world.db.engine.connect() as connection:
            values = (None,) * query.count("?")
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)
            plan = [row[-1] for row in steps]
        # Of what is running there are a few at most.
        scans = [
            step
            for step in plan
            if step.startswith("SCAN") and "ix_generations_running" not in step
        ]
        assert scans == [], f"{query}\n{plan}"


def test_a_notebook_reads_in_order_and_stops(world: World) -> None:
    """The newest of many come without sorting all of them."""
    ada = world.player()
    world.say(ada)
    with counted_queries(world.db) as queries:
        notebook.search(world.services, player_id=ada)
    reading = list(filter(OF_ATTEMPTS.search, queries))
    assert len(reading) == 3
    with world.db.read() as session:
        assert session.scalar(text("SELECT count(*) FROM attempts")) == 1
        for query in reading:
            plan = session.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN {query}", (None,) * query.count("?")
            )
            steps = " ".join(row[-1] for row in plan)
            index = "ix_generations_player_id_generations_feature_generations_id"
            assert index in steps, query
            assert "TEMP B-TREE" not in steps, query
