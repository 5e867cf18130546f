"""What endpoints list decides which names there are; no name is known in advance."""

from __future__ import annotations

import pytest

from tests.webapp.llm.conftest import MESSAGES
from webapp.errors import BackendError, BackendRefused, ContentError
from webapp.llm.endpoints import Endpoint
from webapp.llm.gateway import Gateway
from webapp.llm.listing import Listings, read_models
from webapp.llm.scripted import ScriptedBackend
from webapp.security import Secret

OURS = [
    {"id": "scribe", "object": "model", "kind": "chat", "adapter": True},
    {"id": "plain", "object": "model", "kind": "chat", "adapter": False},
    {"id": "raw", "object": "model", "kind": "base", "adapter": False},
    {"id": "near", "object": "model", "kind": "embedding"},
    {"id": "door", "object": "model", "kind": "guard", "reads": "message"},
    {"id": "tongue", "object": "model", "kind": "guard", "reads": "reply"},
]


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Sidecar:
    """Answers as a model server; `models` may change, or be no list at all."""

    def __init__(self, upstream) -> None:
        self.models: object = {"data": OURS}
        self.status = 200
        self.upstream = upstream
        upstream.answer(self)

    def __call__(self, call) -> None:
        if call.path == "/v1/models":
            call.json(self.models, self.status)
        elif call.path == "/v1/embeddings":
            data = [
                {"index": n, "embedding": [1.0]} for n in range(len(call.body["input"]))
            ]
            call.json({"data": data})
        elif call.path == "/v1/moderations":
            result = {"flagged": True, "category_scores": {"attack": 0.9}}
            call.json({"results": [result]})
        else:
            call.start()
            choice = {"delta": {"content": "Yes"}, "finish_reason": "stop"}
            call.send({"choices": [choice]})
            call.write(b"data: [DONE]\n\n")

    @property
    def asked(self) -> list[str]:
        return [call.path for call in self.upstream.calls]

    @property
    def named(self) -> list[str]:
        """The models of all calls that named one."""
        return [call.body["model"] for call in self.upstream.calls if call.body]


@pytest.fixture
def sidecar(upstream):
    return Sidecar(upstream)


@pytest.fixture
def clock():
    return Clock()


def site(sidecar, clock, *more, kind="wordkeep", models=None, **options):
    url = sidecar.upstream.url
    local = Endpoint("local", kind, models or {}, base_url=url, key=Secret("k"))
    return Gateway([local, *more], clock=clock, **options)


def test_names_come_from_the_endpoint(sidecar, clock):
    infos = site(sidecar, clock).models()
    assert [(info.name, info.kind) for info in infos] == [
        ("local/scribe", "chat"),
        ("local/plain", "chat"),
        ("local/raw", "base"),
        ("local/near", "embedding"),
        ("local/door", "guard"),
        ("local/tongue", "guard"),
    ]


def test_where_no_model_is_named_the_kind_decides(sidecar, clock):
    gateway = site(sidecar, clock)
    gateway.embed(["a"])
    gateway.moderate("a")
    gateway.moderate("a", secret=Secret("lantern"))
    # One that stands alone, before one that was trained for a purpose.
    assert gateway.usual("chat") == "plain"
    assert sidecar.named == ["near", "door", "tongue"]
    assert sidecar.asked.count("/v1/models") == 1


def test_without_a_model_of_the_kind_that_is_said(sidecar, clock):
    sidecar.models = {"data": OURS[:2]}
    gateway = site(sidecar, clock)
    with pytest.raises(ContentError, match="no endpoint lists a model of the kind emb"):
        gateway.embed(["a"])
    with pytest.raises(ContentError, match="of the kind guard for a reply"):
        gateway.moderate("a", secret=Secret("lantern"))


def test_a_new_model_is_found_within_a_second(sidecar, clock):
    gateway = site(sidecar, clock)
    assert gateway.label("plain") == "local/plain"
    sidecar.models = {"data": [*OURS, {"id": "late"}]}
    with pytest.raises(ContentError, match='unknown model "late"'):
        gateway.label("late")
    clock.now += 1
    assert gateway.label("late") == "local/late"
    assert sidecar.asked.count("/v1/models") == 2


def test_known_names_cost_no_question(sidecar, clock):
    gateway = site(sidecar, clock)
    for _ in range(5):
        gateway.complete(model="plain", messages=MESSAGES)
        clock.now += 100
    assert sidecar.asked.count("/v1/models") == 1


