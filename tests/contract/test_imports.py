"""No import by name: what the import linter cannot see, it cannot judge."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.settings import PROJECT

# What imports, finds or runs a module by its name.
BY_NAME = {
    "__import__",
    "exec_module",
    "import_module",
    "load_module",
    "resolve_name",
    "run_module",
    "run_path",
}
# The loader of plug-ins imports what is in the one package that it is given.
LOADER = Path("webapp/plugins/registry.py")
# Runs in another environment, and imports the one package that was installed there.
PEERS = Path("finetune/bench/peer_child.py")
OURS = {"webapp", "finetune", "tests"}


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield every call of such a function, also of one that got another name."""
    other = {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else ""
            name = called.id if isinstance(called, ast.Name) else name
            if other.get(name, name) in BY_NAME:
                yield node


def sources() -> dict[Path, str]:
    return {
        path.relative_to(PROJECT): path.read_text(encoding="utf-8")
        for folder in ("webapp", "finetune")
        for path in sorted((PROJECT / folder).rglob("*.py"))
    }


def test_nothing_is_imported_by_name_but_plugins_and_peers() -> None:
    found = {path for path, text in sources().items() if [*calls(ast.parse(text))]}
    assert found == {LOADER, PEERS}


def test_the_loader_imports_only_from_the_package_it_is_given() -> None:
    tree = ast.parse((PROJECT / LOADER).read_text(encoding="utf-8"))
    (call,) = calls(tree)
    assert ast.unparse(call) == (
        "importlib.import_module(f'{package.__name__}.{module.name}')"
    )
    (loader,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and call in ast.walk(node)
    )
    assert loader.name == "load_plugins"
    (loop,) = (node for node in ast.walk(loader) if isinstance(node, ast.For))
    assert ast.unparse(loop.target) == "module"
    assert ast.unparse(loop.iter) == "pkgutil.iter_modules(package.__path__)"


def test_peers_are_named_in_full_and_are_not_ours() -> None:
    for call in calls(ast.parse((PROJECT / PEERS).read_text(encoding="utf-8"))):
        (name,) = call.args
        assert isinstance(name, ast.Constant)
        assert str(name.value).partition(".")[0] not in OURS


@pytest.mark.parametrize(
    "code",
    [
        "import importlib\nimportlib.import_module('webapp.llm')",
        "from importlib import import_module as load\nload('webapp.llm')",
        "def late():\n    return __import__('webapp.llm')",
        "import runpy\nrunpy.run_module('webapp.llm')",
        "import pkgutil\npkgutil.resolve_name('webapp.llm')",
    ],
)
def test_such_a_call_is_found(code: str) -> None:
    assert len([*calls(ast.parse(code))]) == 1
