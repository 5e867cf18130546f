"""Settings have a default and a meaning each, and complain by name."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from webapp.errors import ContentError
from webapp.settings import Settings, load_settings

pytestmark = pytest.mark.unit
URLS = {"database_url": "postgresql+psycopg://h/d", "redis_url": "redis://h"}


def test_every_setting_has_a_default_and_says_what_it_is():
    assert Settings.model_fields
    for name, field in Settings.model_fields.items():
        assert not field.is_required(), name
        assert (field.description or "").endswith("."), name


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_read_from_its_variable(name, tmp_path):
    default = getattr(load_settings({}), name)
    other = {bool: "on", int: "7", str: "x"}.get(type(default), str(tmp_path))
    other = URLS.get(name, other)
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
    assert settings.database == tmp_path / "wordkeep.db"


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


def test_an_instance_that_is_a_link_to_itself_is_one_sentence(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(ContentError) as caught:
        load_settings({}, instance=loop / "instance")
    assert caught.value.message == (
        f"WORDKEEP_INSTANCE cannot be used: {loop}/instance leads nowhere: a link on "
        "the way may point to itself."
    )


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p%40@h:5432/d", "postgresql+psycopg://u:p%40@h:5432/d"),
        ("POSTGRES://u:a/b?c#d@h/d", "postgresql+psycopg://u:a/b?c#d@h/d"),
        (" postgres+psycopg://u@[::1]/d\n", "postgresql+psycopg://u@[::1]/d"),
        (
            "postgres://u@/d?host=/run/x&application_name=a@b",
            "postgresql+psycopg://u@/d?host=/run/x&application_name=a@b",
        ),
        ("sqlite:////srv/a b.db", "sqlite:////srv/a b.db"),
        ("  ", ""),
    ],
)
def test_the_address_of_a_database_is_read_as_others_write_it(given, url):
    settings = load_settings({"WORDKEEP_DATABASE_URL": given})
    assert settings.database_url == url
    assert settings.but(port=1).database_url == url


LIKE = (
    "it must be like postgresql://user:password@host:5432/name or "
    "sqlite:////path/to/file. Write @ in a user name or password as %40."
)
FILE = "an SQLite database must be a file, without options. Write ? in its path as %3F."


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("postgres://u:hush@ter@h/d", LIKE),
        ("postgres://u:hush@te/r@h/d", LIKE),
        ("postgres://u:hush/d", LIKE),
        ("postgres://u:hush h/d", LIKE),
        ("postgres://u:hush@h:port/d", LIKE),
        ("postgres://u:hush@192.168..10/d", LIKE),
        ("postgres://u:hush@h:65536/d", "its port must be a number up to 65535."),
        ("postgres:/u:hush@h/d", LIKE),
        ("postgres//u:hush@h/d", LIKE),
        ("mysql://u:hush@h/d", LIKE),
        ("postgresql+psycopg2://u:hush@h/d", LIKE),
        ("jdbc:postgresql://h/d?password=hush", LIKE),
        ("hush", LIKE),
        ("sqlite:hush.db", LIKE),
        ("sqlite://", LIKE),
        ("sqlite:///", LIKE),
        ("sqlite:///:memory:", FILE),
        ("sqlite:///hush?mode=memory", FILE),
    ],
)
def test_a_slip_in_the_address_of_a_database_is_one_sentence_without_it(given, reason):
    with pytest.raises(ContentError) as caught:
        load_settings({"WORDKEEP_DATABASE_URL": given})
    assert caught.value.message == f"WORDKEEP_DATABASE_URL cannot be used: {reason}"


@pytest.mark.parametrize(
    "given",
    [
        "redis://:hush/ter@h",
        "redis://hush/ter@h",
        "redis://:hush?ter@h",
        "redis://:hush#ter@h",
        "redis://:hush@h:port",
        "redis:/:hush@h",
        "rediss://",
        "hush",
        "memcached://hush",
    ],
)
def test_a_slip_in_the_address_of_redis_is_one_sentence_without_it(given):
    with pytest.raises(ContentError) as caught:
        load_settings({"WORDKEEP_REDIS_URL": given})
    assert caught.value.message == (
        "WORDKEEP_REDIS_URL cannot be used: it must be like "
        "redis://:password@host:6379/0. Write @, / and ? in a password as %40, %2F "
        "and %3F."
    )


@pytest.mark.parametrize(
    "url",
    [
        *("redis://h", "rediss://u:p%40@h:6379/0", "redis://:p@[::1]:6379"),
        *("redis+unix:///run/redis.sock", ""),
    ],
)
def test_the_address_of_redis(url):
    assert load_settings({"WORDKEEP_REDIS_URL": f"{url} "}).redis_url == url
