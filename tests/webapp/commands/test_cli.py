"""The commands behind `./wordkeep`, called in this process."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from webapp.cli import COMMANDS, main
from webapp.db import Database
from webapp.rows import Player, SchoolClass
from webapp.security import token_digest
from webapp.settings import PROJECT

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what calls a command on an instance of this test."""
    monkeypatch.setenv("WORDKEEP_INSTANCE", str(tmp_path / "instance"))

    def call(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(main, arguments, input=typed, prog_name="./wordkeep")

    return call


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path}/instance/wordkeep.db")


def test_every_command_explains_itself(run: Run) -> None:
    shown = run("--help").output
    for name in COMMANDS:
        assert f"\n  {name} " in shown
        assert run(name, "--help").output.startswith(f"Usage: ./wordkeep {name}")


def test_the_front_door_lists_every_command() -> None:
    script = (PROJECT / "wordkeep").read_text()
    listed = re.findall(r"^  ([a-z]+) ", script.split("Usage:")[1], re.MULTILINE)
    assert {*COMMANDS, "test", "lock"} <= set(listed)


@pytest.mark.parametrize(
    ("arguments", "address", "said"),
    [
        (arguments, address, said)
        for arguments in (("up", "--port", "0"), ("class", "add", "10b"), ("check",))
        for address, said in (
            ("postgres://u:hush@ter@h/d", "cannot be used: it must be like postgres"),
            ("sqlite:///x?mode=memory", "cannot be used: an SQLite database must be"),
        )
    ],
)
def test_a_slip_in_a_setting_is_one_sentence_of_every_command(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    address: str,
    said: str,
) -> None:
    monkeypatch.setenv("WORDKEEP_DATABASE_URL", address)
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.output.startswith(f"wordkeep: WORDKEEP_DATABASE_URL {said}")
    assert result.output.count("\n") == 1
    assert "hush" not in result.output


@pytest.mark.parametrize("name", ["secret.key", "instance.id", "endpoints.yaml"])
@pytest.mark.parametrize("kind", ["folder", "loop", "dangling"])
def test_a_file_of_the_instance_that_is_none_is_one_sentence(
    run: Run, tmp_path: Path, name: str, kind: str
) -> None:
    path = tmp_path / "instance" / name
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(name if kind == "loop" else "no/thing")
    result = run("class", "add", "10b")
    assert result.exit_code == 1
    # Its own commands do not show the whole path of endpoints.yaml.
    assert re.match(rf"wordkeep: \S*{re.escape(name)}\S* cannot be ", result.output)
    assert result.output.count("\n") == 1


def test_a_lock_of_the_instance_that_is_a_folder_is_one_sentence(
    run: Run, tmp_path: Path
) -> None:
    lock = tmp_path / "instance" / "up.lock"
    lock.mkdir(parents=True)
    result = run("up", "--port", "0")
    assert result.exit_code == 1
    assert result.output.endswith(
        f"wordkeep: {lock} cannot be used: is a directory. Move it away or correct who "
        "may read and write it, and start again.\n"
    )


def test_people_and_classes_are_added(run: Run, database: Database) -> None:
    added = run("class", "add", "10b")
    code = re.fullmatch(
        r"Added the class 10b\. Join code: ([A-Z0-9-]+)\n", added.output
    )
    assert code is not None
    person = run(
        *("user", "add", "Ms Gray", "--role", "instructor"),
        *("--class", "10b", "--password"),
        typed="correct horse\n",
    )
    assert re.fullmatch(
        r"Added Ms Gray \(instructor\)\. Recovery code: [A-Z0-9-]+\n", person.output
    )
    with database.read() as session:
        player = session.query(Player).one()
        school_class = session.query(SchoolClass).one()
    assert (player.name, player.role) == ("Ms Gray", "instructor")
    assert player.class_id == school_class.id
    assert school_class.join_code == code[1]
    assert (player.password_hash or "").startswith("$argon2id$")
    database.dispose()


