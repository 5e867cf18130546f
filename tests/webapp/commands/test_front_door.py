"""The bash script `wordkeep`, with a Python that only pretends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from webapp.settings import PROJECT

NAMES = ("python3.11", "python3.12", "python3.13", "python3", "python")

# Writes down how it is called. `-m venv` copies it into the new environment, so that
# the script meets it there again.
FAKE_PYTHON = """#!/bin/bash
echo "$*" >>"$CALLS"
case "$*" in
  *version_info*) exit ${FAKE_OLD:-0} ;;
  --version) echo "Python 3.9.2" ;;
  "-m venv "*)
    [ -z "${FAKE_NO_VENV:-}" ] || { echo "ensurepip is not available"; exit 1; }
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  *" install "*)
    sleep "${FAKE_SECONDS:-0}"
    [ -z "${FAKE_PIP:-}" ] || { echo "$FAKE_PIP"; exit 1; } ;;
  "- "*) exit "${FAKE_UNREACHABLE:-1}" ;;
  *webapp.cli* | *"-m finetune"*) echo "handed over: $*" ;;
esac
"""


class FrontDoor:
    """Runs `wordkeep` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / "venv"
        self.calls_file = folder / "calls"
        self.calls_file.touch()
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in NAMES:
            self.add_program(name, FAKE_PYTHON)

    def add_program(self, name: str, text: str) -> None:
        program = self.bin / name
        program.write_text(text)
        program.chmod(0o755)

    def env(self, more: dict[str, str]) -> dict[str, str]:
        """Return an environment in which only the pretending Python is found."""
        inherited = {"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": "/nowhere"}
        own = {"WORDKEEP_VENV": str(self.venv), "CALLS": str(self.calls_file)}
        return inherited | own | more

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            (str(PROJECT / "wordkeep"), *arguments),
            cwd=self.folder,
            env=self.env(env),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            # Started in the background, the tests would hand down that it is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (str(PROJECT / "wordkeep"), *arguments),
            cwd=self.folder,
            env=self.env(env),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def calls(self) -> list[str]:
        """Return the interesting calls since the last time, and forget them."""
        lines = self.calls_file.read_text().splitlines()
        self.calls_file.write_text("")
        return [line for line in lines if " install " in line or "-m venv" in line]


@pytest.fixture
def door(tmp_path: Path) -> FrontDoor:
    return FrontDoor(tmp_path)


def test_an_old_python_is_one_sentence(door: FrontDoor) -> None:
    done = door.run("up", FAKE_OLD="1")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "wordkeep: Python 3.11 or newer is needed, but this computer has only: "
        + " ".join(["Python 3.9.2"] * 5)
        + ". Install Python 3.11, or name one: "
        "WORDKEEP_PYTHON=/path/to/python ./wordkeep up"
    )
    assert not (door.venv / "wordkeep-installed").exists()


def test_no_python_is_one_sentence(door: FrontDoor) -> None:
    done = door.run("up", WORDKEEP_PYTHON="no-such-python")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "wordkeep: Python 3.11 or newer is needed, but no Python was found. Install it "
        "(Debian: apt-get install python3 python3-venv) and run this again."
    )


def test_a_python_without_venv_is_one_sentence(door: FrontDoor) -> None:
    done = door.run("up", FAKE_NO_VENV="1")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "wordkeep: python3.11 has no venv module. Install it "
        "(Debian: apt-get install python3-venv) and run this again."
    )


def test_first_start_installs_and_the_second_does_not(door: FrontDoor) -> None:
    first = door.run("up", "--port", "8101", "--torch=cpu")
    assert first.stdout == "handed over: -P -m webapp.cli up --port 8101\n"
    made, locked, torch = door.calls()
    assert made == f"-m venv {door.venv}"
    assert locked.endswith(
        f"--no-deps --require-hashes -r {PROJECT / 'requirements.lock'}"
    )
    assert torch.endswith("torch==2.13.0")
    second = door.run("up")
    assert second.stdout == "handed over: -P -m webapp.cli up\n"
    assert second.stderr == ""
    assert door.calls() == []


def test_the_cpu_build_comes_from_its_own_place_if_that_answers(
    door: FrontDoor,
) -> None:
    door.run("up", "--torch", "cpu", FAKE_UNREACHABLE="0")
    assert "--no-deps --index-url" in door.calls()[-1]


def test_another_build_is_installed_when_it_is_asked_for(door: FrontDoor) -> None:
    door.run("up", "--torch", "cpu")
    door.calls()
    assert (
        "Changing PyTorch to the cuda build."
        in door.run("up", "--torch", "cuda").stderr
    )
    assert door.run("up", "--torch", "cuda").stderr == ""
    assert door.run("up").stderr == ""
    assert door.run("up", "--torch", "tpu").stderr == (
        "wordkeep: --torch is auto, cpu or cuda.\n"
    )


