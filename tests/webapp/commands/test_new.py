"""`./wordkeep level new` and `lesson new`: it works, and nothing is written over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from webapp.cli import main
from webapp.content.check import load_all
from webapp.settings import PROJECT

Run = Callable[..., Result]


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return tmp_path / "instance" / "content"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what calls a command on an instance of this test."""
    monkeypatch.setenv("WORDKEEP_INSTANCE", str(tmp_path / "instance"))

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, prog_name="./wordkeep")

    return call


def test_a_new_level_is_fine_and_can_be_played(run: Run, content: Path) -> None:
    said = run("level", "new", "cook").output
    assert "instance/content/game/own/cook.yaml" in said
    assert "--play --level cook" in said
    assert run("level", "new", "late-cook").exit_code == 0
    assert run("check", str(content)).output == "0 errors, 0 warnings.\n"
    index = load_all((PROJECT / "challenges", content)).index
    assert index is not None
    assert index.ladder("own").levels == ("cook", "late-cook")
    assert index.level("late-cook").title == "Late cook"
    text = (content / "game" / "own" / "cook.yaml").read_text()
    assert text.count("#") > 5


def test_a_new_level_from_another_one(run: Run, content: Path) -> None:
    assert run("level", "new", "cook", "--from", "censor").exit_code == 0
    assert run("check", str(content)).output == "0 errors, 0 warnings.\n"
    index = load_all((PROJECT / "challenges", content)).index
    assert index is not None
    copy, shipped = index.level("cook"), index.level("censor")
    assert (copy.title, copy.after) == ("Cook", ())
    assert (copy.guards, copy.defender) == (shipped.guards, shipped.defender)


def test_a_new_level_in_a_shipped_ladder(run: Run, content: Path) -> None:
    assert run("level", "new", "cook", "--ladder", "keep").exit_code == 0
    index = load_all((PROJECT / "challenges", content)).index
    assert index is not None
    assert index.ladder("keep").levels[-2:] == ("hardened", "cook")


def test_a_new_lesson_is_fine(run: Run, content: Path) -> None:
    said = run("lesson", "new", "ours/secret-language").output
    assert "instance/content/lessons/ours/01-secret-language.md" in said
    assert run("lesson", "new", "ours/another").exit_code == 0
    assert run("lesson", "new", "basics/extra").exit_code == 0
    assert run("check", str(content)).output == "0 errors, 0 warnings.\n"
    index = load_all((PROJECT / "challenges", content)).index
    assert index is not None
    assert [one.id for one in index.tracks[-1].lessons] == [
        "ours/secret-language",
        "ours/another",
    ]
    assert index.lesson("basics/extra").info.title == "Extra"
    assert [path.name for path in (content / "lessons" / "basics").iterdir()] == [
        "09-extra.md"
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("level", "new", "told"), 'There is a level "told" already.'),
        (("level", "new", "../x"), '"../x" cannot be a name.'),
        (("level", "new", "Cook"), '"Cook" cannot be a name.'),
        (("level", "new", "cook", "--ladder", "a/b"), '"a/b" cannot be a name.'),
        (("level", "new", "cook", "--from", "x"), 'There is no level "x".'),
        (("level", "new", "cellar"), "is a password in the list"),
        (("lesson", "new", "basics/next-word"), "already. Choose another name."),
        (("lesson", "new", "one"), "Name the track as well"),
        (("lesson", "new", "../x"), "cannot be a lesson"),
        (("lesson", "new", "a/b/c"), "cannot be a lesson"),
    ],
)
def test_what_cannot_be_begun_is_said(
    run: Run, content: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = run(*arguments)
    assert (result.exit_code, said in result.output) == (1, True), result.output
    assert list(content.glob("**/*")) == []


def test_nothing_is_written_over(run: Run, content: Path) -> None:
    place = content / "game" / "own" / "cook.yaml"
    assert run("level", "new", "cook").exit_code == 0
    place.write_text("mine")
    assert run("level", "new", "cook").exit_code == 1
    assert place.read_text() == "mine"
