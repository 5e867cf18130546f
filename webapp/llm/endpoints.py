"""The endpoints of an instance: the sidecar, and what `endpoints.yaml` adds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)

from webapp.errors import ContentError
from webapp.reading.plain_words import explain
from webapp.reading.problems import Problem, format_problem
from webapp.reading.tree import EmptyTree, Node, TreeProblem, read_bytes, read_tree
from webapp.security import Secret
from webapp.settings import Settings

Kind = Literal["wordkeep", "openai", "scripted"]
Omittable = Literal["seed", "stop", "stream_options", "temperature", "top_p"]
LOCAL = "local"
# How the address of a Unix socket begins, where that of a host could be.
UNIX = "unix:"
# What a request says for itself, whatever its endpoint.
_OURS = {"model", "messages", "stream", "stream_options", "user"}
_NO_ADDRESS = "base_url must be an address like http://host:port/v1"
# What nearly all hosted models have at least.
CONTEXT = 8192
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9._-]{0,39}$")]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place that serves models. `models` maps names in levels to its own names.

    Without `models` it is asked what it serves.
    """

    name: str
    kind: Kind
    models: Mapping[str, str]
    # An address may hold more than a host name; it is nobody's business but ours.
    base_url: str = field(default="", repr=False)
    # The Unix socket on which it is called, if it is called on one.
    socket: str = field(default="", repr=False)
    key: Secret | None = None
    timeout: float = 120.0
    context: int = CONTEXT
    max_tokens_field: str = "max_tokens"
    omit: frozenset[str] = frozenset()
    extra_body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    start_reply: bool = False
    # Which of its models judges replies of others; empty: none.
    judge: str = ""
    unavailable: str = ""


class EndpointEntry(BaseModel):
    """One entry of endpoints.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="Levels say name/model.")
    kind: Kind = Field(description="wordkeep, openai (any such API) or scripted.")
    base_url: str = Field("", description="Address up to and including /v1.")
    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = Field(
        None, description="Name of the environment variable that holds the key."
    )
    timeout: Annotated[float, Field(gt=0, le=3600)] = Field(
        120.0, description="Longest silence of the endpoint, in seconds."
    )
    context: Annotated[int, Field(ge=512, le=10_000_000)] = Field(
        CONTEXT,
        description=(
            "Tokens of prompt and reply together that its models take. Our own "
            "sidecar says it itself."
        ),
    )
    models: dict[Name, Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=dict,
        description="Name in levels: name at the endpoint. None: what it lists.",
        min_length=1,
    )
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="What this endpoint calls the limit of a reply."
    )
    omit: frozenset[Omittable] = Field(
        frozenset(), description="Request fields that this endpoint does not accept."
    )

    extra_body: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Fields added to each chat request, as to switch thinking off.",
    )
    start_reply: bool = Field(
        False,
        description=(
            "It carries on a reply that was begun for it, as vLLM does. Our own "
            "sidecar always does."
        ),
    )

    judge: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None,
        description=(
            "Which of its models says whose reply is better when students compare "
            "models. None: no model of it judges."
        ),
    )

    @field_validator("extra_body")
    @classmethod
    def _leaves_ours_alone(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        ours = sorted(_OURS & extra.keys())
        if ours:
            raise ValueError(f"extra_body cannot set {', '.join(ours)}")
        try:
            json.dumps(extra, allow_nan=False)
        except ValueError:
            raise ValueError("extra_body holds a number that is not finite") from None
        return extra

    @model_validator(mode="after")
    def _judge_is_served(self) -> EndpointEntry:
        if self.judge and self.models and self.judge not in self.models:
            raise ValueError(
                f"judge names “{self.judge}”, which is not among its models "
                f"({', '.join(self.models)})"
            )
        return self

    @model_validator(mode="after")
    def _address_fits(self) -> EndpointEntry:
        if self.kind == "scripted":
            if self.base_url or self.key_env or self.extra_body:
                raise ValueError(
                    "a scripted endpoint has no base_url, key_env or extra_body"
                )
            return self
        try:
            parts = urlsplit(self.base_url)
            # Both are ValueErrors for what cannot be a port or a name.
            _ = parts.port, (parts.hostname or "").encode("idna")
        except ValueError:
            raise ValueError(_NO_ADDRESS) from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(_NO_ADDRESS)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                "base_url holds more than an address; put the key into an environment "
                "variable and its name into key_env"
            )
        return self

    def resolve(self, env: Mapping[str, str]) -> Endpoint:
        """Return the endpoint with its key; without a key it is unavailable."""
        key = env.get(self.key_env, "").strip() if self.key_env else ""
        unavailable = ""
        if self.key_env and not key:
            unavailable = f"the environment variable {self.key_env} is not set"
        elif not (key.isascii() and key.isprintable()):
            unavailable = (
                f"the environment variable {self.key_env} holds a character that no "
                "key has"
            )
        url = self.base_url.rstrip("/")
        return Endpoint(
            name=self.name,
            kind=self.kind,
            models=MappingProxyType(dict(self.models)),
            base_url=_with_v1(url) if self.kind == "wordkeep" else url,
            key=Secret(key) if key else None,
            timeout=self.timeout,
            context=self.context,
            max_tokens_field=self.max_tokens_field,
            omit=self.omit,
            extra_body=MappingProxyType(dict(self.extra_body)),
            start_reply=self.start_reply,
            judge=self.judge or "",
            unavailable=unavailable,
        )


class EndpointFile(BaseModel):
    """The whole of endpoints.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoints: tuple[EndpointEntry, ...] = Field(max_length=50)


