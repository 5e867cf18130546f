"""What pages give to those who program: it sends exactly what the page has sent."""

from __future__ import annotations

import io
import json
import shlex
from contextlib import redirect_stdout
from typing import Any

import pytest

from webapp.web import programs

URL = "https://keep.example/api/v1/lab/chat"
NASTY = "It's '''quoted''' \"twice\" \\n $HOME `ls` {x}\nnew line, ünïcode ✓"
BODY = {"model": "local/smollm2", "message": NASTY, "seed": 7, "stop": ["\n"]}


def test_curl_sends_it_from_any_shell() -> None:
    words = shlex.split(programs.curl(URL, BODY).replace("\\\n", " "))
    assert words[:3] == ["curl", "-sS", URL]
    assert words[3:5] == ["-H", "Authorization: Bearer $WORDKEEP_TOKEN"]
    assert json.loads(words[words.index("-d") + 1]) == BODY


@pytest.mark.parametrize(
    ("shown", "printed"), [("reply", "Budapest\n"), ("", "{'reply': 'Budapest'}\n")]
)
def test_python_sends_it_as_it_is(
    monkeypatch: pytest.MonkeyPatch, shown: str, printed: str
) -> None:
    asked: list[Any] = []

    def urlopen(request: Any) -> io.BytesIO:
        asked.append(request)
        return io.BytesIO(b'{"reply": "Budapest"}')

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    monkeypatch.setenv("WORDKEEP_TOKEN", "a-token")
    out = io.StringIO()
    with redirect_stdout(out):
        exec(programs.python(URL, BODY, shown=shown), {})  # noqa: S102 -- our own program
    assert out.getvalue() == printed
    assert asked[0].full_url == URL
    assert json.loads(asked[0].data) == BODY
    assert asked[0].get_header("Authorization") == "Bearer a-token"
