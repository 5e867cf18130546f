"""`python -m finetune data FILE`: what is in a file of texts, before training."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finetune.data.texts.reading import read_table
from finetune.data.texts.report import count_roughly, preview
from finetune.recipes.lm import TextRows
from finetune.settings import Settings

_BAR = 30
_SIGNS = {"good": " ", "warning": "!", "error": "x"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `data`."""
    parser.add_argument("file", type=Path, help="txt, csv, json or jsonl")
    parser.add_argument(
        "--format", default="auto", choices=["auto", "txt", "csv", "json", "jsonl"]
    )
    parser.add_argument(
        "--documents",
        default="lines",
        choices=["lines", "paragraphs", "whole"],
        help="what a row of a txt file is",
    )
    parser.add_argument("--text", help='template of a row, such as "{title}: {steps}"')
    parser.add_argument("--answer", help="template of what alone is learned")
    parser.add_argument("--chat", action="store_true", help="write rows as chats")
    parser.add_argument("--seed", type=int, default=0)


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print the report in words; 1 if the texts cannot be trained on.

    Raises DataError if the file cannot be read.
    """
    del settings
    given = {"text": chosen.text} if chosen.text is not None else {}
    data = TextRows(
        source="rows",
        path=chosen.file,
        format=chosen.format,
        documents=chosen.documents,
        answer=chosen.answer,
        is_chat=chosen.chat,
        **given,
    )
    table = read_table(data.path, format=data.format, documents=data.documents)
    found = preview(table, data, count_tokens=count_roughly, seed=chosen.seed)
    sys.stdout.write("\n".join(_lines(found)) + "\n")
    verdicts = found["report"]["verdicts"]
    return int(any(verdict["level"] == "error" for verdict in verdicts))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    report = found["report"]
    yield (
        f"{found['rows']:,} rows of {found['format']} in {found['encoding']}; columns:"
        f" {', '.join(found['columns'])}"
    )
    yield f"Text: {found['text']!r}; answer: {found['answer']!r}"
    suggested = found["suggestion"]
    if suggested is not None and suggested["text"] != found["text"]:
        yield f"{suggested['about']} Try --text {suggested['text']!r}" + (
            f" --answer {suggested['answer']!r}" if suggested["answer"] else ""
        )
    yield ""
    for each in found["rendered"][:2]:
        yield textwrap.indent(each["text"] + (each["answer"] or ""), "  | ")
        yield ""
    yield (
        f"{report['train']:,} texts to learn from, {report['validation']:,} to judge"
        f" by, {report['test']:,} locked. About {report['tokens_per_epoch']:,} tokens"
        f" an epoch, of {report['tokens']:,}."
    )
    yield from _bars(report["lengths"])
    shares = (f"{name} {share:.0%}" for name, share in report["scripts"].items())
    yield f"Letters: {', '.join(shares) or 'none'}"
    yield f"Language: {report['language'] or 'none'}"
    for verdict in report["verdicts"]:
        yield f"{_SIGNS[verdict['level']]} {verdict['text']}"


def _bars(lengths: dict[str, Any]) -> Iterator[str]:
    most = max(lengths["counts"], default=0)
    for place, count in enumerate(lengths["counts"]):
        bar = "#" * -(-_BAR * count // max(1, most))
        first, last = lengths["edges"][place], lengths["edges"][place + 1] - 1
        yield f"{first:>7,} to {last:>7,} tokens {bar} {count:,}"
