"""Before a database is brought up to date, it is copied; no copy stays for good."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.kit import release
from webapp.db import Database
from webapp.migrations import copies, migrate, present_revision


def test_a_database_of_an_older_version_is_copied_before(tmp_path: Path) -> None:
    database = Database(tmp_path / "wordkeep.db")
    release.fill_old(database, players=4)
    before = release.contents(database)
    assert migrate(database) is True
    (copy,) = tmp_path.glob("*.before_*")
    assert copy.name == "wordkeep.before_0002.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    old = Database(copy)
    assert present_revision(old) == release.REVISION
    assert release.contents(old) == before
    old.dispose()
    database.dispose()


def test_a_new_database_leaves_no_copy(tmp_path: Path) -> None:
    database = Database(tmp_path / "wordkeep.db")
    assert migrate(database) is True
    assert list(tmp_path.glob("*.before_*")) == []
    database.dispose()


def test_copies_go_after_some_weeks(tmp_path: Path) -> None:
    database = Database(tmp_path / "wordkeep.db")
    migrate(database)
    old, young = (tmp_path / f"wordkeep.before_{n}.db" for n in ("0001", "0002"))
    for copy, days in ((old, copies.KEPT_DAYS + 1), (young, copies.KEPT_DAYS - 1)):
        copy.touch()
        moment = time.time() - days * 86_400
        os.utime(copy, (moment, moment))
    assert migrate(database) is False
    assert [old.exists(), young.exists()] == [False, True]
    database.dispose()
