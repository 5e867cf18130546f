"""Progress in lessons on the page of a player: downloaded, and brought back."""

from __future__ import annotations

import io
from typing import Any

from tests.kit.browser import Browser, text_of


def send(player: Browser, data: bytes) -> Any:
    form = {"file": (io.BytesIO(data), "progress.json")}
    return player.post("/me/progress", form, content_type="multipart/form-data")


def test_progress_is_downloaded_and_brought_back(player: Browser) -> None:
    saved = player.get("/me/progress.json")
    assert "attachment" in saved.headers["Content-Disposition"]
    assert send(player, saved.data).status_code == 303
    assert "Nothing was new" in text_of(player.get("/me").text)


def test_a_file_of_something_else_is_refused_on_the_page(player: Browser) -> None:
    refused = send(player, b"{}")
    assert refused.status_code == 400
    assert "not a file of progress in lessons" in text_of(refused.text)
    assert "Nothing was changed." in text_of(refused.text)
    empty = player.post("/me/progress")
    assert empty.status_code == 400
    assert "Choose the file with your progress." in text_of(empty.text)
