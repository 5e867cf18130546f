"""`./wordkeep bench`."""

from __future__ import annotations

import importlib

import click

from webapp.errors import InvalidInput

BENCHES = ("kill", "play")


@click.command(
    "bench",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(name: str, arguments: tuple[str, ...]) -> None:
    """Measure this program on this computer: kill or play.

    `./wordkeep bench NAME --help` tells more.
    """
    if name in {"-h", "--help"}:
        click.echo(click.get_current_context().get_help())
        return
    if name not in BENCHES:
        raise InvalidInput(f'There is no bench "{name}", only {" and ".join(BENCHES)}.')
    module = importlib.import_module(f"webapp.bench.{name}")
    raise SystemExit(module.main(list(arguments)))
