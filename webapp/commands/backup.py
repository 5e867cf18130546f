"""`./wordkeep backup` and `./wordkeep restore`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from webapp.backup import make_backup
from webapp.backup import restore as restore_from
from webapp.commands.options import instance_option
from webapp.settings import load_settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--without-models",
    is_flag=True,
    help="Leave out the models that were trained here, which take most of the room.",
)
@instance_option
def backup(file: Path, without_models: bool, instance: Path | None) -> None:
    """Save an installation into FILE, while it runs or not.

    All that was saved before this command began is in it: people, classes, attempts,
    lessons, your own content, data and models. Attempts go on meanwhile.
    """
    settings = load_settings(os.environ, instance=instance)
    manifest = make_backup(settings, file, has_models=not without_models)
    size = file.stat().st_size / 1_000_000
    click.echo(f"Saved {settings.instance} in {file} ({size:.1f} MB).")
    if without_models:
        click.echo("The models that were trained here are not in it.")
    count = len(manifest.parts)
    click.echo(
        f"It holds {count} files, the secret key and all that people wrote. Only you "
        "can read it: keep it as safe as the computer itself."
    )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--replace",
    is_flag=True,
    help="Restore over an installation, which is kept aside.",
)
@instance_option
def restore(file: Path, replace: bool, instance: Path | None) -> None:
    """Make an installation of the backup in FILE; it must not be running.

    Everything is checked before anything is changed. A backup of an older version is
    brought up to date.
    """
    settings = load_settings(os.environ, instance=instance)
    done = restore_from(settings, file, replaces=replace)
    manifest = done.manifest
    click.echo(
        f"Restored {settings.instance} as it was on {manifest.made_at[:10]} at "
        f"{manifest.made_at[11:16]} UTC."
    )
    if done.is_migrated:
        click.echo("It was made by an older version and has been brought up to date.")
    for told in done.aside:
        click.echo(f"Kept aside: {told}. Delete it when all is well.")
    click.echo("Start it with ./wordkeep up")
