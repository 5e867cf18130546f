"""`python -m finetune`: what the sidecar can be told on the command line."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from finetune import bench
from finetune.places import ModelMissing
from finetune.serving.server import serve
from finetune.settings import SETTINGS, SettingsError, load_settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = load_settings(
            os.environ,
            port=getattr(chosen, "port", None),
            host=getattr(chosen, "host", None),
            instance=chosen.instance,
        )
        if chosen.command == "bench-engine":
            return bench.main(chosen, settings)
        serve(settings)
    except (SettingsError, ModelMissing) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m finetune", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser(
        "serve",
        help="serve the models over HTTP",
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serving.add_argument("--port", type=int, help="port to listen on")
    serving.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    timing = commands.add_parser("bench-engine", help="measure the engine alone")
    bench.add_arguments(timing)
    for command in (serving, timing):
        command.add_argument("--instance", type=Path, help="folder for downloads")
    return parser


def _settings_help() -> str:
    lines = ["Settings in the environment:"]
    for name, default, text in SETTINGS:
        lines.append(
            f"  WORDKEEP_SIDECAR_{name.upper()} (default: {default or 'none'})"
        )
        lines.append(f"      {text}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
