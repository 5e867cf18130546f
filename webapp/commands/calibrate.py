"""`./wordkeep calibrate`: how hard is each level, and whom does it turn away?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from webapp.app import open_services
from webapp.commands.options import instance_option
from webapp.content.attacks import Conversation, read_attack_rows
from webapp.content.index import Index
from webapp.content.report import LevelReport, Rate, Report, report_text
from webapp.db import Database
from webapp.domain.calibration import playing, reports
from webapp.domain.calibration.ladder_rules import requirements
from webapp.domain.calibration.playing import Plan
from webapp.domain.services import Services
from webapp.errors import BackendError, InvalidInput
from webapp.files import write_whole
from webapp.llm.gateway import Memory, open_gateway
from webapp.migrations import migrate
from webapp.reading.problems import format_problem, shown_path
from webapp.settings import Settings, load_settings
from webapp.supervisor import prepare_instance, sidecar_running

SHOWN_PROBLEMS = 20
SHOWN_OPENERS = 8


@click.command()
@click.option("--ladder", help="Ladder to play; default: the first one.")
@click.option("--level", "levels", multiple=True, help="Play this level only.")
@click.option(
    "--attacks",
    "attacks_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSONL with rows {"turns": […], "family": …} or {"text": …, "family": …}.',
)
@click.option("--benign/--no-benign", default=True, help="Also play harmless visits.")
@click.option(
    "--secrets",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="Passwords for each attack.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Plays for each password.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report to this file.",
)
@click.option("--fresh", is_flag=True, help="Forget the replies of interrupted runs.")
@instance_option
def calibrate(
    *,
    ladder: str | None,
    levels: tuple[str, ...],
    attacks_file: Path | None,
    benign: bool,
    secrets: int,
    seeds: int,
    json_file: Path | None,
    fresh: bool,
    instance: Path | None,
) -> None:
    """Play attacks and harmless visits against the levels of a ladder.

    What the models said is kept in the instance, so an interrupted run carries on from
    where it was when the same command is given again. The report is stored for the
    instructors' page "Calibration".
    """
    settings = load_settings(os.environ, instance=instance)
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise InvalidInput(f"There is no folder {json_file.absolute().parent}.")
    attacks = _own_attacks(attacks_file)
    with _services(settings) as services:
        index = services.content.current()
        plan = _plan(
            index,
            ladder,
            levels,
            attacks=attacks,
            benign=benign,
            secrets=secrets,
            seeds=seeds,
        )
        if attacks_file is not None:
            plan = replace(plan, attacks_from=attacks_file.name)
        report = _run(services, index, plan, fresh=fresh)
        reports.store(services, report)
    _print(index, report)
    if json_file is not None:
        write_whole(json_file, report_text(report))


def _own_attacks(path: Path | None) -> tuple[Conversation, ...] | None:
    """Read a file of attacks; print every broken row and stop if there is one."""
    if path is None:
        return None
    attacks, problems = read_attack_rows(path)
    if problems:
        for problem in problems[:SHOWN_PROBLEMS]:
            click.echo(format_problem(problem), err=True)
        count = len(problems)
        rows = "1 problem" if count == 1 else f"{count} problems"
        raise InvalidInput(f"{shown_path(path)} has {rows}; nothing was played.")
    return attacks


@contextmanager
def _services(settings: Settings) -> Iterator[Services]:
    prepare_instance(settings.instance)
    database = Database(settings.database)
    migrate(database)
    database.dispose()
    services = open_services(settings)
    try:
        yield services
    finally:
        services.db.dispose()
        services.boot.close()


def _plan(
    index: Index,
    ladder: str | None,
    levels: tuple[str, ...],
    *,
    attacks: tuple[Conversation, ...] | None,
    benign: bool,
    secrets: int,
    seeds: int,
) -> Plan:
    """Check the names; raise InvalidInput that lists the known ones."""
    ladder = ladder or next(iter(index.ladders))
    if ladder not in index.ladders:
        known = ", ".join(index.ladders)
        raise InvalidInput(f'There is no ladder "{ladder}". There are: {known}.')
    ids = index.ladder(ladder).levels
    for level in levels:
        if level not in ids:
            known = ", ".join(ids)
            raise InvalidInput(
                f'The ladder "{ladder}" has no level "{level}". It has: {known}.'
            )
    chosen = index.attacks if attacks is None else attacks
    if not chosen:
        raise InvalidInput(
            "There are no attacks. Write attacks/*.yaml, or name a file with --attacks."
        )
    return Plan(
        ladder=ladder,
        level_ids=tuple(name for name in ids if name in levels or not levels),
        attacks=chosen,
        benign=index.benign if benign else (),
        attacks_from="the shipped attacks",
        secrets=secrets,
        seeds=seeds,
    )


def _run(services: Services, index: Index, plan: Plan, *, fresh: bool) -> Report:
    settings = services.settings
    path = settings.instance / "calibration" / "replies.jsonl"
    if fresh:
        path.unlink(missing_ok=True)
    memory = Memory(path)
    with sidecar_running(settings, say=_say) as reached:
        gateway = open_gateway(reached).remembering(memory)
        try:
            return playing.calibrate(
                index, gateway, plan, say=_say, now=lambda: datetime.now(UTC)
            )
        except BackendError as error:
            raise BackendError(
                f"{error.message} Run the same command again to carry on."
            ) from error


def _say(text: str) -> None:
    click.echo(text, err=True)


def _print(index: Index, report: Report) -> None:
    click.echo(_HEAD)
    for level in report.levels:
        click.echo(_row(level))
    click.echo("\nsuccess by family, as a percentage of its attacks, level by level")
    for family, count in report.families.items():
        shares = (level.by_family[family] for level in report.levels)
        cells = "".join(f"{share:6.0%}" for share in shares)
        click.echo(f"{family:20.20} {count:4} {cells}")
    _print_openers(report)
    names = index.ladder(report.ladder).levels
    if tuple(level.id for level in report.levels) != names:
        return
    click.echo()
    for point in requirements(report.levels, report):
        mark = "yes" if point.is_met else "NO "
        click.echo(f"{mark} {point.text}: {point.detail}.")


_HEAD = (
    f"{'beaten by':12} {'all (95 % interval)':24}  {'single messages':24}"
    f"  {'conversations':24}  harmless answered  refused  model"
)


def _row(level: LevelReport) -> str:
    return (
        f"{level.id:12} {_cell(level)}  {_cell(level.single)}"
        f"  {_cell(level.conversations)}  {_percent(level.benign_answered):>17}"
        f"  {_percent(level.benign_refused):>7}  {level.model}"
    )


def _cell(rate: LevelReport | Rate | None) -> str:
    if rate is None:
        return f"{'–':24}"
    low, high = rate.interval
    return f"{rate.success_rate:6.1%} ({low:6.1%} –{high:7.1%})"


def _print_openers(report: Report) -> None:
    """Name what opened most levels: these are the first to look at."""
    for kind, is_single in (("single messages", True), ("conversations", False)):
        best = [one for one in report.openers if one.is_single is is_single]
        if best:
            click.echo(f"\nlevels opened, the best {kind}")
        for opener in best[:SHOWN_OPENERS]:
            click.echo(f"{len(opener.levels):3}  {opener.short}")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
