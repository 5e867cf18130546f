"""`./wordkeep pack`: own content in one file, and content of others."""

from __future__ import annotations

import os
from pathlib import Path

import click

from webapp import checks, guards
from webapp.app import open_services
from webapp.commands.options import instance_option
from webapp.db import Database
from webapp.domain.people.roster import COMMAND
from webapp.domain.writing import importing, packs
from webapp.errors import InvalidInput
from webapp.files import write_whole
from webapp.migrations import migrate
from webapp.plugins.registry import load_plugins
from webapp.reading.problems import format_problem
from webapp.settings import load_settings
from webapp.supervisor import prepare_instance


@click.group()
def pack() -> None:
    """Give levels and lessons to others, and take theirs."""


@pack.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("paths", nargs=-1)
@click.option("--name", help="Name of the pack. Default: that of the file.")
@click.option("--version", default="1", show_default=True, help="Its version.")
@instance_option
def pack_export(
    file: Path,
    paths: tuple[str, ...],
    name: str | None,
    version: str,
    instance: Path | None,
) -> None:
    """Put own content into FILE: all of it, or PATHS such as game/own."""
    settings = load_settings(os.environ, instance=instance)
    data = packs.make(
        settings.content, name=name or file.stem, version=version, paths=paths
    )
    write_whole(file, data)
    for one in packs.read(data).manifest.files:
        click.echo(one.path)
    click.echo(f"Written: {file}")


@pack.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--look", is_flag=True, help="Only show what it would do.")
@instance_option
def pack_import(file: Path, look: bool, instance: Path | None) -> None:
    """Bring the content of FILE in, after all of it has been checked."""
    settings = load_settings(os.environ, instance=instance)
    with file.open("rb") as opened:
        data = opened.read(packs.MOST_PACK_BYTES + 1)
    if look:
        load_plugins(guards)
        load_plugins(checks)
        plan = packs.plan(settings.roots, packs.read(data))
        _show(plan)
        if not plan.is_fine:
            raise InvalidInput("This pack cannot be brought in as it is.")
        return
    prepare_instance(settings.instance)
    database = Database(settings.database)
    migrate(database)
    database.dispose()
    services = open_services(settings)
    try:
        _show(importing.bring_in(services, data, author=COMMAND.name))
    finally:
        services.db.dispose()
        services.boot.close()
    click.echo("Brought in. It goes live within two seconds.")


def _show(plan: packs.PackPlan) -> None:
    manifest = plan.pack.manifest
    click.echo(f"{manifest.name}, version {manifest.version}")
    for line in plan.lines:
        click.echo(f"{line.change:9} {line.path}")
    for problem in plan.problems:
        click.echo(format_problem(problem))
