"""`./wordkeep screenshot`."""

from __future__ import annotations

from pathlib import Path

import click

from webapp.commands import picture
from webapp.settings import PROJECT


@click.command("screenshot")
@click.option(
    "--out",
    default=PROJECT / "docs" / "keep.png",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PNG file to write.",
)
def screenshot(out: Path) -> None:
    """Take the picture for the README (needs Chromium)."""
    picture.take(out)
    click.echo(f"Wrote {out}")
