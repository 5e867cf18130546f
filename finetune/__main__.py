"""`python -m finetune`: what the sidecar can be told on the command line."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from finetune.serving.server import serve
from finetune.settings import SettingsError, load_settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = load_settings(
            os.environ,
            port=chosen.port,
            host=chosen.host,
            instance=chosen.instance,
        )
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    serve(settings)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m finetune", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serve the models over HTTP")
    serving.add_argument("--port", type=int, help="port to listen on")
    serving.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    serving.add_argument("--instance", type=Path, help="folder for downloads")
    return parser


if __name__ == "__main__":
    sys.exit(main())
