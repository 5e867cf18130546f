"""Settings come from one table and complain by name."""

from dataclasses import fields
from pathlib import Path

import pytest

from webapp.errors import ContentError
from webapp.settings import SETTINGS, Settings, load_settings

pytestmark = pytest.mark.unit


def test_the_table_and_the_record_name_the_same_settings():
    assert [s.name for s in SETTINGS] == [f.name for f in fields(Settings)]
    assert all(s.help.endswith(".") for s in SETTINGS)


def test_environment_overrides_defaults_and_arguments_override_both(tmp_path):
    env = {"WORDKEEP_PORT": "8123", "WORDKEEP_HOST": "::1", "PORT": "1"}
    settings = load_settings(env, instance=tmp_path, host="127.0.0.2")
    assert (settings.port, settings.host) == (8123, "127.0.0.2")
    assert settings.database == f"sqlite:///{tmp_path / 'wordkeep.db'}"


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "eighty"), ("SECURE_COOKIES", "maybe")]
)
def test_a_bad_value_is_refused_by_name(name, value):
    with pytest.raises(ContentError) as caught:
        load_settings({f"WORDKEEP_{name}": value})
    assert f"WORDKEEP_{name}='{value}'" in caught.value.message


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
