"""Turns the checks of a panel into records that the checks' own classes validated.

- equals: "{word}zo"              the option that the check's SHORT names
  of: reply                       beside it: what all checks know, and options
- word-count: {min: 5, of: rule}  or everything inside
- not-any-of: [is-json, regex: x] a group of checks
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import (
    BaseModel,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from webapp.content.lessons.schema import CheckSpec
from webapp.content.schema import Record
from webapp.plugins import check as plugin
from webapp.plugins.check import Aspect, Check
from webapp.reading.plain_words import did_you_mean, explain
from webapp.reading.problems import Problem
from webapp.reading.tree import Node

NOT: Final = "not-"
AT_LEAST: Final = "at-least"
GROUPS: Final = ("all-of", "any-of", AT_LEAST)
# What `of` may be besides the name of a slot.
ASPECTS: Final[tuple[str, ...]] = tuple(
    aspect for aspect in get_args(Aspect) if aspect != "slot"
)
# What there is to look at where no model is called.
WITHOUT_A_CALL: Final = ("prompt", "request")

_Sentence = Annotated[StrictStr, Field(min_length=1, max_length=400)]


class Common(Record):
    """What every check knows, whatever it looks for."""

    of: StrictStr | None = Field(
        None,
        description=(
            "What is looked at: reply, prompt, request, probabilities, runs, or the "
            "name of a slot."
        ),
    )
    say: _Sentence | None = Field(
        None, description="What the student reads if it fails. May hold {reply}."
    )
    why: _Sentence | None = Field(None, description="Why that matters; one sentence.")
    weight: StrictFloat = Field(1.0, ge=0, description="Its share of the score.")
    metric: StrictStr | None = Field(
        None, description="A name under which scores of several checks are added."
    )
    required: StrictBool = Field(
        True, description="false: told, but it decides nothing."
    )


COMMON: Final = frozenset(Common.model_fields)


class _Least(Record):
    n: StrictInt = Field(ge=1, le=20)


@dataclass(slots=True)
class ReadChecks:
    """The slots and the kind of panel around some checks, and what is wrong."""

    path: Path
    slots: frozenset[str]
    talk: Literal["chat", "complete", "none"] = "chat"
    problems: list[Problem] = field(default_factory=list)
    # The line of each check, in the order in which they are read.
    lines: dict[int, int] = field(default_factory=dict)

    def read(self, node: Node) -> tuple[CheckSpec, ...]:
        """Return the valid checks of a list, or of one that stands by itself."""
        items = node.items if node.value is list else [node]
        specs = [self._check(item, None) for item in items]
        return tuple(spec for spec in specs if spec is not None)

    def line_of(self, spec: CheckSpec) -> int:
        """Return the line of a check that was read here."""
        return self.lines.get(id(spec), 1)

    def _check(self, node: Node, above: str | None) -> CheckSpec | None:
        entry = _entry(node)
        if entry is None:
            self._wrong(node, "this is not one check", _SHAPE)
            return None
        name, value, beside = entry
        bare = name.removeprefix(NOT)
        if bare not in GROUPS and bare not in plugin.checks.names():
            known = (*GROUPS, *plugin.checks.names())
            advice = did_you_mean(bare, known)
            self._wrong(value, f'unknown check "{bare}"', advice)
            return None
        common, options = _divide(value, beside, is_group=bare in GROUPS)
        told = len(self.problems)
        said = self._common(node, bare, common)
        if bare in GROUPS:
            spec = self._group(name, value, said, above)
        else:
            spec = self._single(name, options, said, above)
        if spec is None or len(self.problems) > told:
            return None
        self.lines[id(spec)] = value.line
        return spec

    def _common(self, node: Node, name: str, pairs: Mapping[str, Node]) -> Common:
        below = Node(node.line, dict, pairs=dict(pairs))
        try:
            return Common.model_validate(below.plain())
        except ValidationError as error:
            self._explain(name, below, Common, error)
            return Common()

    def _single(
        self, name: str, options: Node, common: Common, above: str | None
    ) -> CheckSpec | None:
        bare = name.removeprefix(NOT)
        check = plugin.checks.get(bare)
        if options.value is not dict:
            if not check.SHORT:
                advice = f"write - {name}: {{option: value}}, or - {name} alone"
                self._wrong(options, f'check "{bare}" has no short form', advice)
                return None
            pairs = {check.SHORT: Node(options.line, options.value, options.items)}
            options = Node(options.line, dict, pairs={**pairs, **options.pairs})
        of = common.of or above or check.aspects[0]
        self._aspect(options, bare, check, of)
        try:
            checked = check.Options.model_validate_json(
                # Strict JSON: lists may fill tuples, but "5" is not a number.
                json.dumps(options.plain()),
                strict=True,
            )
        except ValidationError as error:
            self._explain(bare, options, check.Options, error)
            return None
        return _spec(name, common, of, options=checked)

    def _aspect(self, node: Node, name: str, check: type[Check], of: str) -> None:
        can = set(check.aspects)
        known: set[str] = {aspect for aspect in can if aspect != "slot"}
        if self.talk == "none":
            known &= set(WITHOUT_A_CALL)
        if "slot" in can:
            known |= self.slots
        if of in known:
            return
        if self.talk == "none" and of in ASPECTS:
            what = f'check "{name}" looks at the {of}, but this panel calls no model'
            self._wrong(node, what, "write of: prompt, or the name of a slot")
        elif of in ASPECTS or of in self.slots:
            what = f'check "{name}" cannot look at "{of}"'
            self._wrong(node, what, f"it works on: {', '.join(sorted(known))}")
        else:
            what = f'check "{name}": there is no slot "{of}"'
            self._wrong(node, what, did_you_mean(of, known))

    def _group(
        self, name: str, value: Node, common: Common, above: str | None
    ) -> CheckSpec | None:
        least, parts = 0, value
        if name.removeprefix(NOT) == AT_LEAST:
            below = Node(value.line, dict, pairs=_only(value, ("n",)))
            try:
                least = _Least.model_validate(below.plain()).n
            except ValidationError as error:
                self._explain(AT_LEAST, below, _Least, error)
            parts = value.pairs.get("of", value)
        if parts.value is not list or not parts.items:
            shape = (
                "{n: 2, of: [checks]}" if parts is not value or least else "[checks]"
            )
            what = f'"{name}" needs a list of checks'
            self._wrong(parts, what, f"write - {name}: {shape}")
            return None
        if least > len(parts.items):
            what = f"{least} of {len(parts.items)} checks can never pass"
            self._wrong(value, what, "lower n or add checks")
        of = common.of or above
        specs = [self._check(item, of) for item in parts.items]
        kept = tuple(spec for spec in specs if spec is not None)
        return _spec(name, common, of or "reply", parts=kept, least=least)

    def _explain(
        self, name: str, node: Node, model: type[BaseModel], error: ValidationError
    ) -> None:
        for problem in explain(self.path, node, model, error):
            message = f'check "{name}": {problem.message}'
            self.problems.append(
                Problem(self.path, problem.line, message, problem.suggestion)
            )

    def _wrong(self, node: Node, message: str, advice: str) -> None:
        self.problems.append(Problem(self.path, node.line, message, advice))


_SHAPE: Final = "write - name, - name: value or - name: {option: value}"


def _entry(node: Node) -> tuple[str, Node, dict[str, Node]] | None:
    """Return the name of a check, its value, and what stands beside it."""
    if isinstance(node.value, str):
        return node.value, Node(node.line, dict), {}
    if node.value is not dict:
        return None
    names = [key for key in node.pairs if key not in COMMON]
    if not names:
        return None
    known = (*GROUPS, *plugin.checks.names())
    first = next((key for key in names if key.removeprefix(NOT) in known), names[0])
    value = node.pairs[first]
    if value.value is None:  # `- is-json:` with nothing after it
        value = Node(value.line, dict)
    return first, value, {k: v for k, v in node.pairs.items() if k != first}


def _divide(
    value: Node, beside: Mapping[str, Node], *, is_group: bool
) -> tuple[dict[str, Node], Node]:
    """Return what all checks know, and the options of this one."""
    inside = value.pairs if value.value is dict else {}
    if is_group:
        # Here `of` inside is the list of checks.
        own = {k: v for k, v in inside.items() if k not in {"n", "of"}}
        return {**own, **beside}, value
    common = {k: v for k, v in (*inside.items(), *beside.items()) if k in COMMON}
    options = {k: v for k, v in (*inside.items(), *beside.items()) if k not in COMMON}
    if value.value is dict:
        return common, Node(value.line, dict, pairs=options)
    # A value by itself: options that stand beside it are kept with it.
    return common, Node(value.line, value.value, value.items, options)


def _only(node: Node, keys: tuple[str, ...]) -> dict[str, Node]:
    return {key: below for key, below in node.pairs.items() if key in keys}


def _spec(
    name: str,
    common: Common,
    of: str,
    *,
    options: BaseModel | None = None,
    parts: tuple[CheckSpec, ...] = (),
    least: int = 0,
) -> CheckSpec:
    return CheckSpec(
        name=name.removeprefix(NOT),
        negated=name.startswith(NOT),
        of=of,
        options=options,
        parts=parts,
        least=least,
        say=common.say,
        why=common.why,
        weight=common.weight,
        metric=common.metric,
        required=common.required,
    )


def each(specs: tuple[CheckSpec, ...]) -> Iterator[CheckSpec]:
    """Yield checks and the parts of groups."""
    for spec in specs:
        yield spec
        yield from each(spec.parts)
