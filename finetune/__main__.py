"""`python -m finetune`: everything the sidecar package can be told."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import NamedTuple

from finetune.errors import FinetuneError
from finetune.settings import SETTINGS, load_settings


class Command(NamedTuple):
    """What a command is for, and the module with its `add_arguments` and `main`."""

    help: str
    module: str


COMMANDS = {
    "serve": Command("serve the models over HTTP", "finetune.serving.server"),
    "train": Command("train the model of a recipe", "finetune.training.command"),
    "guard": Command("measure a guard model", "finetune.evaluation.guards"),
    "warden-eval": Command("measure a warden", "finetune.evaluation.warden"),
    "sample-replies": Command(
        "ask the base model the ordinary requests", "finetune.data.sampling"
    ),
    "bench-engine": Command("measure the engine alone", "finetune.bench.engine"),
    "bench-guards": Command(
        "compare the gate with other detectors", "finetune.bench.guards"
    ),
    "bench-train": Command(
        "compare the training loop with transformers.Trainer", "finetune.bench.train"
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="python -m finetune",
        description=__doc__,
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        chosen_parser = commands.add_parser(name, help=command.help)
        # Only the one that runs: training would cost the sidecar seconds at its start.
        if given[:1] == [name]:
            module = importlib.import_module(command.module)
            module.add_arguments(chosen_parser)
            chosen_parser.add_argument(
                "--instance", type=Path, help="folder for what is made"
            )
    chosen = parser.parse_args(given)
    try:
        settings = load_settings(
            os.environ,
            port=getattr(chosen, "port", None),
            host=getattr(chosen, "host", None),
            instance=chosen.instance,
        )
        status: int = module.main(chosen, settings)
    except FinetuneError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return status


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
