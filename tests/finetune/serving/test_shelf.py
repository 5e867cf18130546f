"""Models load once, on first use, and make room by memory; never one in use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from finetune.errors import FinetuneError
from finetune.serving.catalogue.entries import Entry
from finetune.serving.catalogue.shelf import Lease, Shelf
from finetune.serving.errors import ApiError


@dataclass
class Model:
    """A loaded model that knows whether it was closed."""

    name: str
    is_closed: bool = False

    def close(self) -> None:
        assert not self.is_closed
        self.is_closed = True


@dataclass
class Kitchen:
    """Loads models; a test may hold a load back, or let it fail."""

    sizes: dict[str, int] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)
    made: list[Model] = field(default_factory=list)
    broken: dict[str, Exception] = field(default_factory=dict)
    may_load: threading.Event = field(default_factory=threading.Event)

    def prepare(self, name: str) -> Callable[[], Dish]:
        return lambda: Dish(self, name)


@dataclass
class Dish:
    """A model that is prepared."""

    kitchen: Kitchen
    name: str

    @property
    def memory(self) -> int:
        return self.kitchen.sizes.get(self.name, 10)

    def load(self) -> Model:
        assert self.kitchen.may_load.wait(20)
        self.kitchen.loads.append(self.name)
        if self.name in self.kitchen.broken:
            raise self.kitchen.broken[self.name]
        self.kitchen.made.append(Model(self.name))
        return self.kitchen.made[-1]


class House:
    """A shelf of 30 with a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.kitchen = Kitchen()
        self.kitchen.may_load.set()
        self.shelf: Shelf[Model] = Shelf(budget=30, waiting=4, clock=lambda: self.now)

    def borrow(self, name: str, **options: object) -> Lease[Model]:
        self.now += 1
        prepare = self.kitchen.prepare(name)
        return self.shelf.borrow(entry(name), prepare, **options)  # type: ignore[arg-type]

    def use(self, *names: str) -> None:
        for name in names:
            self.borrow(name).release()

    def refused(self, name: str, **options: object) -> ApiError:
        with pytest.raises(ApiError) as caught:
            self.borrow(name, **options)
        return caught.value

    @property
    def loaded(self) -> str:
        return "".join(n for n in "abcdefgh" if self.shelf.loaded(entry(n)))


def entry(name: str, version: str = "1") -> Entry:
    return Entry(name, "chat", f"{name}.gguf", version)


def eventually(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def house() -> Iterator[House]:
    found = House()
    yield found
    found.kitchen.may_load.set()


def test_a_model_loads_on_first_use_and_stays(house: House) -> None:
    assert house.loaded == ""
    house.use("a", "a", "a")
    assert house.kitchen.loads == ["a"]
    assert (house.loaded, house.shelf.used) == ("a", 10)


def test_the_model_unused_for_longest_goes(house: House) -> None:
    house.use("a", "b", "c", "a", "d")
    assert house.loaded == "acd"
    house.use("b")
    assert house.loaded == "abd"
    closed = [model.name for model in house.kitchen.made if model.is_closed]
    assert closed == ["b", "c"]
    assert house.shelf.used == 30


def test_as_many_go_as_it_takes_and_no_more(house: House) -> None:
    house.kitchen.sizes["d"] = 15
    house.use("a", "b", "c", "d")
    assert house.loaded == "cd"


def test_a_model_comes_back_after_its_eviction(house: House) -> None:
    house.use("a", "b", "c", "d", "a")
    assert house.kitchen.loads == ["a", "b", "c", "d", "a"]
    assert house.loaded == "acd"


def test_one_in_use_is_never_evicted(house: House) -> None:
    with house.borrow("a"):
        house.use("b", "c", "d", "e", "b", "c")
        assert "a" in house.loaded
        assert not house.kitchen.made[0].is_closed
    house.use("d", "e", "f")
    assert "a" not in house.loaded


def test_last_used_means_given_back(house: House) -> None:
    held = house.borrow("a")
    house.use("b", "c")
    house.now += 1
    held.release()
    house.use("d")
    assert house.loaded == "acd"


def test_with_all_in_use_a_newcomer_is_told_to_come_again(house: House) -> None:
    leases = [house.borrow(name) for name in "abc"]
    refusal = house.refused("d")
    assert (refusal.status, refusal.code) == (503, "no_memory")
    assert refusal.retry_after is not None
    assert house.loaded == "abc"
    # Nothing is broken: it is the moment that was wrong.
    assert house.shelf.failure(entry("d")) == ""
    leases[1].release()
    house.use("d")
    assert house.loaded == "acd"


def test_nothing_is_evicted_for_one_that_would_not_fit_all_the_same(
    house: House,
) -> None:
    house.kitchen.sizes["d"] = 25
    held = [house.borrow("a")]
    house.use("b", "c")
    assert house.refused("d").code == "no_memory"
    assert house.loaded == "abc"
    held[0].release()


def test_one_larger_than_all_the_memory_says_what_to_do(house: House) -> None:
    house.kitchen.sizes["a"] = 31
    refusal = house.refused("a")
    assert (refusal.status, refusal.code) == (503, "too_large")
    assert "WORDKEEP_SIDECAR_MEMORY_MB" in refusal.message
    assert refusal.retry_after is None


def test_many_first_uses_load_once(house: House) -> None:
    house.kitchen.may_load.clear()
    with ThreadPoolExecutor(4) as pool:
        leases = [pool.submit(house.borrow, "a") for _ in range(4)]
        eventually(lambda: house.shelf.users(entry("a")) == 4)
        house.kitchen.may_load.set()
        models = {id(lease.result().model) for lease in leases}
    assert len(models) == 1
    assert house.kitchen.loads == ["a"]
    assert house.shelf.users(entry("a")) == 4
    for lease in leases:
        lease.result().release()
    assert house.shelf.users(entry("a")) == 0


def test_no_more_than_the_room_holds_wait_for_a_load(house: House) -> None:
    house.kitchen.may_load.clear()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(house.borrow, "a") for _ in range(4)]
        eventually(lambda: house.shelf.users(entry("a")) == 4)
        assert house.refused("a").code == "queue_full"
        assert house.refused("b").code == "queue_full"
        house.kitchen.may_load.set()
        for lease in waiting:
            lease.result().release()
    assert house.kitchen.loads == ["a"]


