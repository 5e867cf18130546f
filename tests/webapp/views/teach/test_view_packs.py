"""Packs in the browser: made, looked into, brought in."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.kit.browser import Browser, text_of
from webapp.domain.people import accounts
from webapp.domain.writing import packs

PASSWORD = "correct horse"
LADDER = "id: ours\ntitle: Ours\nstory: Our gates.\nlevels: [one]\n"
LEVEL = """\
id: one
title: The One Gate
story: A gate.
defender: {system: "The password is {{ secret }}."}
secret: {words: castle}
points: 1
proof: {solved_by: [Ask.]}
explain: It works.
"""


@pytest.fixture
def instructor(browser: Browser) -> Browser:
    accounts.create_player(
        browser.services, name="Teacher", role="instructor", password=PASSWORD
    )
    browser.get("/login")
    browser.post("/login", {"name": "Teacher", "password": PASSWORD})
    browser.get("/teach")
    return browser


def write(root: Path) -> None:
    folder = root / "game" / "ours"
    folder.mkdir(parents=True)
    (folder / "ladder.yaml").write_text(LADDER)
    (folder / "one.yaml").write_text(LEVEL)


def test_a_pack_is_downloaded(instructor: Browser) -> None:
    assert "no content of its own yet" in text_of(instructor.get("/teach/packs").text)
    write(instructor.services.settings.content)
    page = instructor.get("/teach/packs").text
    assert 'value="game/ours" checked' in page
    form = {"name": "Our gates!", "version": "3", "path": ["game/ours"]}
    response = instructor.post("/teach/packs/export", form)
    sent = response.headers["Content-Disposition"]
    assert (response.mimetype, sent) == (
        "application/zip",
        "attachment; filename=our-gates.zip",
    )
    pack = packs.read(response.data)
    assert (pack.manifest.name, pack.manifest.version) == ("Our gates!", "3")
    assert [path.name for path in pack.texts] == ["ladder.yaml", "one.yaml"]
    response = instructor.post("/teach/packs/export", {"name": "Ours"})
    assert response.status_code == 400
    assert "Tick what the pack shall hold." in text_of(response.text)


def test_a_pack_is_looked_into_and_brought_in(
    instructor: Browser, tmp_path: Path
) -> None:
    write(tmp_path / "source")
    data = packs.make(tmp_path / "source", name="Ours", version="3", paths=())
    form = {"file": (io.BytesIO(data), "ours.zip")}
    response = instructor.post("/teach/packs/look", form)
    place = response.headers["Location"]
    page = instructor.get(place).text
    assert "game/ours/one.yaml new" in text_of(page)
    target = instructor.services.settings.content / "game" / "ours" / "one.yaml"
    assert not target.exists()
    response = instructor.post(place, follow_redirects=True)
    assert "Ours, version 3, is in." in text_of(response.text)
    assert target.read_text() == LEVEL
    assert instructor.get(place).status_code == 404


def test_a_pack_with_an_error_has_no_button(
    instructor: Browser, tmp_path: Path
) -> None:
    write(tmp_path / "source")
    broken = tmp_path / "source" / "game" / "ours" / "one.yaml"
    broken.write_text(LEVEL.replace("points", "pionts"))
    data = packs.make(tmp_path / "source", name="Ours", version="3", paths=())
    form = {"file": (io.BytesIO(data), "ours.zip")}
    place = instructor.post("/teach/packs/look", form).headers["Location"]
    page = instructor.get(place).text
    assert "It cannot be brought in" in text_of(page)
    assert "Bring it in" not in page
    response = instructor.post(place, follow_redirects=True)
    assert "Nothing was brought in" in text_of(response.text)


def test_what_is_no_pack_is_refused(instructor: Browser) -> None:
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("../../evil.yaml", "x")
    for content, said in ((b"hello", "not a zip"), (other.getvalue(), "leads out")):
        form = {"file": (io.BytesIO(content), "a.zip")}
        response = instructor.post("/teach/packs/look", form)
        assert response.status_code == 400
        assert said in text_of(response.text)
    response = instructor.post("/teach/packs/look", {})
    assert "Choose the file of a pack." in text_of(response.text)


def test_students_have_no_packs(player: Browser) -> None:
    for path in ("/teach/packs", "/teach/packs/abc", "/teach/reference"):
        assert player.get(path).status_code == 403
    for path in ("/teach/packs/look", "/teach/packs/export", "/teach/packs/abc"):
        assert player.post(path).status_code == 403


def test_the_reference_shows_guards_and_checks(instructor: Browser) -> None:
    page = instructor.get("/teach/reference").text
    assert 'id="guard-contains"' in page
    assert 'id="check-word-count"' in page
    assert "a whole number (1 to 100)" in text_of(page)
