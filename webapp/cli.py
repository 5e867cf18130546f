"""`./wordkeep COMMAND`: finds the command and shows its errors as one sentence."""

from __future__ import annotations

import importlib
from typing import Any

import click

from webapp.errors import LabError

# Loaded when they are called: `up` must not wait for what `check` needs.
COMMANDS = {
    "up": "webapp.commands.up:up",
    "check": "webapp.commands.check:check",
    "calibrate": "webapp.commands.calibrate:calibrate",
    "user": "webapp.commands.people:user",
    "class": "webapp.commands.people:class_",
    "bench": "webapp.commands.bench:bench",
    "screenshot": "webapp.commands.screenshot:screenshot",
}


class Commands(click.Group):
    """The commands of the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command; an error of ours is one sentence."""
        try:
            return super().invoke(ctx)
        except LabError as error:
            click.echo(f"wordkeep: {error.message}", err=True)
            ctx.exit(1)


@click.group(cls=Commands)
def main() -> None:
    """Wordkeep: a keep of passwords, guarded by language models."""


if __name__ == "__main__":
    main(prog_name="./wordkeep")
