"""`python -m finetune`: every command of the sidecar package."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from finetune.errors import FinetuneError
from finetune.settings import SETTINGS, load_settings

# Each is imported when it is called: training would cost the sidecar seconds at its
# start. A module has `add_arguments(parser)` and `main(chosen, settings)`.


def _serve() -> ModuleType:
    from finetune.serving import server  # noqa: PLC0415 -- slow import

    return server


def _models() -> ModuleType:
    from finetune.serving import models  # noqa: PLC0415 -- slow import

    return models


def _data() -> ModuleType:
    from finetune.data.texts import command  # noqa: PLC0415 -- slow import

    return command


def _train() -> ModuleType:
    from finetune.training import command  # noqa: PLC0415 -- slow import

    return command


def _own_guard() -> ModuleType:
    from finetune.training import own_guard  # noqa: PLC0415 -- slow import

    return own_guard


def _work() -> ModuleType:
    from finetune.work import command  # noqa: PLC0415 -- slow import

    return command


def _guard() -> ModuleType:
    from finetune.evaluation import guards  # noqa: PLC0415 -- slow import

    return guards


def _warden_eval() -> ModuleType:
    from finetune.evaluation import warden  # noqa: PLC0415 -- slow import

    return warden


def _scribe_eval() -> ModuleType:
    from finetune.evaluation import scribe  # noqa: PLC0415 -- slow import

    return scribe


def _tasks() -> ModuleType:
    from finetune.evaluation import tasks  # noqa: PLC0415 -- slow import

    return tasks


def _sample_replies() -> ModuleType:
    from finetune.data import sampling  # noqa: PLC0415 -- slow import

    return sampling


def _bench_engine() -> ModuleType:
    from finetune.bench import engine  # noqa: PLC0415 -- slow import

    return engine


def _bench_guards() -> ModuleType:
    from finetune.bench import guards  # noqa: PLC0415 -- slow import

    return guards


def _bench_publishers() -> ModuleType:
    from finetune.bench import publishers  # noqa: PLC0415 -- slow import

    return publishers


def _bench_queue() -> ModuleType:
    from finetune.bench import queue  # noqa: PLC0415 -- slow import

    return queue


def _bench_resume() -> ModuleType:
    from finetune.bench import resuming  # noqa: PLC0415 -- slow import

    return resuming


def _bench_serving() -> ModuleType:
    from finetune.bench import serving  # noqa: PLC0415 -- slow import

    return serving


def _bench_sharing() -> ModuleType:
    from finetune.bench import sharing  # noqa: PLC0415 -- slow import

    return sharing


def _bench_train() -> ModuleType:
    from finetune.bench import train  # noqa: PLC0415 -- slow import

    return train


class Command(NamedTuple):
    """What a command is for, and what imports its module."""

    help: str
    load: Callable[[], ModuleType]


COMMANDS = {
    "serve": Command("serve the models over HTTP", _serve),
    "models": Command("list the models that serve would offer", _models),
    "data": Command("report on a file of texts before training", _data),
    "train": Command("train the model of a recipe", _train),
    "own-guard": Command("train a small guard from own messages", _own_guard),
    "work": Command("train what waits in the queue", _work),
    "guard": Command("measure a guard model", _guard),
    "warden-eval": Command("measure a warden", _warden_eval),
    "scribe-eval": Command("measure a scribe", _scribe_eval),
    "tasks": Command("ask a model the questions of benchmarks", _tasks),
    "sample-replies": Command(
        "ask the base model the ordinary requests", _sample_replies
    ),
    "bench-engine": Command("measure the engine alone", _bench_engine),
    "bench-guards": Command("compare the gate with other detectors", _bench_guards),
    "bench-publishers": Command(
        "compare detectors on publishers that the gate did not learn", _bench_publishers
    ),
    "bench-queue": Command("measure the engine's own queue", _bench_queue),
    "bench-resume": Command(
        "end the training worker at random steps and compare", _bench_resume
    ),
    "bench-serving": Command("measure a model in several sizes", _bench_serving),
    "bench-sharing": Command("measure what reading once saves", _bench_sharing),
    "bench-train": Command(
        "compare the training loop with transformers.Trainer", _bench_train
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="python -m finetune",
        description=__doc__,
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        chosen_parser = commands.add_parser(name, help=command.help)
        if given[:1] == [name]:
            module = command.load()
            module.add_arguments(chosen_parser)
            chosen_parser.add_argument(
                "--instance", type=Path, help="folder for what is made"
            )
    chosen = parser.parse_args(given)
    try:
        settings = load_settings(
            os.environ,
            port=getattr(chosen, "port", None),
            host=getattr(chosen, "host", None),
            socket=getattr(chosen, "socket", None),
            instance=chosen.instance,
        )
        status: int = module.main(chosen, settings)
    except FinetuneError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return status


def _settings_help() -> str:
    lines = ["Settings in the environment:"]
    for name, default, text in SETTINGS:
        lines.append(
            f"  WORDKEEP_SIDECAR_{name.upper()} (default: {default or 'none'})"
        )
        lines.append(f"      {text}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
