"""How quickly a model wrote before and after training, by one's own replies."""

from __future__ import annotations

from typing import Any

from tests.kit.judging import add_model
from tests.kit.world import World
from webapp.domain.train import latency, runs
from webapp.domain.train.latency import BeforeAfter, Latency
from webapp.rows import FINISHED, TRAIN, Generation


def reply(world: World, player: int, model: str, **changes: Any) -> None:
    """Write down a reply of eleven tokens, which took a second before the first."""
    values: dict[str, Any] = {
        "player_id": player,
        "feature": TRAIN,
        "boot_id": "boot",
        "status": FINISHED,
        "model": f"local/{model}",
        "settings": {},
        "seed": 1,
        "reply_tokens": 11,
        "first_token_ms": 1_000,
        "created_at": world.services.now(),
    }
    with world.db.write() as session:
        session.add(Generation(**values | changes))


def of(world: World, player: int | None, owner: int) -> BeforeAfter:
    run = runs.find(world.services, player_id=owner, run_id=1)
    return latency.of_run(world.services, player_id=player, run=run)


def test_the_median_of_the_newest_replies_without_the_first_token(
    world: World,
) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    add_model(world.services, ada, "soup")
    assert of(world, ada, ada) == BeforeAfter(None, None)
    for ms in (1_100, 1_200, 1_900):
        reply(world, ada, "soup", ms=ms)
    reply(world, ada, "smollm2", ms=1_150)
    # None of these counts: too short, stopped, another's, of another model or page.
    reply(world, ada, "soup", ms=9_000, reply_tokens=4)
    reply(world, ada, "soup", ms=9_000, status="stopped")
    reply(world, ada, "soup", ms=9_000, first_token_ms=None)
    reply(world, bob, "soup", ms=9_000)
    reply(world, ada, "bread", ms=9_000)
    reply(world, ada, "soup", ms=9_000, feature="playground")
    assert of(world, ada, ada) == BeforeAfter(Latency(15, 1), Latency(20, 3))
    assert of(world, None, ada) == BeforeAfter(None, None)


def test_old_replies_are_forgotten(world: World) -> None:
    ada = world.player()
    add_model(world.services, ada, "soup")
    for ms in [9_000] * 30 + [1_100] * 20:
        reply(world, ada, "soup", ms=ms)
    assert of(world, ada, ada).after == Latency(10, 20)


def test_a_model_from_nothing_has_no_base(world: World) -> None:
    ada = world.player()
    add_model(world.services, ada, "soup", method="fresh")
    reply(world, ada, "smollm2", ms=1_100)
    assert of(world, ada, ada) == BeforeAfter(None, None)
