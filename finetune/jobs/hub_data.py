"""Rows of data sets of the Hugging Face hub, read a hundred at a time.

The hub's own service gives out rows as JSON, from any place of any set: nothing but the
rows that are wanted is fetched, and no program that comes with a set is run.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from finetune.jobs.errors import JobError
from finetune.jobs.files import FileStore, KeptFile
from finetune.weights.hub import (
    HubAway,
    HubError,
    data_licence,
    is_hub_name,
    is_offline,
)

Json = dict[str, Any]

MOST_ROWS: Final = 10_000
_AT_ONCE: Final = 100  # what the service gives at most
_SECONDS: Final = 8.0  # for an answer
_WHOLE_SECONDS: Final = 45.0  # for all of them; then what came is kept
_NOT_FOUND: Final = (401, 403, 404)
_OK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a data set: its subset and split."""

    name: str
    subset: str
    split: str


class HubData:
    """The data sets of the hub, at the address of its service. Keeps nothing."""

    def __init__(self, url: str, *, most_bytes: int) -> None:
        self._url = url.rstrip("/")
        self._most_bytes = most_bytes

    def fetch(
        self, files: FileStore, *, name: str, subset: str, split: str, rows: int
    ) -> KeptFile:
        """Keep the first rows of a set as a file of JSON lines.

        There may be fewer: where the set ends, the file is as large as it may be, or
        the time is over. Empty `subset` and `split` are the usual ones. Raises
        JobError, HubError, or CannotKeep.
        """
        import httpx2  # noqa: PLC0415 -- slow import

        if not is_hub_name(name):
            raise JobError(
                f"{name[:60]!r} is not the name of a data set: on the Hugging Face hub"
                " names are written owner/name.",
                param="name",
            )
        if is_offline():
            raise _away(name)
        with httpx2.Client(timeout=_SECONDS, follow_redirects=True) as client:
            part = self._part(client, name, subset, split)
            lines, count = self._lines(client, part, rows)
        if not count:
            raise JobError(
                f"{name} gave no rows of its part {part.subset}/{part.split} that are"
                " small enough: choose another part.",
                param="name",
            )
        return files.add(
            io.BytesIO(lines),
            filename=f"{name.replace('/', '-')}-{part.subset}-{part.split}.jsonl",
            purpose="fine-tune",
            origin={
                "name": name,
                "subset": part.subset,
                "split": part.split,
                "rows": count,
                "licence": data_licence(name),
            },
        )

    def _part(self, client: Any, name: str, subset: str, split: str) -> Part:
        told = self._ask(client, name, "/splits", {"dataset": name})
        known = [(s["config"], s["split"]) for s in told.get("splits", ())]
        subsets = list(dict.fromkeys(config for config, _ in known))
        subset = subset or _usual(subsets, "default")
        splits = [found for config, found in known if config == subset]
        split = split or _usual(splits, "train")
        if subset not in subsets:
            raise JobError(
                f"{name} has no subset {subset[:40]!r}: there is {_some(subsets)}.",
                param="subset",
            )
        if split not in splits:
            raise JobError(
                f"{name} has no split {split[:40]!r}: there is {_some(splits)}.",
                param="split",
            )
        return Part(name=name, subset=subset, split=split)

    def _lines(self, client: Any, part: Part, rows: int) -> tuple[bytes, int]:
        """Return JSON lines, and how many; a row with something cut off is left out."""
        found, count, at = bytearray(), 0, 0
        end = time.monotonic() + _WHOLE_SECONDS
        while at < rows and time.monotonic() < end:
            asked = {
                "dataset": part.name,
                "config": part.subset,
                "split": part.split,
                "offset": str(at),
                "length": str(min(_AT_ONCE, rows - at)),
            }
            told = self._ask(client, part.name, "/rows", asked)
            got = told.get("rows", ())
            for row in got:
                if row.get("truncated_cells"):
                    continue
                line = json.dumps(row["row"], ensure_ascii=False).encode() + b"\n"
                if len(found) + len(line) > self._most_bytes:
                    return bytes(found), count
                found += line
                count += 1
            at += len(got)
            if not got or at >= told.get("num_rows_total", at + 1):
                break
        return bytes(found), count

    def _ask(self, client: Any, name: str, path: str, asked: Mapping[str, str]) -> Json:
        import httpx2  # noqa: PLC0415 -- slow import

        try:
            answer = client.get(f"{self._url}{path}", params=asked)
            told = answer.json() if answer.status_code == _OK else {}
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _away(name) from error
        except ValueError as error:
            raise HubError(f"The Hugging Face hub told nonsense of {name}.") from error
        if answer.status_code in _NOT_FOUND:
            raise JobError(
                f"The Hugging Face hub has no data set {name} whose rows everybody may"
                " read: check the name, which is written owner/name.",
                param="name",
            )
        if answer.status_code != _OK:
            raise HubError(
                f"The Hugging Face hub cannot give rows of {name} now: try again later,"
                " or choose another data set."
            )
        if not isinstance(told, dict):
            raise HubError(f"The Hugging Face hub told nonsense of {name}.")
        return told


def _usual(known: list[str], usual: str) -> str:
    if usual in known:
        return usual
    return known[0] if known else usual


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:8]) or "none"
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown


def _away(name: str) -> HubAway:
    why = (
        "this computer is set to stay offline (HF_HUB_OFFLINE)"
        if is_offline()
        else "the Hugging Face hub does not answer"
    )
    return HubAway(
        f"The data set {name} has to be fetched, and {why}: connect this computer to"
        " the internet, or use a shipped set or a file of your own."
    )
