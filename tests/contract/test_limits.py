"""No test waits for ever, and neither does what comes after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from webapp.settings import PROJECT

_WAITS = """
import threading
import pytest

@pytest.fixture(scope="module")
def held():
    yield
    threading.Event().wait()

@pytest.fixture
def also_held(held):
    yield
    threading.Event().wait()

def test_it_waits(also_held):
    threading.Event().wait()

def test_the_next_one():
    pass
"""


@pytest.mark.integration
def test_a_test_that_waits_for_ever_ends_with_all_that_it_holds(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(_WAITS)
    (tmp_path / "conftest.py").write_text(
        "from tests.conftest import pytest_runtest_teardown\n"
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
            *("-c", "/dev/null", "--rootdir", str(tmp_path), "--timeout", "1"),
            str(tmp_path),
        ],
        env={"PYTHONPATH": str(PROJECT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    # The test, what it held, and what its file held.
    assert "1 failed, 1 passed, 2 errors" in done.stdout, done.stdout