def load_endpoints(settings: Settings, env: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """Return the sidecar and the endpoints of the instance's file, in that order.

    An entry named `local` takes the sidecar's place. Raise ContentError with every
    error and its line when the file cannot be used.
    """
    path = settings.instance / "endpoints.yaml"
    own = tuple(e.resolve(env) for e in read_endpoints(path))
    if any(endpoint.name == LOCAL for endpoint in own):
        return own
    return (local_endpoint(settings), *own)


def local_endpoint(settings: Settings) -> Endpoint:
    """Return the sidecar that `wordkeep up` starts."""
    url, socket = settings.sidecar_url.rstrip("/"), ""
    if url.startswith(UNIX):
        url, socket = "http://localhost", url.removeprefix(UNIX)
    return Endpoint(
        name=LOCAL,
        kind="wordkeep",
        models=MappingProxyType({}),
        base_url=_with_v1(url) if url else "",
        socket=socket,
        key=Secret(settings.sidecar_key) if settings.sidecar_key else None,
        timeout=float(settings.reply_seconds),
        unavailable="" if url else "no sidecar was started with this site",
    )


def _with_v1(url: str) -> str:
    return url if url.endswith("/v1") else f"{url}/v1"


def read_endpoints(path: Path) -> tuple[EndpointEntry, ...]:
    """Return the entries of a file, none if there is no file.

    Raise ContentError with every mistake and its line when it cannot be used.
    """
    # A link that leads nowhere is a slip, not a missing file.
    if not path.exists() and not path.is_symlink():
        return ()
    # As the documents call it, wherever the instance may be.
    shown = Path(path.parent.name, path.name)
    try:
        node = read_tree(read_bytes(path))
    except EmptyTree:
        return ()
    except TreeProblem as error:
        raise ContentError(format_problem(error.at(shown))) from error
    try:
        entries = EndpointFile.model_validate(node.plain()).endpoints
    except ValidationError as error:
        problems = list(explain(shown, node, EndpointFile, error, advise=_advise))
    else:
        problems = list(_doubles(shown, node, entries))
    if problems:
        problems.sort(key=lambda problem: problem.line)
        raise ContentError("\n".join(format_problem(one) for one in problems))
    return entries


def _doubles(
    path: Path, node: Node, entries: tuple[EndpointEntry, ...]
) -> Iterator[Problem]:
    names = [entry.name for entry in entries]
    for number, name in enumerate(names):
        if name in names[:number]:
            line = node.find(("endpoints", number, "name")).line
            what = f'two endpoints are named "{name}"'
            yield Problem(path, line, what, "give one of them another name")


def _advise(key: str) -> str:
    if "key" in key or "token" in key:
        return (
            "keys do not belong in this file: put the name of an environment variable "
            "into key_env"
        )
    return ""
