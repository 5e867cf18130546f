"""`python -m webapp.commands.schemas`: writes the JSON Schemas of the content files.

It is a command and not a part of the content, because it needs all guards and checks.
"""

from __future__ import annotations

import sys

from webapp import checks, guards
from webapp.content import jsonschema
from webapp.plugins.registry import load_plugins
from webapp.reading.problems import shown_path


def main() -> int:
    """Write the schemas and say where."""
    load_plugins(guards)
    load_plugins(checks)
    for path in jsonschema.write():
        sys.stdout.write(f"{shown_path(path)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
