"""The commands behind `./wordkeep`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from webapp import guards, screenshot
from webapp.app import open_services
from webapp.content.index import Index
from webapp.content.loader import Loaded, load, load_level
from webapp.content.problems import Problem, format_problem
from webapp.db import Database
from webapp.domain import people
from webapp.domain.proof import ProofResult, play_proofs
from webapp.domain.services import Services
from webapp.errors import ContentError, InvalidInput, LabError, NotFound
from webapp.llm.gateway import open_gateway
from webapp.migrations import migrate
from webapp.models import PLAYER, ROLES
from webapp.registry import guards as guard_registry
from webapp.registry import load_plugins
from webapp.settings import PROJECT, Settings, load_settings
from webapp.supervisor import Supervisor, prepare_instance, sidecar_running

BENCHES = ("kill", "play")


class Commands(click.Group):
    """Shows an error of ours as the one sentence it is."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except LabError as error:
            click.echo(f"wordkeep: {error.message}", err=True)
            ctx.exit(1)


_instance = click.option(
    "--instance",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the database, keys and logs. Default: instance/ of the program.",
)


@click.group(cls=Commands)
def main() -> None:
    """Wordkeep: a keep of passwords, guarded by language models."""


@main.command()
@click.option("--host", help="Address to listen on; 0.0.0.0 lets the class in.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port to listen on.")
@_instance
def up(host: str | None, port: int | None, instance: Path | None) -> None:
    """Start the site and its models; Ctrl-C stops them."""
    settings = load_settings(os.environ, host=host, port=port, instance=instance)
    click.echo(f"Starting Wordkeep in {settings.instance}")
    Supervisor(settings, say=click.echo).run()


@main.command()
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--play", is_flag=True, help="Play the proofs on the real models.")
@click.option("--level", "levels", multiple=True, help="Play this level only.")
@click.option("--words", default=20, show_default=True, help="Passwords per proof.")
@click.option("--seed", default=0, show_default=True, help="Another set of passwords.")
@_instance
def check(
    path: Path | None,
    play: bool,
    levels: tuple[str, ...],
    words: int,
    seed: int,
    instance: Path | None,
) -> None:
    """List every problem of the content (all, or what is under PATH)."""
    settings = load_settings(os.environ, instance=instance)
    load_plugins(guards)
    guard_registry.freeze()
    loaded = _load_content(settings, path)
    for problem in loaded.problems:
        click.echo(format_problem(problem))
    errors = sum(problem.is_error for problem in loaded.problems)
    click.echo(f"{errors} errors, {len(loaded.problems) - errors} warnings.")
    if errors:
        raise SystemExit(1)
    if play:
        _play(settings, loaded.index, levels, words, seed)


def _load_content(settings: Settings, path: Path | None) -> Loaded:
    """Load all roots, and keep what concerns `path`."""
    if path is None:
        return load(settings.roots)
    path = path.resolve()
    if any(path.is_relative_to(root.resolve()) for root in settings.roots):
        loaded = load(settings.roots)
    elif path.is_dir():
        # A root of its own; it may use the shipped word lists.
        loaded = load((PROJECT / "challenges", path))
    else:
        return Loaded(None, load_level(path)[1])
    return Loaded(loaded.index, [p for p in loaded.problems if _is_under(p, path)])


def _is_under(problem: Problem, path: Path) -> bool:
    return problem.path.resolve().is_relative_to(path)


def _play(
    settings: Settings,
    index: Index | None,
    levels: tuple[str, ...],
    words: int,
    seed: int,
) -> None:
    if index is None:
        raise ContentError(
            "Proofs are played on content without errors. Run ./wordkeep check first."
        )
    chosen = levels or tuple(
        level.id for ladder in index.ladders for level in index.levels(ladder)
    )
    with sidecar_running(settings, say=click.echo) as reached:
        gateway = open_gateway(reached)
        results = list(
            _shown(
                play_proofs(index, gateway, level_ids=chosen, words=words, seed=seed)
            )
        )
    failed = sum(not r.passed and r.is_required for r in results)
    click.echo(f"{len(results) - failed} proofs hold, {failed} do not.")
    if failed:
        raise SystemExit(1)


def _shown(results: Iterator[ProofResult]) -> Iterator[ProofResult]:
    for result in results:
        word = "ok  " if result.passed else "FAIL" if result.is_required else "(no)"
        first = " / ".join(result.turns).replace("\n", " ")[:60]
        click.echo(
            f"{word} {result.level_id:12} {result.kind:14} "
            f"{result.hits:3}/{result.plays:<3} {first}"
        )
        yield result


@main.group()
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
    help="Password; without a value it is asked for.",
)
@_instance
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
        player = people.create_player(
            services, name=name, class_code=code, role=role, password=password
        )
    click.echo(f"Added {name} ({role}). Recovery code: {player.recovery_code}")
    if password is None:
        click.echo("Without a password, the recovery code is the way to sign in.")


def _join_code(services: Services, name: str) -> str:
    for known in people.classes(services):
        if known.name == name:
            return known.join_code
    raise NotFound(
        f'There is no class named "{name}". Add it: ./wordkeep class add "{name}"'
    )


@main.group("class")
def class_() -> None:
    """Manage classes."""


@class_.command("add")
@click.argument("name")
@_instance
def class_add(name: str, instance: Path | None) -> None:
    """Add a class; its students join with the code that is printed."""
    with _services(instance) as services:
        made = people.add_class(services, name=name)
    click.echo(f"Added the class {made.name}. Join code: {made.join_code}")


@class_.command("season")
@click.argument("name")
@_instance
def class_season(name: str, instance: Path | None) -> None:
    """Start a new season of a class: all its open visits begin anew."""
    with _services(instance) as services:
        begun = people.start_season(services, name=name)
    click.echo(f"The class {begun.name} is in season {begun.season} now.")


@contextmanager
def _services(instance: Path | None) -> Iterator[Services]:
    """Open an instance for one command, whether or not the site is running."""
    settings = load_settings(os.environ, instance=instance)
    prepare_instance(settings.instance)
    migrate_instance(settings)
    services = open_services(settings)
    try:
        yield services
    finally:
        services.db.dispose()
        services.boot.close()


def migrate_instance(settings: Settings) -> None:
    """Bring the database of an instance up to date."""
    database = Database(settings.database)
    try:
        migrate(database)
    finally:
        database.dispose()


@main.command(
    "bench",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench_(name: str, arguments: tuple[str, ...]) -> None:
    """Measure this program on this computer; `bench NAME --help` tells more."""
    if name not in BENCHES:
        raise InvalidInput(f'There is no bench "{name}", only {" and ".join(BENCHES)}.')
    module = importlib.import_module(f"webapp.bench.{name}")
    raise SystemExit(module.main(list(arguments)))


@main.command("screenshot")
@click.option(
    "--out",
    default=PROJECT / "docs" / "keep.png",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.",
)
def screenshot_(out: Path) -> None:
    """Take the picture of the README (needs Chromium)."""
    screenshot.take(out)
    click.echo(f"Wrote {out}")


if __name__ == "__main__":
    main()
