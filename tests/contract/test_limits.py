"""No test waits for ever, and neither does what is taken down after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from webapp.settings import PROJECT

_FAILS = """
import threading
import pytest

@pytest.fixture
def held():
    yield
    let_go_of_it()

def let_go_of_it():
    threading.Event().wait()

def test_it_fails(held):
    assert False
"""


@pytest.mark.integration
def test_what_a_test_that_failed_has_held_has_a_limit(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(_FAILS)
    hook = "from tests.conftest import pytest_runtest_teardown\n"
    (tmp_path / "conftest.py").write_text(hook)
    ini = "[pytest]\ntimeout = 1\ntimeout_method = thread\n"
    (tmp_path / "pytest.ini").write_text(ini)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)],
        env={"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "in let_go_of_it" in done.stdout + done.stderr
