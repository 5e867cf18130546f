"""`./wordkeep up`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from webapp.commands.options import instance_option
from webapp.settings import load_settings
from webapp.supervisor import Supervisor


@click.command()
@click.option("--host", help="Address to listen on; 0.0.0.0 lets the class in.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port; 0: any free one.")
@instance_option
def up(host: str | None, port: int | None, instance: Path | None) -> None:
    """Start the site and its models; Ctrl-C stops them."""
    settings = load_settings(os.environ, host=host, port=port, instance=instance)
    click.echo(f"Starting Wordkeep in {settings.instance}")
    Supervisor(settings, say=click.echo).run()
