"""`./wordkeep COMMAND`: finds the command and shows its errors as one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from webapp.errors import LabError
from webapp.files import file_sentence

# Each is imported when it is called: `up` must not wait for what `check` needs.


def _up() -> click.Command:
    from webapp.commands.up import up  # noqa: PLC0415 -- slow import

    return up


def _check() -> click.Command:
    from webapp.commands.check import check  # noqa: PLC0415 -- slow import

    return check


def _calibrate() -> click.Command:
    from webapp.commands.calibrate import calibrate  # noqa: PLC0415 -- slow import

    return calibrate


def _user() -> click.Command:
    from webapp.commands.people import user  # noqa: PLC0415 -- slow import

    return user


def _class() -> click.Command:
    from webapp.commands.people import class_  # noqa: PLC0415 -- slow import

    return class_


def _bench() -> click.Command:
    from webapp.commands.bench import bench  # noqa: PLC0415 -- slow import

    return bench


def _backup() -> click.Command:
    from webapp.commands.backup import backup  # noqa: PLC0415 -- slow import

    return backup


def _restore() -> click.Command:
    from webapp.commands.backup import restore  # noqa: PLC0415 -- slow import

    return restore


def _level() -> click.Command:
    from webapp.commands.new import level  # noqa: PLC0415 -- slow import

    return level


def _lesson() -> click.Command:
    from webapp.commands.new import lesson  # noqa: PLC0415 -- slow import

    return lesson


def _pack() -> click.Command:
    from webapp.commands.pack import pack  # noqa: PLC0415 -- slow import

    return pack


def _screenshot() -> click.Command:
    from webapp.commands.screenshot import screenshot  # noqa: PLC0415 -- slow import

    return screenshot


COMMANDS: dict[str, Callable[[], click.Command]] = {
    "up": _up,
    "check": _check,
    "calibrate": _calibrate,
    "user": _user,
    "class": _class,
    "backup": _backup,
    "restore": _restore,
    "bench": _bench,
    "level": _level,
    "lesson": _lesson,
    "pack": _pack,
    "screenshot": _screenshot,
}


class Commands(click.Group):
    """The commands of the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        load = COMMANDS.get(cmd_name)
        return load() if load else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command; show our errors and those of files as sentences."""
        try:
            return super().invoke(ctx)
        except LabError as error:
            click.echo(f"wordkeep: {error.message}", err=True)
            ctx.exit(1)
        except OSError as error:
            if error.filename is None:
                raise
            click.echo(f"wordkeep: {file_sentence(error)}", err=True)
            ctx.exit(1)


@click.group(cls=Commands)
def main() -> None:
    """Wordkeep: a keep of passwords, guarded by language models."""


if __name__ == "__main__":
    main(prog_name="./wordkeep")
