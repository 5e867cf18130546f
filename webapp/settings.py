"""All settings: name, default, meaning. Read once, at start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from webapp.errors import ContentError

PROJECT = Path(__file__).resolve().parent.parent
PREFIX: Final = "WORDKEEP_"

# The lookup of a name fails in its own way on an empty or very long part.
_HOST: Final = r"(?:\[[0-9a-f:.]+\]|[\w-]{1,63}(?:\.[\w-]{1,63})*\.?)"
_POSTGRES: Final = re.compile(
    r"postgres(?:ql)?(?:\+psycopg)?://"
    # A second @ would make a part of the password a part of the host.
    r"(?P<rest>(?:[^:/@]*(?::[^@]*)?@)?"
    rf"(?:{_HOST})?(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?:/[^/@?]*(?:\?.*)?)?)",
    re.IGNORECASE,
)
_SQLITE: Final = re.compile(r"sqlite(?:\+pysqlite)?:///(?P<path>.+)", re.IGNORECASE)
_REDIS: Final = re.compile(
    rf"rediss?://(?:[^/@?#]*@)?{_HOST}(?::[0-9]{{1,5}})?(?:/[^@]*)?"
    r"|redis\+unix://[^@]+",
    re.IGNORECASE,
)


def _whole_path(given: Path) -> Path:
    try:
        return given.resolve()
    except (OSError, RuntimeError):
        raise ValueError(
            f"{given} leads nowhere: a link on the way may point to itself."
        ) from None


def _database_url(given: str) -> str:
    """Return the URL for SQLAlchemy; no error says anything that the URL holds."""
    url = given.strip()
    if postgres := _POSTGRES.fullmatch(url):
        if int(postgres["port"] or 0) > 65_535:
            raise ValueError("its port must be a number up to 65535.")
        # With the driver that we install.
        return f"postgresql+psycopg://{postgres['rest']}"
    if sqlite := _SQLITE.fullmatch(url):
        if "?" in sqlite["path"] or sqlite["path"] == ":memory:":
            raise ValueError(
                "an SQLite database must be a file, without options. Write ? in its "
                "path as %3F."
            )
        return f"sqlite:///{sqlite['path']}"
    if url:
        raise ValueError(
            "it must be like postgresql://user:password@host:5432/name or "
            "sqlite:////path/to/file. Write @ in a user name or password as %40."
        )
    return ""


def _host_names(given: str) -> str:
    names = [name.strip().lower() for name in given.split(",") if name.strip()]
    for name in names:
        if not re.fullmatch(rf"\.?{_HOST}", name):
            raise ValueError(
                f"“{name[:80]}” is not the name of a computer. Write names separated "
                "by commas, without http:// and port."
            )
    return ",".join(names)


def _redis_url(given: str) -> str:
    """Return the URL of a Redis server; no error says anything that the URL holds."""
    url = given.strip()
    if url and not _REDIS.fullmatch(url):
        raise ValueError(
            "it must be like redis://:password@host:6379/0. Write @, / and ? in a "
            "password as %40, %2F and %3F."
        )
    return url


# A variable that is set to nothing switches nothing on.
Switch = Annotated[bool, BeforeValidator(lambda given: given or False)]


class Settings(BaseSettings):
    """The settings of this process. WORDKEEP_<NAME> in the environment sets each."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    instance: Annotated[Path, AfterValidator(_whole_path)] = Field(
        PROJECT / "instance", description="Folder of database, keys and logs."
    )
    host: str = Field("127.0.0.1", description="Address the site listens on.")
    port: NonNegativeInt = Field(
        8000, description="Port the site listens on; for `up`, 0 is any free one."
    )
    listener: NonNegativeInt = Field(
        0, description="Open socket to listen on, set by `up`. 0: host and port."
    )
    processes: NonNegativeInt = Field(
        1, description="Site processes; more than one needs PostgreSQL."
    )
    hosts: Annotated[str, AfterValidator(_host_names)] = Field(
        "",
        description="Names under which the site may be asked for, separated by commas; "
        ".school.example stands for all names that end so. Empty: any name.",
    )
    threads: PositiveInt = Field(
        64, description="Threads of a site process: one for each request it answers."
    )
    replies_at_once: NonNegativeInt = Field(
        0,
        description="Replies that a site process writes at once, and passwords that it "
        "checks; more are told that it is busy. 0: three quarters of the threads.",
    )
    replies_per_address: NonNegativeInt = Field(
        0, description="Of those, for one address. 0: two thirds of them."
    )
    sidecar_url: str = Field(
        "", description="URL of the local models, or unix:PATH, set by `up`."
    )
    sidecar_key: str = Field(
        "", repr=False, description="Key of the local models, set by `up`."
    )
    default_endpoint: str = Field(
        "local", description="Endpoint of models named without one."
    )
    # The two URLs may hold a password.
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        "", repr=False, description="SQLAlchemy URL; empty: SQLite in the instance."
    )
    redis_url: Annotated[str, AfterValidator(_redis_url)] = Field(
        "", repr=False, description="Redis URL for sign-up limits; empty: in memory."
    )
    adapters: Path = Field(
        PROJECT / "finetune" / "adapters",
        description="Folder of the released models and their cards.",
    )
    content_roots: str = Field(
        "", description="Extra content folders, separated by a colon."
    )
    request_bytes: NonNegativeInt = Field(
        262_144, description="Largest request body, in bytes."
    )
    message_chars: NonNegativeInt = Field(
        4_000, description="Longest message any level may allow."
    )
    attempts_per_minute: NonNegativeInt = Field(
        20, description="Attempts of one player in a minute."
    )
    attempts_per_day: NonNegativeInt = Field(
        2_000, description="Attempts of one player in a day."
    )
    class_attempts_per_hour: NonNegativeInt = Field(
        5_000, description="Attempts of one class in an hour."
    )
    class_attempts_per_player: NonNegativeInt = Field(
        500, description="Of those, attempts of one player."
    )
    practices_per_minute: NonNegativeInt = Field(
        20, description="Runs of lesson panels of one player in a minute."
    )
    practices_per_day: NonNegativeInt = Field(
        2_000, description="Runs of lesson panels of one player in a day."
    )
    class_practices_per_hour: NonNegativeInt = Field(
        5_000, description="Runs of lesson panels of one class in an hour."
    )
    class_practices_per_player: NonNegativeInt = Field(
        500, description="Of those, runs of one player."
    )
    tokens_per_day: NonNegativeInt = Field(
        100_000_000,
        description="Tokens that models read and write for one class in a day (UTC).",
    )
    training_minutes_per_day: NonNegativeInt = Field(
        60, description="Minutes of training of one player in a day (UTC)."
    )
    upload_bytes: NonNegativeInt = Field(
        52_428_800, description="Largest file of data to train on, in bytes."
    )
    model_prompts_per_minute: NonNegativeInt = Field(
        20, description="Prompts of one player to trained models in a minute."
    )
    model_prompts_per_day: NonNegativeInt = Field(
        1_000, description="Prompts of one player to trained models in a day."
    )
    lab_runs_per_minute: NonNegativeInt = Field(
        20, description="Calls of models by one player in the lab in a minute."
    )
    lab_runs_per_day: NonNegativeInt = Field(
        2_000, description="Calls of models by one player in the lab in a day."
    )
    running_per_player: NonNegativeInt = Field(
        2, description="Attempts and runs of one player at the same time."
    )
    wrong_guesses: NonNegativeInt = Field(
        15, description="Wrong guesses after which a visit ends."
    )
    guesses_per_minute: NonNegativeInt = Field(
        30, description="Guesses of one player in a minute."
    )
    guesses_per_day: NonNegativeInt = Field(
        400, description="Guesses of one player in a day."
    )
    wrong_guesses_per_gate: NonNegativeInt = Field(
        60, description="Wrong guesses of one player at one gate within 24 hours."
    )
    guess_pause: NonNegativeInt = Field(
        30,
        description="Longest pause after wrong guesses, in seconds; it doubles up to "
        "that. 0: none.",
    )
    reply_seconds: NonNegativeInt = Field(
        120, description="Longest time from attempt to reply."
    )
    sign_ups_per_hour: NonNegativeInt = Field(
        600, description="New players from one address in an hour."
    )
    sign_ins_per_minute: NonNegativeInt = Field(
        10,
        description="Wrong passwords for one account from one address in a minute; "
        "all limits on wrong passwords and codes grow with it.",
    )
    secure_cookies: Switch = Field(
        False,
        description="Send cookies over HTTPS only, whatever the proxy in front says.",
    )
    trusted_proxies: NonNegativeInt = Field(
        0,
        description="Proxies in front, one behind the other, whose headers "
        "X-Forwarded-For, -Proto, -Host and -Prefix to trust.",
    )
    metrics_key: str = Field(
        "",
        repr=False,
        description="Bearer key with which /metrics may be read; an admin's token "
        "opens it as well. Empty: only that.",
    )
    pyodide_url: str = Field(
        "https://registry.npmjs.org/pyodide/-/pyodide-314.0.7.tgz",
        description="Where Python for the browser is fetched once, for the lab; only "
        "that version is taken. Empty: nowhere.",
    )
    debug_pages: Switch = Field(False, description="Show the page with all components.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given and nothing else: `load_settings` reads the variables."""
        return (init_settings,)

    @property
    def database(self) -> str | Path:
        """The SQLAlchemy URL in force, or the file of the SQLite database."""
        return self.database_url or self.instance / "wordkeep.db"

    @property
    def host_names(self) -> tuple[str, ...]:
        """The names under which the site may be asked for; empty for any."""
        return tuple(name for name in self.hosts.split(",") if name)

    @property
    def seats(self) -> int:
        """How many requests may wait for a model at once; pages keep the others."""
        most = max(1, self.threads * 3 // 4)
        return min(self.replies_at_once or most, most)

    @property
    def seats_of_one_address(self) -> int:
        """How many of the seats one address may have."""
        return self.replies_per_address or max(1, self.seats * 2 // 3)

    @property
    def roots(self) -> tuple[Path, ...]:
        """Content folders in the order in which they are read."""
        extra = tuple(Path(p) for p in self.content_roots.split(":") if p)
        own = self.content
        # A link that leads nowhere is named as a problem, not passed over.
        is_there = own.exists() or own.is_symlink()
        return (PROJECT / "challenges", *extra, *((own,) if is_there else ()))

    @property
    def content(self) -> Path:
        """The instance's own content folder; the site makes it at its start."""
        return self.instance / "content"

    def but(self, **changes: Any) -> Self:
        """Return these settings with some changed."""
        return type(self)(**{**dict(self), **changes})


def load_settings(env: Mapping[str, str], **given: Any) -> Settings:
    """Build the settings from defaults, then WORDKEEP_<NAME>, then `given`.

    A `given` value of None counts as not given. Raise ContentError that names each
    variable whose value does not fit.
    """
    source = EnvSettingsSource(Settings)
    source.env_vars = {
        name.lower(): value for name, value in env.items() if name.startswith(PREFIX)
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**{**source(), **chosen})
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
    raise ContentError(
        "\n".join(_sentence(str(mistake["loc"][0]), mistake) for mistake in mistakes)
    )


def _sentence(name: str, mistake: ErrorDetails) -> str:
    variable = f"{PREFIX}{name.upper()}"
    setting = Settings.model_fields[name]
    if mistake["type"] == "value_error":
        # Our own words; the value is not shown, because it may hold a password.
        reason = mistake["ctx"]["error"]
        return f"{variable} cannot be used: {reason}"
    return (
        f"{variable}={mistake['input']!r} is not a valid value: "
        f"{setting.description} Expected a value like {setting.default!r}."
    )
