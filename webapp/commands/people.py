"""`./wordkeep user` and `./wordkeep class`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from webapp.app import open_services
from webapp.commands.options import instance_option
from webapp.db import Database
from webapp.domain.people import accounts, classes, roster
from webapp.domain.people.roster import COMMAND
from webapp.domain.services import Services
from webapp.migrations import migrate
from webapp.rows import PLAYER, ROLES
from webapp.settings import Settings, load_settings
from webapp.supervisor import prepare_instance


@click.group()
def user() -> None:
    """Manage people."""


in_class = click.option(
    "--class", "class_name", help="Class of the person, if several have the name."
)


@user.command("add")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), default=PLAYER, show_default=True, help="Role."
)
@click.option("--class", "class_name", help="Name of the class; default: the open one.")
@click.option(
    "--password",
    "has_password",
    is_flag=True,
    help="Set a password: you are asked for it, or it is read from standard input.",
)
@instance_option
def user_add(
    name: str,
    role: str,
    class_name: str | None,
    has_password: bool,
    instance: Path | None,
) -> None:
    """Add a person, for example: user add "Ms Gray" --role instructor --password.

    An instructor looks after the class they are added to.
    """
    password = _ask_password() if has_password else None
    with _services(instance) as services:
        code = classes.join_code(services, name=class_name) if class_name else None
        player = accounts.create_player(
            services,
            name=name,
            class_code=code,
            role=role,
            password=password,
            is_invited=True,
        )
    click.echo(f"Added {player.name} ({role}). Recovery code: {player.recovery_code}")
    if password is None:
        click.echo("Without a password, only the recovery code signs them in.")


@user.command("rename")
@click.argument("name")
@click.argument("new_name")
@in_class
@instance_option
def user_rename(
    name: str, new_name: str, class_name: str | None, instance: Path | None
) -> None:
    """Give a person another nickname."""
    with _found(instance, name, class_name) as (services, found):
        roster.rename(services, actor=COMMAND, player_id=found, name=new_name)
    click.echo(f"{name} is called {new_name} now.")


@user.command("alias")
@click.argument("name")
@click.argument("alias", default="")
@in_class
@instance_option
def user_alias(
    name: str, alias: str, class_name: str | None, instance: Path | None
) -> None:
    """Change the name on the leaderboard; without ALIAS it is the nickname."""
    with _found(instance, name, class_name) as (services, found):
        roster.set_alias(services, actor=COMMAND, player_id=found, alias=alias)
    click.echo(f"The leaderboard shows {name} as {alias or name}.")


@user.command("hide")
@click.argument("name")
@in_class
@instance_option
def user_hide(name: str, class_name: str | None, instance: Path | None) -> None:
    """Take a person off all leaderboards."""
    with _found(instance, name, class_name) as (services, found):
        roster.hide(services, actor=COMMAND, player_id=found, is_hidden=True)
    click.echo(f"{name} is on no leaderboard any more.")


@user.command("show")
@click.argument("name")
@in_class
@instance_option
def user_show(name: str, class_name: str | None, instance: Path | None) -> None:
    """Put a person who was hidden back on the leaderboards."""
    with _found(instance, name, class_name) as (services, found):
        roster.hide(services, actor=COMMAND, player_id=found, is_hidden=False)
    click.echo(f"{name} is on the leaderboards again.")


@user.command("code")
@click.argument("name")
@in_class
@instance_option
def user_code(name: str, class_name: str | None, instance: Path | None) -> None:
    """Give a person a new recovery code; the old one ends."""
    with _found(instance, name, class_name) as (services, found):
        code = roster.give_code(services, actor=COMMAND, player_id=found)
    click.echo(f"New recovery code of {name}: {code.text}")
    click.echo("All browsers and programs of this person have been signed out.")


@user.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@in_class
@instance_option
def user_remove(
    name: str, yes: bool, class_name: str | None, instance: Path | None
) -> None:
    """Delete a person and everything kept about them."""
    with _found(instance, name, class_name) as (services, found):
        if not yes:
            click.confirm(
                f"Delete {name} and all they wrote? This cannot be undone.", abort=True
            )
        roster.remove(services, actor=COMMAND, player_id=found)
    click.echo(f"{name} is deleted.")


def _ask_password() -> str:
    """Ask for a password; where nobody can be asked, read one line.

    It is never an argument: every user of the computer sees those of all programs.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked


@click.group("class")
def class_() -> None:
    """Manage classes."""


@class_.command("add")
@click.argument("name")
@instance_option
def class_add(name: str, instance: Path | None) -> None:
    """Add a class; its students join with the code that is printed."""
    with _services(instance) as services:
        made = classes.add_class(services, name=name)
    click.echo(f"Added the class {made.name}. Join code: {made.join_code}")


@class_.command("season")
@click.argument("name")
@instance_option
def class_season(name: str, instance: Path | None) -> None:
    """Start a new season of a class: gates, passwords and points start again."""
    with _services(instance) as services:
        begun = classes.start_season(services, name=name)
    click.echo(f"The class {begun.name} is in season {begun.season} now.")


@class_.command("instructor")
@click.argument("name")
@click.argument("person")
@click.option("--remove", is_flag=True, help="No longer.")
@instance_option
def class_instructor(
    name: str, person: str, remove: bool, instance: Path | None
) -> None:
    """Let an instructor look after one more class."""
    with _found(instance, person, None) as (services, found):
        roster.set_teaching(
            services, class_name=name, player_id=found, is_teaching=not remove
        )
    click.echo(f"{person} {'no longer looks' if remove else 'looks'} after {name}.")


@contextmanager
def _found(
    instance: Path | None, name: str, class_name: str | None
) -> Iterator[tuple[Services, int]]:
    """Open an instance and find a person in it."""
    with _services(instance) as services:
        yield services, roster.find(services, name=name, class_name=class_name)


@contextmanager
def _services(instance: Path | None) -> Iterator[Services]:
    """Open an instance for one command, whether or not the site is running."""
    settings = load_settings(os.environ, instance=instance)
    prepare_instance(settings.instance)
    _migrate(settings)
    services = open_services(settings)
    try:
        yield services
    finally:
        services.db.dispose()
        services.boot.close()


def _migrate(settings: Settings) -> None:
    """Bring the database of an instance up to date."""
    database = Database(settings.database)
    try:
        migrate(database)
    finally:
        database.dispose()
