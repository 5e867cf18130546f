"""A call of the API as pages show it to those who program: curl, and Python."""

from __future__ import annotations

import json
import shlex
from typing import Final

# The variable in which programs find the token of a player.
VARIABLE: Final = "WORDKEEP_TOKEN"


def curl(url: str, body: object) -> str:
    """Return a line for a shell that sends a body as JSON."""
    data = json.dumps(body, ensure_ascii=False)
    return (
        f"curl -sS {shlex.quote(url)} \\\n"
        f'  -H "Authorization: Bearer ${VARIABLE}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(data)}"
    )


def python(url: str, body: object, *, shown: str = "") -> str:
    """Return a program that does the same; it needs Python and nothing else.

    It prints the answer, or what is under the key `shown` of it.
    """
    part = f"[{json.dumps(shown)}]" if shown else ""
    return f"""\
import json
import os
from urllib.request import Request, urlopen

asked = json.loads(r'''{_for_source(body)}''')
request = Request(
    {url!r},
    data=json.dumps(asked).encode(),
    headers={{
        "Authorization": "Bearer " + os.environ["{VARIABLE}"],
        "Content-Type": "application/json",
    }},
)
with urlopen(request) as answer:
    print(json.load(answer){part})
"""


def _for_source(value: object) -> str:
    """Return JSON that can stand between three quotes, whatever was typed."""
    return json.dumps(value, indent=2).replace("'", "\\u0027")
