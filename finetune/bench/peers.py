"""Detectors of others, each in a process of its own.

Public ones are not dependencies of this project. Each is installed on first use, in a
throw-away environment that sees the packages of this project behind its own, so that
torch is not installed again. The gate of another checkout needs no environment.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from finetune.bench.detectors import Readings
from finetune.errors import FinetuneError
from finetune.guards.released import RELEASES
from finetune.weights.files import replacing
from finetune.weights.places import find_folder
from finetune.weights.releases import Release, read_release

CHILD = Path(__file__).with_name("peer_child.py")
_STAMP = "installed"
_PIP_SECONDS = 600
_RUN_SECONDS = 3600
_REASON = 100  # characters of a reason that fit into a row of the table
_EMBEDDER = "all-MiniLM-L6-v2.onnx"
_ROOT = Path(__file__).parents[2]
# As those that run in this process are measured.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class PeerError(FinetuneError):
    """A detector that could not be installed or asked; the message is the reason."""


class Peer(NamedTuple):
    """A package that detects prompt injections, and what else it needs."""

    package: str
    version: str
    kind: str
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what the table calls it."""
        return f"{self.package} {self.version} ({self.kind})"


PEERS = (
    # It downloads its embedder; with onnx it gets one made from the packaged model.
    Peer("jailguard", "0.1.2", "MiniLM, MLP", ("onnx", "protobuf", "ml-dtypes")),
    Peer("metatronnanoguard", "0.1.0", "transformer", ("tiktoken",)),
    Peer("prompt-injection-detector", "0.1.0", "TF-IDF"),
    Peer("prompt-guardrail", "1.0.1", "TF-IDF"),
    Peer("ai-injection-guard", "0.3.0", "regex"),
    Peer("aicordon", "1.4.0", "rules"),
)


def ask_peer(peer: Peer, texts: Sequence[str], *, folder: Path, base: str) -> Readings:
    """Install a detector below `folder` if needed, and let it judge every text.

    `base` is the place of the sentence model. Raises PeerError with the reason.
    """
    python = install(peer, folder)
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        **_ONE_THREAD,
    }
    if peer.package == "jailguard":
        environment["JAILGUARD_MODEL_DIR"] = str(_embedder(python, folder, base))
    command = [str(python), "-I", "-X", "utf8", str(CHILD), peer.package]
    return ask(command, texts, environment)


def released_in(checkout: Path) -> Release:
    """Return the gate that was released with another checkout of this project.

    Raises ReleaseError if there is none, or if it is damaged.
    """
    return read_release(checkout / RELEASES.relative_to(_ROOT) / "gate")


def ask_checkout(checkout: Path, texts: Sequence[str]) -> Readings:
    """Let the gate of another checkout judge every text, with the code of that one.

    The format of a gate changes; a gate and the code that reads it are released
    together. Raises PeerError with the reason.
    """
    environment = {**os.environ, **_ONE_THREAD, "PYTHONPATH": str(checkout.resolve())}
    command = [sys.executable, "-P", "-X", "utf8", str(CHILD), "gate"]
    return ask(command, texts, environment)


def ask(
    command: Sequence[str], texts: Sequence[str], environment: Mapping[str, str]
) -> Readings:
    """Give texts to a command that answers as `peer_child` does.

    Raises PeerError if it fails or answers anything else.
    """
    rows = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    said = _run(command, environment, _RUN_SECONDS, rows)
    try:
        *answers, last = [json.loads(line) for line in said.splitlines()]
        readings = Readings(
            [float(answer["score"]) for answer in answers],
            [bool(answer["flagged"]) for answer in answers],
            statistics.median(answer["ms"] for answer in answers),
            last["batch_ms"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise PeerError(f"its answer cannot be read ({error!r})"[:_REASON]) from error
    if len(answers) != len(texts):
        raise PeerError(f"it answered {len(answers)} of {len(texts)} rows")
    return readings


def install(peer: Peer, folder: Path) -> Path:
    """Return the Python of a detector's environment, made on first use.

    Raises PeerError if that fails; the next call then starts again.
    """
    home = folder / f"{peer.package}-{peer.version}"
    python = home / "bin" / "python"
    wanted = "\n".join([f"{peer.package}=={peer.version}", *peer.needs])
    stamp = home / _STAMP
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return python
    shutil.rmtree(home, ignore_errors=True)
    environment = dict(os.environ)
    made = [sys.executable, "-m", "venv", "--without-pip", str(home)]
    _run(made, environment, _PIP_SECONDS)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    pip += ["--python", str(python), "install", "--quiet", "--no-input", "--no-deps"]
    _run([*pip, *wanted.splitlines()], environment, _PIP_SECONDS)
    (packages,) = home.glob("lib/python*/site-packages")
    ours = sysconfig.get_path("purelib")
    (packages / "wordkeep.pth").write_text(f"{ours}\n", "utf-8")
    stamp.write_text(wanted, "utf-8")
    return python


def _embedder(python: Path, folder: Path, base: str) -> Path:
    """Return a folder with the sentence model as jailguard expects it."""
    prepared = folder / "jailguard-model"
    if not (prepared / _EMBEDDER).is_file():
        prepared.mkdir(parents=True, exist_ok=True)
        model = find_folder(base)
        shutil.copyfile(model / "tokenizer.json", prepared / "tokenizer.json")
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        export = [str(python), "-P", "-m", "finetune.bench.export"]
        with replacing(prepared / _EMBEDDER) as new:
            _run([*export, str(model), str(new)], environment, _PIP_SECONDS)
    return prepared


def _run(
    command: Sequence[str],
    environment: Mapping[str, str],
    seconds: float,
    given: str = "",
) -> str:
    """Return what a command writes; raise PeerError with its last words."""
    try:
        done = subprocess.run(
            command,
            input=given,
            env=environment,
            timeout=seconds,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise PeerError(f"not done after {seconds:.0f} s") from error
    except OSError as error:
        raise PeerError(str(error)[:_REASON]) from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        reason = said[-1].strip() if said else f"exit status {done.returncode}"
        raise PeerError(reason[:_REASON])
    return done.stdout
