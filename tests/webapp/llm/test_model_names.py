"""Which model a name in a level means, and what lists call it."""

from __future__ import annotations

import pytest

from webapp.errors import ContentError
from webapp.llm.endpoints import Endpoint
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.plugins.asking import Message

MESSAGE: list[Message] = [{"role": "user", "content": "Good evening"}]


def gateway(*endpoints, default="local"):
    backends = {
        name: ScriptedBackend([f"from {name}"] * 3, name=name)
        for name, _, _ in endpoints
    }
    return Gateway(
        [
            Endpoint(name, kind, {m: m for m in models})
            for name, kind, models in endpoints
        ],
        backends=backends,
        default_endpoint=default,
    )


LOCAL = ("local", "wordkeep", ["smollm2", "minilm"])
OLLAMA = ("ollama", "openai", ["llama", "smollm2"])
DEMO = ("demo", "scripted", ["smollm2", "llama", "keeper"])


@pytest.mark.parametrize(
    ("name", "default", "said_by"),
    [
        ("smollm2", "local", "local/smollm2"),
        ("smollm2", "ollama", "ollama/smollm2"),
        ("ollama/smollm2", "local", "ollama/smollm2"),
        ("minilm", "ollama", "local/minilm"),
        ("llama", "local", "ollama/llama"),
        ("demo/llama", "local", "demo/llama (scripted)"),
        ("keeper", "local", "demo/keeper (scripted)"),
    ],
)
def test_name_means(name, default, said_by):
    models = gateway(DEMO, LOCAL, OLLAMA, default=default)
    completion = models.complete(model=name, messages=MESSAGE)
    assert completion.model == said_by
    assert completion.text == f"from {said_by.split('/')[0]}"


def test_lists_say_what_is_scripted():
    infos = gateway(DEMO, LOCAL).models()
    assert [(info.name, info.label) for info in infos] == [
        ("local/smollm2", "local/smollm2"),
        ("local/minilm", "local/minilm"),
        ("demo/smollm2", "demo/smollm2 (scripted)"),
        ("demo/llama", "demo/llama (scripted)"),
        ("demo/keeper", "demo/keeper (scripted)"),
    ]


@pytest.mark.parametrize("name", ["smolm2", "demo/smollm2x", "nowhere/smollm2"])
def test_an_unknown_name_lists_what_there_is(name):
    with pytest.raises(ContentError) as caught:
        gateway(LOCAL, DEMO).stream(model=name, messages=MESSAGE)
    assert caught.value.message.startswith(f'unknown model "{name}"; did you mean "')
    assert caught.value.message.endswith(
        "Known here: local/smollm2, local/minilm, demo/smollm2 (scripted), "
        "demo/llama (scripted), demo/keeper (scripted)."
    )


def test_an_unknown_name_unlike_all_others():
    with pytest.raises(ContentError, match='unknown model "xyz"; Known here: local/s'):
        gateway(LOCAL).embed(["a"], model="xyz")


def test_no_endpoints_at_all():
    with pytest.raises(ContentError, match="Known here: none"):
        Gateway([]).complete(model="smollm2", messages=MESSAGE)
    assert Gateway([]).health() == []
