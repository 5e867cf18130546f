"""`python -m finetune models`: what the sidecar would serve, loading none of it."""

from __future__ import annotations

import argparse
import json
import sys

from finetune.serving.catalogue.sources import ModelFolder, fixed_entries
from finetune.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print a JSON list of names and kinds, and what is wrong with others on stderr."""
    fixed = fixed_entries(settings)
    own = ModelFolder(settings.instance / "models", fixed.entries).current()
    for problem in (*fixed.problems, *own.problems):
        sys.stderr.write(f"{problem}\n")
    entries = {**own.entries, **fixed.entries}
    listed = [{"id": name, "kind": entry.kind} for name, entry in entries.items()]
    sys.stdout.write(f"{json.dumps(listed)}\n")
    return 0
