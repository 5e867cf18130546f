"""Two machines on one queue: PostgreSQL, Redis and S3, and one machine is lost."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.kit.bucket import NAME, Bucket, running_bucket
from tests.kit.postgres import Postgres
from tests.kit.redis_server import NoRedis, RedisServer, redis_server
from tests.kit.sidecar import RunningSidecar, running_sidecar, wait_until
from tests.kit.workers import running_worker

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LONGEST = 240.0
LONG, SHORT = 40, 5
TEXT = "".join(f"Carp number {n} swims in the pond.\n" for n in range(200))


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with running_bucket() as bucket, pytest.MonkeyPatch.context() as patch:
        for name, value in bucket.env.items():
            patch.setenv(name, value)
        # Several threads for so small a model only wait for each other.
        patch.setenv("OMP_NUM_THREADS", "1")
        yield bucket


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    try:
        with redis_server() as server:
            server.start()
            yield server
    except NoRedis as why:
        pytest.skip(f"not tested with Redis: {why}")


@pytest.fixture(scope="module")
def shared(postgres: Postgres, bucket: Bucket, redis: RedisServer) -> dict[str, Any]:
    """Return the settings that all machines have."""
    return {
        "jobs_url": postgres.url("cluster", create=True),
        "store_url": f"s3://{NAME}/school",
        "queue_url": redis.url.removeprefix("redis+"),
        "silent_seconds": 5,
        "save_seconds": 1,
    }


@pytest.fixture(scope="module")
def site(
    shared: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSidecar]:
    """Return the sidecar of the site, on a machine that trains nothing."""
    folder = tmp_path_factory.mktemp("site")
    with running_sidecar(folder, preload="", machine="site", **shared) as sidecar:
        yield sidecar


def machine(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


def add(client: openai.OpenAI, file_id: str, name: str, updates: int) -> str:
    recipe = {
        "fresh": {"vocabulary": 256, "layers": 1, "width": 32, "heads": 1},
        "block": 32,
        "rows": 4,
        "updates": updates,
        "epochs": 2000,
        "log_every": 1,
    }
    job = client.fine_tuning.jobs.create(
        model="fresh-small",
        training_file=file_id,
        suffix=name,
        extra_body={"recipe": recipe, "user": name},
    )
    return job.id


def await_true(is_so: Callable[[], object]) -> None:
    # Each question costs the machine of the tests what the workers need.
    wait_until(is_so, LONGEST, every=0.3)


def told(client: openai.OpenAI, job_id: str) -> dict[str, Any]:
    return client.fine_tuning.jobs.retrieve(job_id).model_dump()


def is_over(client: openai.OpenAI, job_id: str) -> bool:
    now = told(client, job_id)
    assert now["status"] in ("queued", "running", "succeeded"), now["error"]
    return bool(now["status"] == "succeeded")


def test_a_lost_machine_costs_no_job(
    site: RunningSidecar,
    shared: dict[str, Any],
    redis: RedisServer,
    bucket: Bucket,
    tmp_path: Path,
) -> None:
    client = site.client()
    file = client.files.create(
        file=("pond.txt", io.BytesIO(TEXT.encode())), purpose="fine-tune"
    )
    long = add(client, file.id, "long", LONG)
    first, second = (machine(tmp_path, name) for name in ("first", "second"))

    with running_worker(first, machine="first", **shared) as lost:
        await_true(lambda: bucket.keys(f"school/index/runs/{long}"))
        lost.kill()
    assert told(client, long)["status"] == "running"
    short = [add(client, file.id, f"short{n}", SHORT) for n in range(2)]
    with running_worker(second, machine="second", **shared):
        await_true(lambda: told(client, short[0])["status"] != "queued")
        redis.stop()
        for job in (long, *short):
            await_true(lambda job=job: is_over(client, job))
        redis.start()

        events = client.fine_tuning.jobs.list_events(long, limit=1000).data
        started = [e.data["is_resumed"] for e in events if e.data["event"] == "started"]
        assert started == [True, False]
        stages = [e.data["update"] for e in events if e.data["event"] == "stage"]
        assert stages[0] > 0 == stages[1]
        steps = {e.data["update"] for e in events if e.data["event"] == "step"}
        assert max(steps) == LONG
        assert told(client, long)["figures"]["heldout_loss"] < 5.0

        for job in (long, *short):
            name = told(client, job)["fine_tuned_model"]
            reply = client.completions.create(model=name, prompt="The", max_tokens=8)
            assert reply.usage is not None
            assert reply.usage.completion_tokens > 0

        # The site hears of it through the database, and so does the other machine.
        endless = add(client, file.id, "endless", 100_000)
        await_true(lambda: told(client, endless)["progress"]["update"] > 0)
        client.fine_tuning.jobs.cancel(endless)
        await_true(lambda: told(client, endless)["status"] == "cancelled")
        assert told(client, endless)["can_resume"]
