"""Two machines on one queue: PostgreSQL, Redis and S3, and one machine is lost."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
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
# Long enough to be cut off, however fast the machine is.
LONG = {"minutes": 0.12, "updates": 10**6}
SHORT = {"updates": 5}
ENDLESS = {"updates": 10**6}
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


def add(
    client: openai.OpenAI, file_id: str, name: str, length: Mapping[str, float]
) -> str:
    recipe = {
        "fresh": {"vocabulary": 256, "layers": 1, "width": 32, "heads": 1},
        "block": 32,
        "rows": 4,
        "epochs": 10**5,
        "log_every": 50,
        **length,
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
    wait_until(is_so, LONGEST)


def told(client: openai.OpenAI, job_id: str) -> dict[str, Any]:
    return client.fine_tuning.jobs.retrieve(job_id).model_dump()


def await_end(client: openai.OpenAI, job_id: str) -> None:
    def is_over() -> bool:
        now = told(client, job_id)
        assert now["status"] in ("queued", "running", "succeeded"), now["error"]
        return bool(now["status"] == "succeeded")

    await_true(is_over)


def events(client: openai.OpenAI, job_id: str, kind: str) -> list[dict[str, Any]]:
    """Return what a run told of a kind, the first first."""
    page = client.fine_tuning.jobs.list_events(job_id, limit=1000).model_dump()
    found = [each["data"] for each in page["data"] if each["data"]["event"] == kind]
    return found[::-1]


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
    jobs = [long, *(add(client, file.id, f"short{n}", SHORT) for n in range(2))]
    with running_worker(second, machine="second", **shared):
        await_true(lambda: told(client, jobs[1])["status"] != "queued")
        redis.stop()
        for job in jobs:
            await_end(client, job)
        redis.start()
        check_it_went_on(client, long)
        for job in jobs:
            check_it_is_served(client, job)
        check_cancel_reaches_the_worker(
            client, add(client, file.id, "endless", ENDLESS)
        )


def check_it_went_on(client: openai.OpenAI, job_id: str) -> None:
    started = events(client, job_id, "started")
    assert [each["is_resumed"] for each in started] == [False, True]
    begun, resumed = (each["update"] for each in events(client, job_id, "stage"))
    assert begun == 0 < resumed
    assert max(step["update"] for step in events(client, job_id, "step")) > resumed
    figures = told(client, job_id)["figures"]
    assert figures["heldout_loss"] < figures["base_heldout_loss"]


def check_it_is_served(client: openai.OpenAI, job_id: str) -> None:
    name = told(client, job_id)["fine_tuned_model"]
    reply = client.completions.create(model=name, prompt="The", max_tokens=8)
    assert reply.usage is not None
    assert reply.usage.completion_tokens > 0


def check_cancel_reaches_the_worker(client: openai.OpenAI, job_id: str) -> None:
    await_true(lambda: told(client, job_id)["progress"]["update"] > 0)
    client.fine_tuning.jobs.cancel(job_id)
    await_true(lambda: told(client, job_id)["status"] == "cancelled")
    assert told(client, job_id)["can_resume"]