def test_what_was_listed_stays_while_the_endpoint_is_silent(sidecar, clock):
    gateway = site(sidecar, clock)
    before = gateway.models()
    sidecar.status, sidecar.models = 500, {}
    clock.now += 10
    assert gateway.models() == before
    assert gateway.unlisted() == []


@pytest.mark.parametrize("models", [{}, [], {"data": "none"}, "x", None])
def test_an_endpoint_without_a_list_is_taken_at_the_levels_word(sidecar, clock, models):
    sidecar.models = models
    sidecar.status = 404 if models is None else 200
    gateway = site(sidecar, clock)
    assert gateway.complete(model="anything", messages=MESSAGES).text == "Yes"
    assert gateway.label("local/anything") == "local/anything"
    assert gateway.unlisted() == ["local"]
    with pytest.raises(ContentError):
        gateway.label("elsewhere/anything")
    with pytest.raises(BackendError, match="cannot be reached") as caught:
        gateway.embed(["a"])
    assert caught.value.code == "backend_unreachable"


def test_other_servers_lists_hold_chat_models(sidecar, clock):
    names = ["Qwen/Qwen3-4B", "llama3.2:1b"]
    sidecar.models = {
        "object": "list",
        "data": [{"id": n, "object": "model", "owned_by": "vllm"} for n in names],
    }
    gateway = site(sidecar, clock, kind="openai")
    assert [(i.name, i.kind) for i in gateway.models()] == [
        ("local/Qwen/Qwen3-4B", "chat"),
        ("local/llama3.2:1b", "chat"),
    ]
    for name in (*names, *(f"local/{name}" for name in names)):
        gateway.complete(model=name, messages=MESSAGES)
    assert sidecar.named == names * 2


def test_a_hosted_endpoint_is_asked_rarely(sidecar, clock):
    gateway = site(sidecar, clock, kind="openai")
    for _ in range(29):
        gateway.models()
        clock.now += 1
    assert sidecar.asked == ["/v1/models"]
    clock.now += 1
    gateway.models()
    assert sidecar.asked == ["/v1/models"] * 2


def test_with_names_of_its_own_a_hosted_endpoint_is_not_asked(sidecar, clock):
    gateway = site(sidecar, clock, kind="openai", models={"gpt": "gpt-4.1"})
    assert [info.name for info in gateway.models()] == ["local/gpt"]
    assert gateway.usual("chat") == "gpt"
    assert sidecar.asked == []


def test_this_machine_comes_first_where_no_model_is_named(sidecar, clock):
    """What players write must not go to a hosted model because nobody chose one."""
    hosted = Endpoint("hosted", "openai", {"gpt": "gpt"}, base_url="http://127.0.0.1:9")
    gateway = site(sidecar, clock, hosted, default_endpoint="hosted")
    assert gateway.usual("chat") == "plain"


def test_the_usual_model_is_named_with_its_place_where_its_name_is_taken(
    sidecar, clock
):
    hosted = Endpoint("hosted", "openai", {"plain": "x"}, base_url="http://127.0.0.1:9")
    gateway = site(sidecar, clock, hosted, default_endpoint="hosted")
    assert gateway.usual("chat") == "local/plain"


def test_a_site_without_a_sidecar_says_so():
    gateway = Gateway(
        [Endpoint("local", "wordkeep", {}, unavailable="none was started")]
    )
    with pytest.raises(BackendRefused, match='endpoint "local" is not set up'):
        gateway.label("plain")
    assert gateway.models() == []


def test_strange_entries_are_passed_over():
    data = [1, None, {}, {"id": 5}, {"id": ""}, {"id": "x" * 201}, {"id": "good"}]
    odd = {"id": "odd", "kind": "wizard", "reads": ["message"], "adapter": "yes"}
    found = read_models({"data": [*data, odd]})
    assert list(found) == ["good", "odd"]
    assert (found["odd"].kind, found["odd"].reads) == ("chat", None)
    assert not found["odd"].is_adapter


def test_a_list_of_an_endpoint_that_is_not_there():
    listings = Listings({"local": ScriptedBackend()}, {"local": 1.0})
    assert listings.fresh("elsewhere") is None
    assert "keeper" in (listings.known("local") or {})


def test_only_a_model_that_is_said_to_be_loaded_counts_as_loaded() -> None:
    rows = [
        {"id": "here", "loaded": True},
        {"id": "there", "loaded": False},
        {"id": "odd", "loaded": "yes"},
        {"id": "silent"},
    ]
    found = read_models({"data": rows})
    assert [name for name, model in found.items() if model.is_loaded] == ["here"]