def test_a_long_download_says_that_it_goes_on(door: FrontDoor) -> None:
    # The pause between two signs of life is shortened; the rest of it is real.
    door.add_program("sleep", '#!/bin/bash\nexec /bin/sleep "${1/#30/0.2}"\n')
    done = door.run("up", "--torch", "cpu", FAKE_SECONDS="1.5")
    assert done.returncode == 0
    assert re.search(r"^      \d+ s …$", done.stderr, re.MULTILINE)


def test_ctrl_c_ends_the_installation_and_the_next_start_does_it_again(
    door: FrontDoor,
) -> None:
    with door.start("up", FAKE_SECONDS="60") as process:
        while " install " not in door.calls_file.read_text():
            time.sleep(0.05)
        # As a terminal does: to all programs of the group.
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) != 0
    assert not (door.venv / "wordkeep-installed").exists()
    assert door.run("up").stdout == "handed over: -P -m webapp.cli up\n"


def test_an_interrupted_installation_is_done_again(door: FrontDoor) -> None:
    broken = door.run("up", FAKE_PIP="Killed")
    assert broken.returncode == 1
    leftover = door.venv / "half-a-package"
    leftover.touch()
    again = door.run("up")
    assert again.returncode == 0
    assert not leftover.exists()
    assert door.calls()[-3] == f"-m venv {door.venv}"


def test_a_changed_lock_is_installed_over_what_is_there(door: FrontDoor) -> None:
    door.run("up")
    door.calls()
    (door.venv / "wordkeep-installed").write_text("an older lock\n")
    kept = door.venv / "a-package"
    kept.touch()
    assert door.run("up").returncode == 0
    assert kept.exists()
    assert [call.split()[1] for call in door.calls()] == ["pip", "pip"]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "OSError: [Errno 28] No space left on device",
            "wordkeep: The disk is full. Free some space (about 3 GB) and run this "
            "again.",
        ),
        (
            "NewConnectionError: Temporary failure in name resolution",
            "wordkeep: The Python packages could not be downloaded. Check the network "
            "(or pip's proxy settings) and run this again.",
        ),
    ],
)
def test_what_pip_says_becomes_one_sentence(
    door: FrontDoor, said: str, sentence: str
) -> None:
    done = door.run("up", FAKE_PIP=said)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == sentence


def test_another_failure_of_pip_is_shown_with_its_log(door: FrontDoor) -> None:
    done = door.run("up", FAKE_PIP="ERROR: the hashes do not match")
    assert done.stderr.splitlines()[-2:] == [
        "ERROR: the hashes do not match",
        "wordkeep: pip could not install the packages. Its log is "
        f"{door.venv}/install.log",
    ]


def test_a_small_disk_is_noticed_before_anything_is_made(door: FrontDoor) -> None:
    door.add_program(
        "df", "#!/bin/bash\necho header\necho 'disk 1000 900 102400 90% /'\n"
    )
    done = door.run("up", "--torch", "cpu")
    assert done.returncode == 1
    assert done.stderr == (
        f"wordkeep: Setting up needs about 3000 MB of disk, but {door.venv} has only "
        "100 MB left. Free some space and run this again.\n"
    )
    assert door.calls() == []


def test_a_folder_of_somebody_else_is_left_alone(door: FrontDoor) -> None:
    door.venv.mkdir()
    precious = door.venv / "precious"
    precious.touch()
    done = door.run("up")
    assert done.returncode == 1
    assert "was not made by this script" in done.stderr
    assert precious.exists()


def test_help_needs_no_installation(door: FrontDoor) -> None:
    done = door.run("help")
    assert done.stdout.startswith("Usage: ./wordkeep COMMAND")
    assert door.calls() == []


@pytest.mark.parametrize(
    ("given", "called"),
    [
        (("bench", "kill", "--kills", "5"), "webapp.cli bench kill --kills 5"),
        (("bench", "--help"), "webapp.cli bench --help"),
        (("bench", "guards", "--rows", "9"), "finetune bench-guards --rows 9"),
        (("bench", "train"), "finetune bench-train"),
        (("bench", "sharing"), "finetune bench-sharing"),
        (("train",), "finetune train"),
        (("work",), "finetune work"),
        (("train", "recipe.yaml"), "finetune train recipe.yaml"),
        (("guard", "eval"), "finetune guard eval"),
        (("trainer",), "webapp.cli trainer"),
    ],
)
def test_a_command_goes_to_its_program(
    door: FrontDoor, given: tuple[str, ...], called: str
) -> None:
    done = door.run(*given)
    assert done.stdout == f"handed over: -P -m {called}\n"
