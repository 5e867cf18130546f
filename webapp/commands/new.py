"""`./wordkeep level new` and `./wordkeep lesson new`: a file to begin with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from webapp import checks, guards
from webapp.commands.options import instance_option
from webapp.domain.writing import new_files
from webapp.errors import InvalidInput
from webapp.plugins.check import checks as check_registry
from webapp.plugins.guard import guards as guard_registry
from webapp.plugins.registry import load_plugins
from webapp.reading.problems import shown_path
from webapp.settings import Settings, load_settings


@click.group()
def level() -> None:
    """Write levels."""


@click.group()
def lesson() -> None:
    """Write lessons."""


@level.command("new")
@click.argument("name")
@click.option("--from", "source", help="Begin with a copy of this level.")
@click.option(
    "--ladder", default=new_files.OWN, show_default=True, help="Ladder to put it in."
)
@instance_option
def level_new(
    name: str, source: str | None, ladder: str, instance: Path | None
) -> None:
    """Write a new level that works, with comments, for example: level new cook."""
    settings = _settings(instance)
    texts = new_files.new_level(settings.roots, name, ladder=ladder, source=source)
    _write(settings, texts)
    click.echo(f"Play it in the ladder {ladder} on the site. When you have changed it:")
    click.echo("  ./wordkeep check                       is it right?")
    click.echo(f"  ./wordkeep check --play --level {name}  can it be won?")


@lesson.command("new")
@click.argument("name", metavar="TRACK/NAME")
@instance_option
def lesson_new(name: str, instance: Path | None) -> None:
    """Write a new lesson that works, for example: lesson new ours/secret-language."""
    track, slash, slug = name.partition("/")
    if not slash:
        raise InvalidInput(
            f'Name the track as well: "ours/{name}" is the lesson "{name}" of the '
            'track "ours".'
        )
    settings = _settings(instance)
    _write(settings, new_files.new_lesson(settings.roots, track, slug))
    click.echo(f"Read it on the site at /learn/{name}. When you have changed it:")
    click.echo("  ./wordkeep check                        is it right?")
    click.echo(f"  ./wordkeep check --play --lesson {name}  can it be solved?")


def _settings(instance: Path | None) -> Settings:
    settings = load_settings(os.environ, instance=instance)
    load_plugins(guards)
    guard_registry.freeze()
    load_plugins(checks)
    check_registry.freeze()
    settings.content.mkdir(parents=True, exist_ok=True)
    return settings


def _write(settings: Settings, texts: new_files.Texts) -> None:
    for path in new_files.write_new(settings.content, texts):
        click.echo(f"Written: {shown_path(path)}")
