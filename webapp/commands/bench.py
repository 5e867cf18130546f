"""`./wordkeep bench`."""

from __future__ import annotations

import importlib

import click

from webapp.errors import InvalidInput

BENCHES = ("kill", "play")
# The front door hands these to the other program, which has torch.
MODEL_BENCHES = ("guards", "train")


@click.command(
    "bench",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(name: str, arguments: tuple[str, ...]) -> None:
    """Measure this program on this computer.

    kill    kill the site and its models while players play, and look for losses

    play    what a class feels: speed, waiting, fairness

    guards  our gate beside other detectors of attacks

    train   our training beside that of transformers

    `./wordkeep bench NAME --help` tells more.
    """
    if name in {"-h", "--help"}:
        click.echo(click.get_current_context().get_help())
        return
    if name in MODEL_BENCHES:
        raise InvalidInput(f"Start it by the front door: ./wordkeep bench {name}.")
    if name not in BENCHES:
        raise InvalidInput(
            f'There is no bench "{name}", only kill, play, guards and train.'
        )
    module = importlib.import_module(f"webapp.bench.{name}")
    raise SystemExit(module.main(list(arguments)))
