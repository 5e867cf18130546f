"""The command that renews the JSON Schemas knows every guard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from webapp.settings import PROJECT

KINDS = ("level", "ladder", "attacks", "data", "help", "lesson", "track")
SCRIPT = """\
import sys
from pathlib import Path

from webapp.commands import schemas
from webapp.content import jsonschema

folder = Path(sys.argv[1])
write = jsonschema.write
jsonschema.write = lambda: write(folder)
sys.exit(schemas.main())
"""


def test_it_writes_what_is_committed(tmp_path: Path) -> None:
    # In a process of its own: here, other tests have loaded the guards already.
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    names = [f"{kind}.schema.json" for kind in KINDS]
    assert done.stdout.split() == [str(tmp_path / name) for name in names]
    for name in names:
        committed = PROJECT / "challenges" / name
        assert (tmp_path / name).read_text() == committed.read_text()
