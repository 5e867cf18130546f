"""The vendored files are exactly the ones that their README names."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import webapp

VENDOR = Path(webapp.__file__).parent / "static" / "vendor"
ROW = re.compile(
    r"^\| (?P<file>\S+) \|[^|]*\| (?P<version>[\d.]+) \|"
    r"[^|]*`(?P<licence>[^`]+)` \| (?P<sum>[0-9a-f]{64}) \|$",
    re.MULTILINE,
)


def rows() -> list[dict[str, str]]:
    text = (VENDOR / "README.md").read_text(encoding="utf-8")
    return [match.groupdict() for match in ROW.finditer(text)]


def test_every_vendored_file_has_the_sum_of_the_readme() -> None:
    sums = {row["file"]: row["sum"] for row in rows()}
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name not in {"README.md", "LICENSE"}
    }
    assert found == sums


def test_every_vendored_file_has_its_licence_beside_it() -> None:
    assert [r["file"] for r in rows() if not (VENDOR / r["licence"]).is_file()] == []


def test_htmx_is_the_version_that_the_readme_names() -> None:
    version = next(r["version"] for r in rows() if r["file"].startswith("htmx/"))
    text = (VENDOR / "htmx" / "htmx.min.js").read_text(encoding="utf-8")
    assert f'version:"{version}"' in text
