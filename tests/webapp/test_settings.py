"""Settings have a default and a meaning each, and complain by name."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from webapp.errors import ContentError
from webapp.settings import Settings, load_settings

pytestmark = pytest.mark.unit


def test_every_setting_has_a_default_and_says_what_it_is():
    assert Settings.model_fields
    for name, field in Settings.model_fields.items():
        assert not field.is_required(), name
        assert (field.description or "").endswith("."), name


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_read_from_its_variable(name, tmp_path):
    default = getattr(load_settings({}), name)
    other = {bool: "on", int: "7", str: "x"}.get(type(default), str(tmp_path))
    settings = load_settings({f"WORDKEEP_{name.upper()}": other})
    changed = {n for n, value in settings if value != getattr(load_settings({}), n)}
    assert changed == {name}


def test_only_the_given_environment_counts(monkeypatch):
    monkeypatch.setenv("WORDKEEP_PORT", "8123")
    assert load_settings({}).port == Settings().port == 8000
    assert load_settings(os.environ).port == 8123
    others = {"wordkeep_port": "1", "WORDKEEP_VENV": "x", "WORDKEEP_SIDECAR_SLOTS": "2"}
    assert load_settings(others) == load_settings({})


def test_environment_overrides_defaults_and_arguments_override_both(tmp_path):
    env = {"WORDKEEP_PORT": "8123", "WORDKEEP_HOST": "::1", "PORT": "1"}
    settings = load_settings(env, instance=tmp_path, host="127.0.0.2")
    assert (settings.port, settings.host) == (8123, "127.0.0.2")
    assert settings.database == f"sqlite:///{tmp_path / 'wordkeep.db'}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", ""),
        ("THREADS", "-1"),
        ("SECURE_COOKIES", "maybe"),
    ],
)
def test_a_bad_value_is_refused_by_name(name, value):
    with pytest.raises(ContentError) as caught:
        load_settings({f"WORDKEEP_{name}": value})
    assert f"WORDKEEP_{name}='{value}'" in caught.value.message


def test_every_bad_value_is_one_sentence_with_what_to_do():
    with pytest.raises(ContentError) as caught:
        load_settings({"WORDKEEP_PORT": "eighty", "WORDKEEP_DEBUG_PAGES": "maybe"})
    assert caught.value.message == (
        "WORDKEEP_PORT='eighty' is not a valid value: Port the site listens on; for "
        "`up`, 0 is any free one. Expected a value like 8000.\n"
        "WORDKEEP_DEBUG_PAGES='maybe' is not a valid value: Show the page with all "
        "components. Expected a value like False."
    )


@pytest.mark.parametrize(
    ("value", "is_on"), [("1", True), ("On", True), ("no", False), ("", False)]
)
def test_a_switch_takes_the_usual_words(value, is_on):
    assert load_settings({"WORDKEEP_DEBUG_PAGES": value}).debug_pages is is_on


def test_settings_do_not_change_but_have_changed_copies(tmp_path):
    settings = load_settings({}, instance=tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]
    other = settings.but(port=8101)
    assert (other.port, settings.port) == (8101, 8000)
    assert other.but(port=8000) == settings
    with pytest.raises(ValidationError, match="prot"):
        settings.but(prot=8101)


def test_keys_and_passwords_are_not_in_the_repr():
    settings = load_settings(
        {
            "WORDKEEP_SIDECAR_KEY": "hush-key",
            "WORDKEEP_DATABASE_URL": "postgresql://u:hush-pass@h/d",
        }
    )
    assert "hush" not in repr(settings)
    assert "port=8000" in repr(settings)


def test_own_content_is_read_after_the_shipped_one(tmp_path):
    (tmp_path / "content").mkdir()
    settings = load_settings(
        {"WORDKEEP_CONTENT_ROOTS": "/extra/a:/extra/b"}, instance=tmp_path
    )
    assert [root.name for root in settings.roots] == [
        "challenges",
        "a",
        "b",
        "content",
    ]
    assert settings.roots[1] == Path("/extra/a")
