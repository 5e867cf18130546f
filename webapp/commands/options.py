"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

instance_option = click.option(
    "--instance",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the database, keys and logs. Default: instance/ of the program.",
)
