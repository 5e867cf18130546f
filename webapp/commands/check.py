"""`./wordkeep check`: is the content right, and can its levels be won?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from webapp import checks, guards
from webapp.commands.named_models import unknown_models
from webapp.commands.options import instance_option
from webapp.commands.panel_proofs import chosen_lessons, play_lessons
from webapp.content.check import format_problem, load_path
from webapp.content.index import Index
from webapp.content.rules import NamedModel
from webapp.domain.calibration.proof import ProofResult, play_proofs
from webapp.errors import ContentError
from webapp.llm.gateway import open_gateway
from webapp.plugins.check import checks as check_registry
from webapp.plugins.guard import guards as guard_registry
from webapp.plugins.registry import load_plugins
from webapp.settings import Settings, load_settings
from webapp.supervisor import sidecar_running


@click.command()
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--play", is_flag=True, help="Play the proofs on the real models.")
@click.option("--level", "levels", multiple=True, help="Play this level only.")
@click.option(
    "--words",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Passwords per proof.",
)
@click.option(
    "--lesson",
    "lessons",
    multiple=True,
    help="Play the panels of this lesson or track only; all: of all lessons.",
)
@click.option(
    "--samples",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Replies per entry of a panel's proof.",
)
@click.option(
    "--proven",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what panels came to into this file: challenges/lessons/proven.json.",
)
@click.option("--seed", default=0, show_default=True, help="Another set of passwords.")
@instance_option
def check(
    *,
    path: Path | None,
    play: bool,
    levels: tuple[str, ...],
    words: int,
    lessons: tuple[str, ...],
    samples: int,
    proven: Path | None,
    seed: int,
    instance: Path | None,
) -> None:
    """List every problem of the content (all, or what is under PATH)."""
    settings = load_settings(os.environ, instance=instance)
    load_plugins(guards)
    guard_registry.freeze()
    load_plugins(checks)
    check_registry.freeze()
    loaded = load_path(path, live=settings.roots)
    problems = [*unknown_models(settings, _within(path, loaded.models))]
    problems += loaded.problems
    for problem in problems:
        click.echo(format_problem(problem))
    errors = sum(problem.is_error for problem in problems)
    warnings = len(problems) - errors
    click.echo(f"{_count(errors, 'error')}, {_count(warnings, 'warning')}.")
    if errors and not (play and lessons):
        raise SystemExit(1)
    if play:
        index = _playable(loaded.index)
        holds = True
        with sidecar_running(settings, say=click.echo) as reached:
            if levels or not lessons:
                holds = _play(reached, index, levels, words, seed)
            if lessons or not levels:
                holds &= play_lessons(
                    index,
                    open_gateway(reached),
                    lessons=chosen_lessons(index, lessons),
                    samples=samples,
                    seed=seed,
                    proven=proven,
                )
        # One lesson may be played while others still have errors.
        if errors or not holds:
            raise SystemExit(1)


def _within(path: Path | None, named: tuple[NamedModel, ...]) -> tuple[NamedModel, ...]:
    """Return the models that are named under a path."""
    if path is None:
        return named
    top = path.resolve()
    return tuple(one for one in named if one.path.resolve().is_relative_to(top))


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _playable(index: Index | None) -> Index:
    if index is None:
        raise ContentError(
            "Proofs are played on content without errors. Run ./wordkeep check first."
        )
    return index


def _play(
    settings: Settings,
    index: Index,
    levels: tuple[str, ...],
    words: int,
    seed: int,
) -> bool:
    """Play the proofs of levels and print them; say whether those hold that must."""
    chosen = levels or tuple(
        level.id for ladder in index.ladders for level in index.levels(ladder)
    )
    if not levels:
        click.echo(
            f"Playing the proofs of {len(chosen)} levels with {words} passwords each. "
            "That can take more than ten minutes: --level ID and --words N make it "
            "shorter."
        )
    gateway = open_gateway(settings)
    played = play_proofs(index, gateway, level_ids=chosen, words=words, seed=seed)
    results = list(_shown(played))
    failed = sum(not r.passed and r.is_required for r in results)
    held = sum(result.passed for result in results)
    click.echo(f"{held} of {len(results)} proofs held; {failed} that must hold failed.")
    return failed == 0


def _shown(results: Iterator[ProofResult]) -> Iterator[ProofResult]:
    for result in results:
        word = "ok  " if result.passed else "FAIL" if result.is_required else "(no)"
        first = " / ".join(result.turns).replace("\n", " ")[:60]
        click.echo(
            f"{word} {result.level_id:12} {result.kind:14} "
            f"{result.hits:3}/{result.plays:<3} {first}"
        )
        yield result
