"""The endpoints of an instance: the sidecar, and what `endpoints.yaml` adds."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from webapp.errors import ContentError
from webapp.reading.lines import LinedYaml, YamlMistake, read_lined
from webapp.security import Secret
from webapp.settings import Settings

Kind = Literal["wordkeep", "openai", "scripted"]
Omittable = Literal["seed", "stop", "stream_options", "temperature", "top_p"]
LOCAL = "local"
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
    key: Secret | None = None
    timeout: float = 120.0
    max_tokens_field: str = "max_tokens"
    omit: frozenset[str] = frozenset()
    unavailable: str = ""


class EndpointEntry(BaseModel):
    """One entry of endpoints.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="Levels say name/model.")
    kind: Kind = Field(description="wordkeep, openai (any such API) or scripted.")
    base_url: str = Field("", description="Address up to and with /v1.")
    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = Field(
        None, description="Name of the environment variable that holds the key."
    )
    timeout: Annotated[float, Field(gt=0, le=3600)] = Field(
        120.0, description="Longest silence of the endpoint, in seconds."
    )
    models: dict[Name, Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=dict,
        description="Name in levels: name at the endpoint. None: what it lists.",
        min_length=1,
    )
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="How this endpoint calls the limit of a reply."
    )
    omit: frozenset[Omittable] = Field(
        frozenset(), description="Request fields that this endpoint does not accept."
    )

    @model_validator(mode="after")
    def _address_fits(self) -> EndpointEntry:
        if self.kind == "scripted":
            if self.base_url or self.key_env:
                raise ValueError("a scripted endpoint has no base_url and no key_env")
            return self
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("base_url must be an address like http://host:port/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                "base_url holds more than an address; put the key into an environment "
                "variable and its name into key_env"
            )
        return self

    def resolve(self, env: Mapping[str, str]) -> Endpoint:
        """Return the endpoint with its key; without a key it is unavailable."""
        key = env.get(self.key_env, "").strip() if self.key_env else ""
        is_missing = self.key_env is not None and not key
        url = self.base_url.rstrip("/")
        return Endpoint(
            name=self.name,
            kind=self.kind,
            models=MappingProxyType(dict(self.models)),
            base_url=_with_v1(url) if self.kind == "wordkeep" else url,
            key=Secret(key) if key else None,
            timeout=self.timeout,
            max_tokens_field=self.max_tokens_field,
            omit=self.omit,
            unavailable=(
                f"the environment variable {self.key_env} is not set"
                if is_missing
                else ""
            ),
        )


class EndpointFile(BaseModel):
    """The whole of endpoints.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoints: tuple[EndpointEntry, ...] = Field(max_length=50)


def load_endpoints(settings: Settings, env: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """Return the sidecar and the endpoints of the instance's file, in that order.

    An entry named `local` takes the sidecar's place. Raise ContentError with every
    mistake and its line when the file cannot be used.
    """
    path = settings.instance / "endpoints.yaml"
    own = tuple(e.resolve(env) for e in read_endpoints(path))
    if any(endpoint.name == LOCAL for endpoint in own):
        return own
    return (local_endpoint(settings), *own)


def local_endpoint(settings: Settings) -> Endpoint:
    """Return the sidecar that `wordkeep up` starts."""
    url = settings.sidecar_url.rstrip("/")
    return Endpoint(
        name=LOCAL,
        kind="wordkeep",
        models=MappingProxyType({}),
        base_url=_with_v1(url) if url else "",
        key=Secret(settings.sidecar_key) if settings.sidecar_key else None,
        timeout=float(settings.reply_seconds),
        unavailable="" if url else "no sidecar was started with this site",
    )


def _with_v1(url: str) -> str:
    return url if url.endswith("/v1") else f"{url}/v1"


def read_endpoints(path: Path) -> tuple[EndpointEntry, ...]:
    """Return the entries of a file, none if there is no file."""
    if not path.exists():
        return ()
    shown = f"{path.parent.name}/{path.name}"
    try:
        tree = read_lined(path)
    except YamlMistake as mistake:
        raise ContentError(f"{shown}:{mistake.line}: {mistake.message}") from None
    if tree.data is None:
        return ()
    try:
        entries = EndpointFile.model_validate(tree.data).endpoints
    except ValidationError as error:
        raise ContentError(_all_mistakes(shown, tree, error)) from None
    _refuse_doubles(shown, tree, entries)
    return entries


def _refuse_doubles(
    shown: str, tree: LinedYaml, entries: tuple[EndpointEntry, ...]
) -> None:
    names = [entry.name for entry in entries]
    for number, name in enumerate(names):
        if name in names[:number]:
            line = tree.line(("endpoints", number, "name"))
            raise ContentError(f'{shown}:{line}: two endpoints are named "{name}"')


def _all_mistakes(shown: str, tree: LinedYaml, error: ValidationError) -> str:
    found = []
    # Neither the input nor the context: the mistake may be a key in the wrong place.
    for mistake in error.errors(
        include_input=False, include_context=False, include_url=False
    ):
        line = tree.line(mistake["loc"])
        found.append((line, f"{shown}:{line}: {_sentence(mistake)}"))
    return "\n".join(text for _, text in sorted(found))


def _sentence(mistake: Mapping[str, object]) -> str:
    loc = mistake["loc"]
    last = str(loc[-1]) if isinstance(loc, tuple) and loc else "the file"
    if mistake["type"] == "extra_forbidden":
        return f'unknown key "{last}"{_advice(last)}'
    if mistake["type"] == "missing":
        return f'"{last}" is missing'
    if mistake["type"] == "string_pattern_mismatch":
        return f'"{last}" has signs that are not allowed here'
    message = str(mistake["msg"]).removeprefix("Value error, ")
    return f'"{last}": {message}' if mistake["type"] != "value_error" else message


def _advice(key: str) -> str:
    if "key" in key or "token" in key:
        return (
            "; keys do not belong into this file: put the name of an environment "
            "variable into key_env"
        )
    close = difflib.get_close_matches(key, EndpointEntry.model_fields, n=1)
    return f'; did you mean "{close[0]}"?' if close else ""
