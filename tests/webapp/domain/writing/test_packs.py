"""Packs of content: what is in them, what is refused, and all or nothing."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from sqlalchemy import select

from tests.kit.content import LEVEL_IDS, write_content, write_level
from tests.kit.world import World
from webapp.domain.writing import importing, packs
from webapp.errors import Conflict, InvalidInput, NotFound, StorageError
from webapp.files import write_whole
from webapp.rows import ContentVersion

LADDER = "id: ours\ntitle: Ours\nstory: Our gates.\nlevels: [{levels}]\n"
LEVEL = """\
id: {id}
title: {title}
story: A gate.
defender: {{system: "The password is {{{{ secret }}}}."}}
secret: {{words: syllables}}
points: 1
proof: {{solved_by: [Ask.]}}
explain: It works.
"""


@pytest.fixture
def world(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a game that ships the small keep and has an empty own content."""
    monkeypatch.setattr("webapp.settings.PROJECT", tmp_path / "project")
    write_content(tmp_path / "project" / "challenges")
    own(world).mkdir(parents=True, exist_ok=True)
    return world


def own(world: World) -> Path:
    return world.services.settings.content


def ours(*names: str, title: str = "A Gate") -> dict[str, str]:
    """Return a ladder with levels, by their paths."""
    files = {"game/ours/ladder.yaml": LADDER.format(levels=", ".join(names))}
    for name in names:
        files[f"game/ours/{name}.yaml"] = LEVEL.format(id=name, title=title)
    return files


def zipped(
    files: dict[str, Any], *, listed: dict[str, Any] | None = None, **manifest: Any
) -> bytes:
    """Return a pack; `listed` are the files of its manifest, if not the same."""
    wanted = files if listed is None else listed
    rows = [
        {
            "path": path,
            "sha256": hashlib.sha256(_bytes(text)).hexdigest(),
            "bytes": len(_bytes(text)),
        }
        for path, text in wanted.items()
    ]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        body = {"pack": 1, "name": "Ours", "version": "2", "files": rows, **manifest}
        archive.writestr("pack.json", json.dumps(body))
        for path, text in files.items():
            archive.writestr(path, text)
    return written.getvalue()


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_pack_brings_all_of_it_to_another_place(world: World, tmp_path: Path) -> None:
    source = tmp_path / "source"
    write(source, ours("one", "two"))
    lines = (source / "game/ours/two.yaml").read_bytes()
    (source / "game/ours/two.yaml").write_bytes(lines.replace(b"\n", b"\r\n"))
    write(source, {"notes.txt": "not content"})
    data = packs.make(source, name="Ours", version="2", paths=())
    plan = importing.bring_in(world.services, data, author="Ms Gray")
    assert [(str(line.path), line.change) for line in plan.lines] == [
        ("game/ours/ladder.yaml", "new"),
        ("game/ours/one.yaml", "new"),
        ("game/ours/two.yaml", "new"),
    ]
    assert b"\r\n" in (own(world) / "game/ours/two.yaml").read_bytes()
    assert (plan.pack.manifest.name, plan.pack.manifest.version) == ("Ours", "2")
    again = importing.bring_in(world.services, data, author="Ms Gray")
    assert {line.change for line in again.lines} == {"same"}


def test_a_pack_may_hold_a_part(tmp_path: Path) -> None:
    write(tmp_path, ours("one") | {"words/more.txt": "apple\n", "words/a.txt": "b\n"})
    data = packs.make(
        tmp_path, name="Part", version="1", paths=("game/ours", "words/a.txt")
    )
    assert [str(path) for path in packs.read(data).texts] == [
        "game/ours/ladder.yaml",
        "game/ours/one.yaml",
        "words/a.txt",
    ]
    with pytest.raises(NotFound):
        packs.make(tmp_path, name="Part", version="1", paths=("lessons",))
    with pytest.raises(InvalidInput):
        packs.make(tmp_path, name="", version="1", paths=())


def test_what_is_replaced_is_kept_as_a_version(world: World) -> None:
    write(own(world), ours("one", title="Mine"))
    old = (own(world) / "game/ours/one.yaml").read_text()
    new = ours("one", title="Theirs")
    plan = importing.bring_in(world.services, zipped(new), author="Ms Gray")
    changes = {line.path.name: line.change for line in plan.lines}
    assert changes == {"ladder.yaml": "same", "one.yaml": "replaces"}
    with world.db.read() as session:
        rows = session.scalars(select(ContentVersion).order_by(ContentVersion.id)).all()
    assert [(row.path, row.what, row.text, row.author) for row in rows] == [
        ("game/ours/one.yaml", "found", old, "Ms Gray"),
        ("game/ours/one.yaml", "published", new["game/ours/one.yaml"], "Ms Gray"),
    ]