def test_who_waits_too_long_is_told_and_the_load_goes_on(house: House) -> None:
    house.kitchen.may_load.clear()
    refusal = house.refused("a", seconds=0.05)
    assert (refusal.status, refusal.code) == (503, "starting")
    assert refusal.retry_after is not None
    house.kitchen.may_load.set()
    eventually(lambda: house.loaded == "a")
    assert house.shelf.users(entry("a")) == 0
    house.use("a")
    assert house.kitchen.loads == ["a"]


def test_one_that_is_being_loaded_is_not_evicted(house: House) -> None:
    house.use("a", "b")
    house.kitchen.may_load.clear()
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(house.borrow, "c")
        eventually(lambda: house.shelf.used == 30)
        # Both others may go, and that is still too little.
        house.kitchen.sizes["d"] = 25
        assert house.refused("d", seconds=5).code == "no_memory"
        house.kitchen.may_load.set()
        loading.result().release()
    assert house.loaded == "abc"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (FinetuneError("There is no such file: look."), "There is no such file: look."),
        (OSError(28, "No space left on device"), "No space left on device"),
        (RuntimeError("strange"), "RuntimeError: strange"),
    ],
)
def test_a_failed_load_is_told_and_tried_again(
    house: House, error: Exception, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    house.kitchen.broken["a"] = error
    for _ in range(2):
        refusal = house.refused("a")
        assert (refusal.status, refusal.code) == (503, "failed")
        assert says in refusal.message
    assert says in house.shelf.failure(entry("a"))
    assert says in caplog.text
    assert (house.loaded, house.shelf.used) == ("", 0)
    del house.kitchen.broken["a"]
    house.use("a")
    assert house.kitchen.loads == ["a"] * 3
    assert house.shelf.failure(entry("a")) == ""


def test_all_who_wait_for_a_load_that_fails_hear_of_it(house: House) -> None:
    house.kitchen.broken["a"] = FinetuneError("Broken.")
    house.kitchen.may_load.clear()
    with ThreadPoolExecutor(3) as pool:
        refusals = [pool.submit(house.refused, "a") for _ in range(3)]
        eventually(lambda: house.shelf.users(entry("a")) == 3)
        house.kitchen.may_load.set()
        assert {refusal.result().code for refusal in refusals} == {"failed"}
    assert house.kitchen.loads == ["a"]


def test_an_early_load_evicts_nothing(house: House) -> None:
    house.use("a", "b", "c")
    assert house.refused("d", may_evict=False).code == "no_memory"
    assert house.loaded == "abc"


def test_what_is_gone_from_the_list_is_dropped(house: House) -> None:
    held = house.borrow("a")
    house.use("b", "c")
    house.shelf.keep_only({entry("c"), entry("a", "2")})
    assert house.loaded == "ac"
    assert house.kitchen.made[1].is_closed
    held.release()
    assert house.loaded == "c"
    assert house.kitchen.made[0].is_closed


def test_a_lease_ends_once(house: House) -> None:
    lease = house.borrow("a")
    lease.release()
    lease.release()
    assert house.shelf.users(entry("a")) == 0


def test_many_threads_never_meet_a_closed_model_nor_pass_the_limit(
    house: House,
) -> None:
    most = threading.Lock()
    seen: list[int] = []
    refusals: list[str | None] = []

    def play(number: int) -> None:
        for turn in range(60):
            name = "abcdefgh"[(number * 7 + turn * 3) % 8]
            try:
                with house.borrow(name) as model:
                    assert model.name == name
                    assert not model.is_closed
                    time.sleep(0.0005)
                    assert not model.is_closed
                    with most:
                        seen.append(house.shelf.used)
            except ApiError as error:
                refusals.append(error.code)

    with ThreadPoolExecutor(4) as pool:
        for result in [pool.submit(play, number) for number in range(4)]:
            result.result()
    assert len(seen) > 60
    assert max(seen) <= 30
    assert set(refusals) <= {"no_memory"}
    assert [m.is_closed for m in house.kitchen.made].count(False) <= 3
