"""All settings in one table: name, default, meaning. Read once, at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from webapp.errors import ContentError

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table. The type of the default is the type of the value."""

    name: str
    default: Any
    help: str


SETTINGS: tuple[Setting, ...] = (
    Setting("instance", PROJECT / "instance", "Folder of database, keys and logs."),
    Setting("host", "127.0.0.1", "Address the site listens on."),
    Setting("port", 8000, "Port the site listens on; for `up`, 0 is any free one."),
    Setting("listener", 0, "Open socket to listen on, set by `up`. 0: host and port."),
    Setting("processes", 1, "Site processes; more than one needs PostgreSQL."),
    Setting("threads", 64, "Threads of a site process: one per open stream."),
    Setting("sidecar_url", "", "Base URL of the local models, set by `up`."),
    Setting("sidecar_key", "", "Key of the local models, set by `up`."),
    Setting("default_endpoint", "local", "Endpoint of models named without one."),
    Setting("database_url", "", "SQLAlchemy URL; empty: SQLite in the instance."),
    Setting("redis_url", "", "Redis URL for sign-up limits; empty: in memory."),
    Setting(
        "adapters",
        PROJECT / "finetune" / "adapters",
        "Folder of the released models and their cards.",
    ),
    Setting("content_roots", "", "Extra content folders, separated by a colon."),
    Setting("request_bytes", 262_144, "Largest request body, in bytes."),
    Setting("message_chars", 4_000, "Longest message any level may allow."),
    Setting("attempts_per_minute", 20, "Attempts of one player in a minute."),
    Setting("attempts_per_day", 2_000, "Attempts of one player in a day."),
    Setting("class_attempts_per_day", 50_000, "Attempts of one class in a day."),
    Setting("running_per_player", 2, "Attempts of one player at the same time."),
    Setting("wrong_guesses", 15, "Wrong guesses after which a visit ends."),
    Setting("guesses_per_minute", 30, "Guesses of one player in a minute."),
    Setting("guesses_per_day", 400, "Guesses of one player in a day."),
    Setting("reply_seconds", 120, "Longest time from attempt to reply."),
    Setting("sign_ups_per_hour", 120, "New players from one address in an hour."),
    Setting("sign_ins_per_minute", 20, "Sign-in tries from one address a minute."),
    Setting("secure_cookies", False, "Send cookies over HTTPS only."),
    Setting("trusted_proxies", 0, "Proxies in front whose address header counts."),
    Setting("debug_pages", False, "Show the page with all components."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of this process. Fields and meanings: `SETTINGS`."""

    instance: Path
    host: str
    port: int
    listener: int
    processes: int
    threads: int
    sidecar_url: str
    sidecar_key: str
    default_endpoint: str
    database_url: str
    redis_url: str
    adapters: Path
    content_roots: str
    request_bytes: int
    message_chars: int
    attempts_per_minute: int
    attempts_per_day: int
    class_attempts_per_day: int
    running_per_player: int
    wrong_guesses: int
    guesses_per_minute: int
    guesses_per_day: int
    reply_seconds: int
    sign_ups_per_hour: int
    sign_ins_per_minute: int
    secure_cookies: bool
    trusted_proxies: int
    debug_pages: bool

    def __repr__(self) -> str:
        shown = (f for f in fields(self) if f.name not in _PRIVATE)
        values = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in shown)
        return f"Settings({values})"

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.instance / 'wordkeep.db'}"

    @property
    def roots(self) -> tuple[Path, ...]:
        """Content folders in the order in which they are read."""
        extra = tuple(Path(p) for p in self.content_roots.split(":") if p)
        own = self.instance / "content"
        return (PROJECT / "challenges", *extra, *((own,) if own.is_dir() else ()))


# The database URL may hold a password.
_PRIVATE = frozenset({"sidecar_key", "database_url", "redis_url"})


def load_settings(env: Mapping[str, str], **given: Any) -> Settings:
    """Build the settings from defaults, then WORDKEEP_<NAME>, then `given`.

    Raise ContentError that names the variable when its value does not fit.
    """
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        raw = env.get(f"WORDKEEP_{setting.name.upper()}")
        values[setting.name] = setting.default if raw is None else _parse(setting, raw)
    values.update({name: value for name, value in given.items() if value is not None})
    values["instance"] = Path(values["instance"]).resolve()
    return Settings(**values)


def _parse(setting: Setting, raw: str) -> Any:
    kind = type(setting.default)
    if kind is bool:
        if raw.lower() in {"1", "true", "yes", "on"}:
            return True
        if raw.lower() in {"0", "false", "no", "off", ""}:
            return False
    elif kind is int:
        if raw.strip().isdigit():
            return int(raw)
    elif isinstance(setting.default, Path):
        return Path(raw)
    else:
        return raw
    raise ContentError(
        f"WORDKEEP_{setting.name.upper()}={raw!r} is not a valid value: "
        f"{setting.help} Expected a value like {setting.default!r}."
    )
