"""`./wordkeep check`: is the content right, and can its levels be won?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from webapp import guards
from webapp.commands.options import instance_option
from webapp.content.check import format_problem, load_path
from webapp.content.index import Index
from webapp.domain.calibration.proof import ProofResult, play_proofs
from webapp.errors import ContentError
from webapp.llm.gateway import open_gateway
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
@click.option("--seed", default=0, show_default=True, help="Another set of passwords.")
@instance_option
def check(
    *,
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
    loaded = load_path(path, live=settings.roots)
    for problem in loaded.problems:
        click.echo(format_problem(problem))
    errors = sum(problem.is_error for problem in loaded.problems)
    warnings = len(loaded.problems) - errors
    click.echo(f"{_count(errors, 'error')}, {_count(warnings, 'warning')}.")
    if errors:
        raise SystemExit(1)
    if play:
        _play(settings, loaded.index, levels, words, seed)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


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
    held = sum(result.passed for result in results)
    click.echo(f"{held} of {len(results)} proofs held; {failed} that must hold failed.")
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
