"""`./wordkeep user` and `./wordkeep class`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from webapp.app import open_services
from webapp.commands.options import instance_option
from webapp.db import Database
from webapp.domain.people import accounts, classes
from webapp.domain.services import Services
from webapp.errors import NotFound
from webapp.migrations import migrate
from webapp.rows import PLAYER, ROLES
from webapp.settings import Settings, load_settings
from webapp.supervisor import prepare_instance


@click.group()
def user() -> None:
    """Manage people."""


@user.command("add")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), default=PLAYER, show_default=True, help="Role."
)
@click.option("--class", "class_name", help="Name of the class; default: the open one.")
@click.option(
    "--password",
    prompt=True,
    prompt_required=False,
    hide_input=True,
    confirmation_prompt=True,
    help="Password; without a value you are asked for it.",
)
@instance_option
def user_add(
    name: str,
    role: str,
    class_name: str | None,
    password: str | None,
    instance: Path | None,
) -> None:
    """Add a person, for example: user add "Ms Gray" --role instructor --password."""
    with _services(instance) as services:
        code = _join_code(services, class_name) if class_name else None
        player = accounts.create_player(
            services, name=name, class_code=code, role=role, password=password
        )
    click.echo(f"Added {name} ({role}). Recovery code: {player.recovery_code}")
    if password is None:
        click.echo("Without a password, only the recovery code signs them in.")


def _join_code(services: Services, name: str) -> str:
    for known in classes.classes(services):
        if known.name == name:
            return known.join_code
    raise NotFound(
        f'There is no class named "{name}". Add it: ./wordkeep class add "{name}"'
    )


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
    """Start a new season of a class: all its open visits start again."""
    with _services(instance) as services:
        begun = classes.start_season(services, name=name)
    click.echo(f"The class {begun.name} is in season {begun.season} now.")


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