def test_an_error_of_the_content_keeps_a_pack_out(world: World) -> None:
    write(own(world), ours("one"))
    before = snapshot(own(world))
    broken = ours("one", "two") | {"game/ours/two.yaml": "id: two\npionts: 3\n"}
    data = zipped(broken)
    plan = packs.plan(world.services.settings.roots, packs.read(data))
    assert not plan.is_fine
    with pytest.raises(InvalidInput, match="would have an error"):
        importing.bring_in(world.services, data, author="Ms Gray")
    assert snapshot(own(world)) == before


def test_an_error_that_is_there_already_keeps_nothing_out(world: World) -> None:
    write(own(world), {"words/bad.txt": "one word too\x07\n"})
    data = zipped(ours("one"))
    assert packs.plan(world.services.settings.roots, packs.read(data)).is_fine


def test_a_failure_half_way_restores_everything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(own(world), ours("one", "two", title="Mine"))
    before = snapshot(own(world))
    written: list[str] = []

    def failing(path: Path, content: str | bytes) -> None:
        if path.name == "two.yaml" and "two.yaml" not in written:
            written.append(path.name)
            raise StorageError("The disk is full.")
        written.append(path.name)
        write_whole(path, content)

    monkeypatch.setattr(importing, "write_whole", failing)
    new = ours("one", "two", "three", title="Theirs")
    with pytest.raises(StorageError):
        importing.bring_in(world.services, zipped(new), author="Ms Gray")
    assert "one.yaml" in written
    assert snapshot(own(world)) == before
    with world.db.read() as session:
        assert session.scalars(select(ContentVersion)).all() == []


def linked(path: str = "game/ours/one.yaml") -> bytes:
    """Return a pack in which a file is a symbolic link."""
    written = io.BytesIO(zipped({"words/a.txt": "b"}))
    with zipfile.ZipFile(written, "a") as archive:
        info = zipfile.ZipInfo(path)
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return written.getvalue()


def lying() -> bytes:
    """Return a pack with an entry that is much larger than it says."""
    data = zipped({"words/a.txt": "b" * 300_000}, listed={})
    place = data.index(b"words/a.txt", data.index(b"words/a.txt") + 1) - 46
    return data[: place + 24] + (5).to_bytes(4, "little") + data[place + 28 :]


def encrypted() -> bytes:
    data = bytearray(zipped({"words/a.txt": "b"}))
    data[data.rindex(b"words/a.txt") - 46 + 8] |= 1
    return bytes(data)


def many() -> bytes:
    files = {f"words/w{number}.txt": "b" for number in range(packs.MOST_FILES + 1)}
    return zipped(files, listed={})


ONE = {"words/a.txt": "b"}
TWO = {**ONE, "words/c.txt": "d"}
BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "not a zip": (lambda: b"hello", "not a zip file"),
    "empty": (lambda: b"", "not a zip file"),
    "cut off": (lambda: zipped(ours("one"))[:-30], "not a zip file"),
    "too large": (lambda: b"x" * (packs.MOST_PACK_BYTES + 1), "Split it"),
    "bomb": (lambda: zipped({"words/a.txt": "a" * 10_000_000}), "would unpack to"),
    "lie about size": (lying, "not a zip file"),
    "too many": (many, "at most 1,000 files"),
    "too long": (lambda: zipped({"words/a.txt": noise()}), "too long for a content"),
    "link": (linked, "a link or a device"),
    "encrypted": (encrypted, "encrypted"),
    "twice": (lambda: zipped({"words/a.txt": "b", "words/A.txt": "c"}), "twice"),
    "no manifest": (lambda: plain({"words/a.txt": "b"}), "no pack.json"),
    "odd manifest": (lambda: plain({"pack.json": "[" * 90_000}), "cannot be read"),
    "newer": (lambda: zipped({"words/a.txt": "b"}, pack=2), "cannot be read"),
    "unlisted": (lambda: zipped(TWO, listed=ONE), "is not listed"),
    "missing": (lambda: zipped(ONE, listed=TWO), "listed but not there"),
    "changed": (
        lambda: zipped({"words/a.txt": "b"}, listed={"words/a.txt": "c"}),
        "changed or damaged",
    ),
    "not text": (lambda: zipped({"words/a.txt": b"\xff\xfe\x00"}), "not text in UTF-8"),
}  # fmt: skip


