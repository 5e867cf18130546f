"""Ways to put a run before a check."""

from __future__ import annotations

from typing import Any

import pytest

import webapp.checks
from tests.kit.checks import CheckModels
from webapp.plugins.check import CheckAsk, Outcome, Sample, Subject, checks
from webapp.plugins.registry import load_plugins

load_plugins(webapp.checks)


@pytest.fixture
def judge():
    """Judge a text: `judge("contains", "text", value="ex")`."""

    def run(
        name: str, text: str, *, ask: CheckAsk | None = None, **options: Any
    ) -> Outcome:
        check = checks.get(name)
        sample = Sample(text)
        subject = Subject(text, model="warden", sample=sample, samples=(sample,))
        judging = check(check.Options.model_validate(options))
        return judging.judge(subject, ask or CheckModels())

    return run


@pytest.fixture
def options():
    """Read options: `options("contains", value="ex")`; raises ValidationError."""

    def read(name: str, **given: Any) -> Any:
        return checks.get(name).Options.model_validate(given)

    return read
