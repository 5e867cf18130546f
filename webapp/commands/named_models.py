"""Do the models that levels name exist? Asked without starting any of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

from webapp.content.rules import NamedModel
from webapp.errors import BackendError
from webapp.llm.endpoints import LOCAL, read_endpoints
from webapp.reading.plain_words import did_you_mean
from webapp.reading.problems import Problem
from webapp.settings import PROJECT, Settings


def unknown_models(
    settings: Settings, named: Sequence[NamedModel]
) -> Iterator[Problem]:
    """Yield an error for each model that no endpoint of the installation has.

    An endpoint elsewhere that does not list its models in endpoints.yaml may have any:
    it is not asked. Raises ContentError for a broken endpoints.yaml, BackendError if
    the sidecar cannot say what it serves.
    """
    entries = read_endpoints(settings.instance / "endpoints.yaml")
    known: set[str] = set()
    for entry in entries:
        known |= {f"{entry.name}/{name}" for name in entry.models} | set(entry.models)
    if all(entry.name != LOCAL for entry in entries):
        local = _local_models(settings)
        known |= {f"{LOCAL}/{name}" for name in local} | set(local)
    unlisted = [entry.name for entry in entries if not entry.models]
    for one in named:
        endpoint, slash, _ = one.name.partition("/")
        may_be_there = endpoint in unlisted if slash else bool(unlisted)
        if one.name not in known and not may_be_there:
            advice = did_you_mean(one.name, sorted(known))
            yield Problem(one.path, one.line, f'there is no model "{one.name}"', advice)


def _local_models(settings: Settings) -> list[str]:
    """Return the names that the sidecar would serve; the programs share no code."""
    asked = subprocess.run(
        (
            *(sys.executable, "-P", "-m", "finetune", "models"),
            *("--instance", str(settings.instance)),
        ),
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode != 0:
        raise BackendError(f"The local models cannot be listed: {asked.stderr.strip()}")
    return [entry["id"] for entry in json.loads(asked.stdout)]