def plain(files: dict[str, str]) -> bytes:
    """Return a zip file as anybody may make one."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return written.getvalue()


def noise() -> str:
    """Return text that no zip makes much smaller."""
    rows = (hashlib.sha256(str(n).encode()).hexdigest() for n in range(5_000))
    return "\n".join(rows)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_pack_is_refused(name: str) -> None:
    make, said = BAD[name]
    with pytest.raises(InvalidInput, match=said):
        packs.read(make())


def test_of_a_bad_pack_nothing_is_touched(world: World) -> None:
    for data in (linked(), encrypted(), zipped({"../a.yaml": "b"})):
        with pytest.raises(InvalidInput):
            importing.bring_in(world.services, data, author="Ms Gray")
        with pytest.raises(InvalidInput):
            importing.keep(world.services, data)
    assert snapshot(own(world)) == {}
    assert not (own(world).parent / "packs").exists()


@pytest.mark.parametrize(
    "path",
    [
        "../words/a.txt",
        "/words/a.txt",
        "words/../../a.txt",
        "words/./a.txt",
        "words//a.txt",
        "words\\..\\a.txt",
        "C:/words/a.txt",
        "words/a\n.txt",
        "endpoints.yaml",
        "game/ladder.yaml",
        "game/a/b/c.yaml",
        "words/.a.txt",
        "lessons/basics/run.py",
        "lessons/basics/other.yaml",
        "texts/more.yaml",
        "wordkeep.db",
        f"words/{'a' * 200}.txt",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match=r"leads out|not a content file"):
        packs.read(zipped({path: "b"}))


@pytest.mark.parametrize(
    "path",
    [
        "game/keep/ladder.yaml",
        "game/keep/calibration.json",
        "lessons/basics/01-next-word.md",
        "lessons/basics/track.yaml",
        "lessons/proven.json",
        "words/castle.txt",
        "attacks/direct.yaml",
        "texts/help.yaml",
    ],
)
def test_content_has_its_places(path: str) -> None:
    assert packs.is_place(PurePosixPath(path))


def test_a_folder_that_is_a_link_is_not_followed(world: World, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (own(world) / "words").symlink_to(outside)
    with pytest.raises((Conflict, InvalidInput)):
        importing.bring_in(
            world.services, zipped({"words/a.txt": "apple\n"}), author="G"
        )
    assert list(outside.iterdir()) == []


def test_yaml_that_would_hang_is_an_error_like_any_other(world: World) -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    deep = "[" * 60_000 + noise()[:60_000]
    for text in (bomb, deep):
        with pytest.raises(InvalidInput, match="would have an error"):
            importing.bring_in(
                world.services, zipped({"game/ours/a.yaml": text}), author="Ms Gray"
            )
    assert snapshot(own(world)) == {}


def test_a_pack_waits_for_a_yes(world: World) -> None:
    data = zipped(ours("one"))
    digest = importing.keep(world.services, data)
    assert importing.kept(world.services, digest).is_fine
    assert snapshot(own(world)) == {}
    importing.bring_in_kept(world.services, digest, author="Ms Gray")
    assert (own(world) / "game/ours/one.yaml").exists()
    for gone in (digest, "0" * 64, "../../instance.id", ""):
        with pytest.raises(NotFound):
            importing.kept(world.services, gone)


def test_packs_that_nobody_wanted_are_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MOST_KEPT", 2)
    old = [importing.keep(world.services, zipped({"words/a.txt": n})) for n in "abc"]
    folder = world.services.settings.instance / "packs"
    assert len(list(folder.iterdir())) == 2
    assert (folder / f"{old[-1]}.zip").exists()
    later = world.services.now().replace(year=2100)
    services = replace(world.services, now=lambda: later)
    newest = importing.keep(services, zipped({"words/a.txt": "d"}))
    assert [path.stem for path in folder.iterdir()] == [newest]


def test_the_shipped_ladder_can_be_replaced_by_a_pack(world: World) -> None:
    root = world.services.settings.instance / "other"
    write_content(root)
    write_level(root, "open", title="Another Title")
    data = packs.make(root, name="Keep", version="1", paths=("game/keep/open.yaml",))
    assert importing.bring_in(world.services, data, author="G").is_fine
    text = (own(world) / "game/keep/open.yaml").read_text()
    assert "Another Title" in text
    assert LEVEL_IDS[0] == "open"
