"""Which model a name means: the endpoints in their order, and what each of them lists.

No name of a model is known here. An endpoint serves what `endpoints.yaml` maps for it,
or else what it lists; one that has never listed anything is taken at the level's word.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from webapp.errors import BackendError, BackendRefused, ContentError
from webapp.llm.endpoints import LOCAL, Endpoint
from webapp.llm.events import Kind, Listed, ModelInfo
from webapp.llm.listing import Listings


@dataclass(frozen=True, slots=True)
class Target:
    """A model name of a level, resolved. `label` is stored with the attempt."""

    endpoint: Endpoint
    upstream: str
    label: str

    @property
    def who(self) -> str:
        """The endpoint, at the beginning of a sentence."""
        return f'The model endpoint "{self.endpoint.name}"'


class Directory:
    """The names of all models of a site. Safe to use from many threads."""

    def __init__(self, endpoints: Sequence[Endpoint], listings: Listings) -> None:
        """The first endpoint that has a name answers for it."""
        self._endpoints = tuple(endpoints)
        self._listings = listings

    def target(self, model: str) -> Target:
        """Return the model of a name, or of endpoint/name.

        Raises ContentError for a name that no endpoint has, BackendRefused for an
        endpoint that is not set up.
        """
        target = self._find(model, fresh=False) or self._find(model, fresh=True)
        target = target or self._taken_at_its_word(model)
        if target is None:
            raise self._unknown(model)
        if target.endpoint.unavailable:
            raise BackendRefused(
                f"{target.who} is not set up. Tell your instructor.",
                code="backend_unavailable",
            )
        return target

    def models(self) -> list[ModelInfo]:
        """List the models that a level may name."""
        return [
            ModelInfo(
                name=f"{endpoint.name}/{name}",
                endpoint=endpoint.name,
                label=_label(endpoint, name),
                available=not endpoint.unavailable,
                reason=endpoint.unavailable,
                kind=listed.kind,
                is_loaded=listed.is_loaded,
            )
            for endpoint in self._endpoints
            for name, upstream in self._names(endpoint, fresh=True).items()
            for listed in [self._listed(endpoint, upstream)]
        ]

    def unlisted(self) -> list[str]:
        """Return the endpoints that have not said what they serve."""
        return [e.name for e in self._endpoints if self._is_unlisted(e)]

    def usual(
        self, kind: Kind, *, reads: Literal["message", "reply"] | None = None
    ) -> str:
        """Return the name of the model that is meant where none is given.

        One of this machine comes first, and one that stands alone before an adapter,
        which was trained for one purpose. Raises ContentError if there is none of the
        kind, and BackendError if an endpoint that may have one does not answer.
        """
        candidates = [
            (endpoint.name != LOCAL, listed.is_adapter, number, name)
            for number, endpoint in enumerate(self._endpoints)
            for name, upstream in self._names(endpoint, fresh=False).items()
            if (listed := self._listed(endpoint, upstream)).kind == kind
            and reads in (None, listed.reads)
        ]
        if candidates:
            *_, number, name = min(candidates, key=lambda one: one[:3])
            endpoint = self._endpoints[number]
            first = self._find(name, fresh=False)
            is_plain = first is not None and first.endpoint is endpoint
            return name if is_plain else f"{endpoint.name}/{name}"
        silent = self.unlisted()
        if silent:
            raise BackendError(
                f'The model endpoint "{silent[0]}" cannot be reached or stopped '
                "answering. Try again in a moment.",
                code="backend_unreachable",
            )
        purpose = f" for a {reads}" if reads else ""
        raise ContentError(f"no endpoint lists a model of the kind {kind}{purpose}")

    def _find(self, model: str, *, fresh: bool) -> Target | None:
        for endpoint in self._endpoints:
            names = self._names(endpoint, fresh=fresh)
            for name in (model, model.removeprefix(f"{endpoint.name}/")):
                if name in names:
                    return Target(endpoint, names[name], _label(endpoint, name))
        return None

    def _taken_at_its_word(self, model: str) -> Target | None:
        for endpoint in self._endpoints:
            name = model.removeprefix(f"{endpoint.name}/")
            if self._is_unlisted(endpoint) and "/" not in name:
                return Target(endpoint, name, _label(endpoint, name))
        return None

    def _names(self, endpoint: Endpoint, *, fresh: bool) -> Mapping[str, str]:
        """Return name in levels → name at the endpoint; empty if it is not known."""
        if endpoint.models or endpoint.unavailable:
            return endpoint.models
        listings = self._listings
        ask = listings.fresh if fresh else listings.known
        return {name: name for name in ask(endpoint.name) or {}}

    def _is_unlisted(self, endpoint: Endpoint) -> bool:
        if endpoint.models:
            return False
        return bool(endpoint.unavailable) or self._listings.known(endpoint.name) is None

    def _listed(self, endpoint: Endpoint, upstream: str) -> Listed:
        """Return what the endpoint says of a model; without a word it chats."""
        # Only our own endpoints tell more than names: others are not asked for it.
        if endpoint.unavailable or endpoint.kind == "openai":
            return Listed(upstream)
        known = self._listings.known(endpoint.name) or {}
        return known.get(upstream) or Listed(upstream)

    def _unknown(self, model: str) -> ContentError:
        infos = self.models()
        names = [info.name for info in infos]
        bare = [name.partition("/")[2] for name in names]
        close = difflib.get_close_matches(model, [*bare, *names], n=1)
        hint = f'did you mean "{close[0]}"? ' if close else ""
        listed = ", ".join(info.label for info in infos) or "none"
        return ContentError(f'unknown model "{model}"; {hint}Known here: {listed}.')


def _label(endpoint: Endpoint, name: str) -> str:
    scripted = " (scripted)" if endpoint.kind == "scripted" else ""
    return f"{endpoint.name}/{name}{scripted}"
