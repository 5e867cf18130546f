"""endpoints.yaml: what it may say, and how its mistakes are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

import webapp.llm
from webapp.errors import BackendRefused, ContentError
from webapp.llm.endpoints import load_endpoints
from webapp.llm.gateway import open_gateway
from webapp.security import Secret
from webapp.settings import load_settings

EXAMPLE = Path(webapp.llm.__file__).with_name("endpoints.example.yaml")
KEYS = {"OPENAI_API_KEY": "sk-one", "VLLM_KEY": "sk-two"}
GOOD = """\
endpoints:
  - name: ollama
    kind: openai
    base_url: http://127.0.0.1:11434/v1/
    models: {llama: llama3.2}
"""


@pytest.fixture
def settings(tmp_path):
    return load_settings(
        {}, instance=tmp_path, sidecar_url="http://127.0.0.1:9/", sidecar_key="k"
    )


def load(settings, text, env=None):
    (settings.instance / "endpoints.yaml").write_text(text)
    return load_endpoints(settings, env or {})


def mistakes(settings, text):
    with pytest.raises(ContentError) as caught:
        load(settings, text)
    place = f"{settings.instance.name}/endpoints.yaml:"
    return [line.removeprefix(place) for line in caught.value.message.split("\n")]


def test_without_a_file_there_is_the_sidecar(settings):
    (local,) = load_endpoints(settings, {})
    assert (local.name, local.kind) == ("local", "wordkeep")
    assert local.base_url == "http://127.0.0.1:9/v1"
    assert local.key == Secret("k")
    assert local.models == {}


def test_a_model_of_an_endpoint_judges_where_its_key_is_set(settings):
    text = EXAMPLE.read_text()
    assert open_gateway_of(settings, text, KEYS).judge() == "openai/gpt"
    assert open_gateway_of(settings, text, {}).judge() == ""
    assert open_gateway_of(settings, GOOD, {}).judge() == ""
    (line,) = mistakes(settings, f"{GOOD}    judge: llama3.2\n")
    assert "judge names “llama3.2”, which is not among its models (llama)" in line


def open_gateway_of(settings, text, env):
    (settings.instance / "endpoints.yaml").write_text(text)
    return open_gateway(settings, env)


def test_without_a_sidecar_local_is_unavailable(tmp_path):
    (local,) = load_endpoints(load_settings({}, instance=tmp_path), {})
    assert local.unavailable == "no sidecar was started with this site"


def test_the_example_file_works(settings):
    endpoints = load(settings, EXAMPLE.read_text(), KEYS)
    assert [(e.name, e.kind, e.unavailable) for e in endpoints] == [
        ("local", "wordkeep", ""),
        ("openai", "openai", ""),
        ("openai-reasoning", "openai", ""),
        ("ollama", "openai", ""),
        ("vllm", "openai", ""),
        ("workshop", "wordkeep", "the environment variable WORKSHOP_KEY is not set"),
        ("demo", "scripted", ""),
    ]
    assert endpoints[1].key == Secret("sk-one")
    assert endpoints[2].max_tokens_field == "max_completion_tokens"
    assert endpoints[2].omit == {"temperature", "top_p", "stop"}
    # A model that thinks would use up the length of a reply.
    assert endpoints[2].extra_body == {"reasoning_effort": "minimal"}
    assert endpoints[4].extra_body == {
        "chat_template_kwargs": {"enable_thinking": False}
    }


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "endpoints: []\n"])
def test_an_empty_file_adds_nothing(settings, text):
    assert [e.name for e in load(settings, text)] == ["local"]


def test_an_entry_may_take_the_place_of_the_sidecar(settings):
    text = GOOD.replace("name: ollama", "name: local").replace("openai", "wordkeep")
    (local,) = load(settings, text.replace("/v1/", ""))
    assert local.base_url == "http://127.0.0.1:11434/v1"


@pytest.mark.parametrize("env", [{}, {"OPENAI_API_KEY": " "}])
def test_a_missing_key_makes_unavailable_and_nothing_else(tmp_path, upstream, env):
    upstream.answer(lambda call: call.json({"data": [{"id": "smollm2"}]}))
    settings = load_settings({}, instance=tmp_path, sidecar_url=upstream.url)
    (settings.instance / "endpoints.yaml").write_text(EXAMPLE.read_text())
    gateway = open_gateway(settings, env)
    reasons = {info.name: info.reason for info in gateway.models()}
    assert reasons["openai/gpt"] == "the environment variable OPENAI_API_KEY is not set"
    assert reasons["local/smollm2"] == reasons["ollama/llama"] == ""
    with pytest.raises(BackendRefused, match='endpoint "openai" is not set up'):
        gateway.stream(model="openai/gpt", messages=[])
    health = {h.name: h for h in gateway.health() if h.name == "openai"}
    assert not health["openai"].ok
    assert health["openai"].detail == reasons["openai/gpt"]


@pytest.mark.parametrize("key", ["sk-\u043ene", "sk-one\nsk-two"])
def test_a_key_that_cannot_be_sent_makes_unavailable(settings, key):
    _, ollama = load(settings, GOOD + "    key_env: THE_KEY\n", {"THE_KEY": key})
    assert ollama.unavailable == (
        "the environment variable THE_KEY holds a character that no key has"
    )


PROXY = (
    "its proxy cannot be used: check ALL_PROXY, HTTP_PROXY and HTTPS_PROXY in the "
    "environment, which must begin with http:// or https://"
)
CERTIFICATES = (
    "its certificates cannot be read: check SSL_CERT_FILE and SSL_CERT_DIR in the "
    "environment"
)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("ALL_PROXY", "socks://127.0.0.1:1", PROXY),
        ("all_proxy", "socks5h://127.0.0.1:1", PROXY),
        ("HTTPS_PROXY", "http://user:hush/word@127.0.0.1:1", PROXY),
        ("SSL_CERT_FILE", "/gone/hush.pem", CERTIFICATES),
        ("SSL_CERT_FILE", __file__, CERTIFICATES),
    ],
)
def test_an_environment_that_allows_no_client_makes_unavailable_and_nothing_else(
    tmp_path, upstream, monkeypatch, caplog, variable, value, reason
):
    upstream.answer(lambda call: call.json({"data": [{"id": "smollm2"}]}))
    monkeypatch.setenv(variable, value)
    settings = load_settings({}, instance=tmp_path, sidecar_url=upstream.url)
    text = GOOD.replace("http://127.0.0.1:11434", "https://127.0.0.1:11434")
    (tmp_path / "endpoints.yaml").write_text(text)
    gateway = open_gateway(settings, {})
    infos = {info.name: info for info in gateway.models()}
    assert infos["local/smollm2"].available
    assert infos["ollama/llama"].reason == reason
    assert {h.name: h.detail for h in gateway.health()}["ollama"] == reason
    with pytest.raises(BackendRefused, match='endpoint "ollama" is not set up'):
        gateway.stream(model="ollama/llama", messages=[])
    assert "hush" not in caplog.text


@pytest.mark.parametrize(
    "host", ["192.168..10", "a" * 64, "host:port", "host:65536", "[::1"]
)
def test_an_address_that_cannot_be_one_is_refused(settings, host):
    (said,) = mistakes(settings, GOOD.replace("127.0.0.1:11434", host))
    assert "base_url must be an address like http://host:port/v1" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            GOOD + "    modles: {}\n",
            ['6: unknown key "modles" in "endpoints[1]"; did you mean "models"?'],
        ),
        (
            GOOD + "    api_key: sk-secret-in-file\n",
            [
                '6: unknown key "api_key" in "endpoints[1]"; keys do not belong in '
                "this file: put the name of an environment variable into key_env"
            ],
        ),
        (
            GOOD.replace("    kind: openai\n", ""),
            ['2: "endpoints[1].kind" is missing; add it'],
        ),
        (
            GOOD.replace("kind: openai", "kind: ollama"),
            [
                "3: \"endpoints[1].kind\" must be 'wordkeep', 'openai' or 'scripted'; "
                "use one of these"
            ],
        ),
        (
            GOOD.replace("name: ollama", "name: My Ollama"),
            [
                '2: "endpoints[1].name" is not written in the right form; use small '
                "letters, digits and hyphens, and a letter first"
            ],
        ),
        (
            GOOD + "    key_env: sk-secret-in-file\n",
            [
                '6: "endpoints[1].key_env" is not written in the right form; write the '
                "name of an environment variable, such as OPENAI_API_KEY"
            ],
        ),
        (
            GOOD.replace("kind:", "knid:"),
            ['3: unknown key "knid" in "endpoints[1]"; did you mean "kind"?'],
        ),
        (
            GOOD.replace("http:", "ftp:"),
            ['2: "endpoints[1]": base_url must be an address like http://host:port/v1'],
        ),
        (
            GOOD.replace("http://", "http://me:sk-secret-in-file@"),
            [
                '2: "endpoints[1]": base_url holds more than an address; put the key '
                "into an environment variable and its name into key_env"
            ],
        ),
        (
            GOOD.replace("kind: openai", "kind: scripted"),
            [
                '2: "endpoints[1]": a scripted endpoint has no base_url, key_env or '
                "extra_body"
            ],
        ),
        (
            GOOD + GOOD[11:],
            ['6: two endpoints are named "ollama"; give one of them another name'],
        ),
        (
            GOOD + "    name: other\n",
            ['6: "name" appears twice; the first is on line 2'],
        ),
        (GOOD + "    timeout: 0\n", ['6: "endpoints[1].timeout" must be more than 0']),
        (
            GOOD + "    timeout: soon\n    omit: [user]\n    x: 1\n",
            [
                '6: "endpoints[1].timeout" must be a number; write digits',
                "7: \"endpoints[1].omit[1]\" must be 'seed', 'stop', "
                "'stream_options', 'temperature' or 'top_p'; use one of these",
                '8: unknown key "x" in "endpoints[1]"; known here: base_url, '
                "context, extra_body, judge, key_env, kind, max_tokens_field, models, "
                "name, omit, start_reply, timeout",
            ],
        ),
        (
            "endpoints: &a [*a]\n",
            ["1: anchor &a is not allowed; write the value again"],
        ),
        (
            "endpoints: {\n",
            [
                "2: not readable as YAML: did not find expected node content; look at "
                "this line and the one above"
            ],
        ),
        (
            "endpoints: !!python/name:os.system x\n",
            [
                "1: tag tag:yaml.org,2002:python/name:os.system is not allowed; delete "
                "the tag"
            ],
        ),
        (
            "- just\n- a list\n",
            ["1: the file must be a mapping; write lines like key: value"],
        ),
        ("[" * 5000, ["1: this is nested more than 50 levels deep; make it flatter"]),
        ("endpoints: [1]\nother: 2\n", None),
    ],
)
def test_mistakes_name_their_line(settings, text, expected):
    found = mistakes(settings, text)
    assert all(line.split(":")[0].isdigit() for line in found)
    assert "sk-secret-in-file" not in "".join(found)
    if expected is not None:
        assert found == expected


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe\x00", "yaml:1: this is not UTF-8 text; save the file as UTF-8"),
        (
            b"#" * 200_001,
            "yaml:1: the file has more than 200,000 bytes; a content file",
        ),
    ],
)
def test_files_that_are_no_text(settings, data, said):
    (settings.instance / "endpoints.yaml").write_bytes(data)
    with pytest.raises(ContentError, match=said):
        load_endpoints(settings, {})


def test_a_file_that_cannot_be_read(settings):
    (settings.instance / "endpoints.yaml").mkdir()
    with pytest.raises(ContentError, match="yaml:1: cannot be read: Is a directory"):
        load_endpoints(settings, {})


def test_keys_and_addresses_show_in_no_repr(settings):
    shown = repr(load(settings, EXAMPLE.read_text(), KEYS))
    for private in ("sk-one", "sk-two", "api.openai.com", "gpu-machine"):
        assert private not in shown


def test_a_default_endpoint_that_is_not_there(settings, tmp_path):
    settings = load_settings({}, instance=tmp_path, default_endpoint="olama")
    with pytest.raises(
        ContentError, match='names "olama", but the endpoints are: local'
    ):
        open_gateway(settings, {})


EXTRA_MISTAKES = [
    ("{model: x}", "extra_body cannot set model"),
    ("{messages: [], user: x}", "extra_body cannot set messages, user"),
    ("{wait: 1.0e+999}", "not finite"),
    ("[a]", "extra_body"),
    ("hello", "extra_body"),
]


@pytest.mark.parametrize(("extra", "said"), EXTRA_MISTAKES)
def test_mistakes_in_what_is_added_to_requests(settings, extra, said):
    (mistake,) = mistakes(settings, f"{GOOD}    extra_body: {extra}\n")
    assert said in mistake


def test_what_is_added_to_requests_keeps_its_types(settings):
    text = f"{GOOD}    extra_body: {{a: {{b: false, c: [1, 0.5, null]}}, d: low}}\n"
    _, endpoint = load(settings, text)
    assert endpoint.extra_body == {
        "a": {"b": False, "c": [1, 0.5, None]},
        "d": "low",
    }


def test_a_scripted_endpoint_gets_no_requests(settings):
    text = GOOD.replace("kind: openai", "kind: scripted").replace(
        "    base_url: http://127.0.0.1:11434/v1/\n", "    extra_body: {a: 1}\n"
    )
    (mistake,) = mistakes(settings, text)
    assert "a scripted endpoint has no base_url, key_env or extra_body" in mistake