def test_a_password_is_asked_for_and_not_shown(run: Run) -> None:
    typed = "a long password\na long password\n"
    shown = run("user", "add", "Ada", "--password", typed=typed)
    assert shown.exit_code == 0
    assert "a long password" not in shown.output


def test_a_password_is_not_taken_from_the_command_line(run: Run) -> None:
    done = run("user", "add", "Ada", "--password", "correct horse")
    assert done.exit_code == 2
    assert "unexpected extra argument" in done.output


def test_a_password_that_is_too_short_is_one_sentence(run: Run) -> None:
    done = run("user", "add", "Ada", "--password", typed="short\n")
    assert done.output == "wordkeep: A password has 8 to 200 characters.\n"


def test_a_player_is_looked_after_by_command(run: Run, database: Database) -> None:
    def player() -> Player | None:
        with database.read() as session:
            return session.scalars(select(Player)).one_or_none()

    run("user", "add", "Ada")
    assert run("user", "rename", "ada", "Eve").output == "ada is called Eve now.\n"
    run("user", "alias", "Eve", "Countess")
    run("user", "hide", "Eve")
    found = player()
    assert found is not None
    assert (found.name, found.alias, found.is_hidden) == ("Eve", "Countess", True)
    run("user", "show", "Eve")
    assert run("user", "alias", "Eve").output == "The leaderboard shows Eve as Eve.\n"
    found = player()
    assert found is not None
    assert (found.alias, found.is_hidden) == (None, False)
    told = run("user", "code", "Eve").output
    code = re.match(r"New recovery code of Eve: ([A-Z0-9-]+)\n", told)
    assert code is not None
    found = player()
    assert found is not None
    assert found.recovery_digest == token_digest(code[1])
    assert run("user", "remove", "Eve", typed="n\n").exit_code == 1
    assert player() is not None
    assert run("user", "remove", "Eve", "--yes").output == "Eve is deleted.\n"
    assert player() is None
    database.dispose()


def test_an_instructor_gets_one_more_class(run: Run) -> None:
    run("class", "add", "10b")
    run("user", "add", "Ms Gray", "--role", "instructor")
    for more, said in (((), "looks"), (("--remove",), "no longer looks")):
        done = run("class", "instructor", "10b", "Ms Gray", *more)
        assert done.output == f"Ms Gray {said} after 10b.\n"


def test_without_a_password_the_code_is_the_way_in(run: Run) -> None:
    assert run("user", "add", "Ada").output.splitlines()[1] == (
        "Without a password, only the recovery code signs them in."
    )


def test_a_season_is_started(run: Run) -> None:
    run("class", "add", "10b")
    assert run("class", "season", "10b").output == (
        "The class 10b is in season 2 now.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("class", "season", "9z"), 'There is no class named "9z".'),
        (("user", "rename", "Ada", "Eve"), 'Nobody is called "Ada".'),
        (("user", "code", "Ada"), 'Nobody is called "Ada".'),
        (
            ("user", "add", "Ada", "--class", "9z"),
            'There is no class named "9z". Add it: ./wordkeep class add "9z"',
        ),
        (
            ("bench", "speed"),
            'There is no bench "speed"; there are backup, class, guards, kill, '
            "lessons, pages, play, playground, publishers, resume, serving, sharing "
            "and train.",
        ),
        (
            ("bench", "guards"),
            "Run it through the front door: ./wordkeep bench guards.",
        ),
    ],
)
def test_a_mistake_is_one_sentence(
    run: Run, arguments: tuple[str, ...], sentence: str
) -> None:
    done = run(*arguments)
    assert done.exit_code == 1
    assert done.output == f"wordkeep: {sentence}\n"


def test_a_setting_that_does_not_fit_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORDKEEP_THREADS", "many")
    done = run("class", "add", "10b")
    assert done.exit_code == 1
    assert done.output.startswith("wordkeep: WORDKEEP_THREADS='many' is not a valid")
