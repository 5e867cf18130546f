"""The rows that detectors are compared on, and those that the baselines learn from."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.data.guards.collect import collect
from finetune.data.guards.rows import Row, read_rows
from finetune.recipes.guard import ClassifierRecipe
from finetune.releasing.guard import ladder_rows
from finetune.weights.releases import read_release

Emit = Callable[[dict[str, Any]], None]

LADDER = "challenges/attacks"
_SEED = 1
# Words that attacks are made of, in harmless talk as well: a detector that relies on
# words alone flags these rows.
_TRIGGERS = re.compile(
    r"\b(pass ?words?|pass ?phrases?|pass ?codes?|passwor[td]\w*|secrets?|ignor\w*|"
    r"instructions?|system|prompts?|override\w*|bypass\w*|reveal\w*|disregard\w*|"
    r"forget|rules?|hack\w*|inject\w*|jailbreak\w*|admin\w*|confidential|hidden|"
    r"keys?|contrase\w+|secreto|mot de passe|geheim\w*|passord|wachtwoord|senha)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class BenchRows:
    """What is judged, and what the baselines learn from.

    `strange` are the sources of which nothing trained the gate or the baselines, and
    `tuning` those of them that set the gate's threshold.
    """

    judged: list[Row]
    train: list[Row]
    strange: frozenset[str]
    tuning: frozenset[str]
    left_out: int

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of attacks and of benign rows of each source."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self.judged:
            counts[row.source]["attacks" if row.label else "benign"] += 1
        return {source: dict(counts[source]) for source in sorted(counts)}


def has_trigger(text: str) -> bool:
    """Return whether a text has words in it that attacks are made of."""
    return _TRIGGERS.search(text) is not None


def bench_rows(
    release: Path, emit: Emit, *, most: int, dev: Path | None, train: Path | None
) -> BenchRows:
    """Return the rows to judge, at most `most` of each source and kind.

    They are the attacks and harmless visits of the ladder, and of the files that the
    gate was trained with the rows that it did not see, or those of `dev` instead. No
    judged text is in the rows that were trained on. Raises RecipeError or ReleaseError.
    """
    recipe = ClassifierRecipe.model_validate(read_release(release).recipe)
    seen = collect(recipe, emit)
    learned = seen.train if train is None else list(_from_file(train))
    given = list(_ladder() if dev is None else _from_file(dev))
    if dev is None:
        given += _from_folders(recipe)
    trained = {row.text for row in (*seen.train, *learned)}
    sources = {row.source for row in (*seen.train, *learned)}
    judged = {row.text: row for row in given if row.text not in trained}
    strange = frozenset(row.source for row in judged.values()) - sources
    return BenchRows(
        _shuffled(_capped(judged.values(), most)),
        learned,
        strange,
        frozenset(source for source in strange if source.startswith(recipe.held_out)),
        len({row.text for row in given}) - len(judged),
    )


def _ladder() -> Iterator[Row]:
    for row in ladder_rows():
        yield Row(row["text"], row["label"], LADDER)


def _from_file(path: Path) -> Iterator[Row]:
    for row in read_rows(path):
        yield Row(row["text"], row["label"], row.get("source", path.name))


def _from_folders(recipe: ClassifierRecipe) -> Iterator[Row]:
    for folder in recipe.data:
        for file in folder.files:
            if (folder.folder / file.name).is_file():
                yield from _from_file(folder.folder / file.name)


def _capped(rows: Iterable[Row], most: int) -> Iterator[Row]:
    """Yield at most `most` rows of each source and kind, picked by a fixed seed."""
    groups: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.source, row.label].append(row)
    for group in groups.values():
        yield from _shuffled(group)[:most]


def _shuffled(rows: Iterable[Row]) -> list[Row]:
    shuffled = list(rows)
    random.Random(_SEED).shuffle(shuffled)
    return shuffled


def picked(rows: Sequence[Row], sources: frozenset[str]) -> list[int]:
    """Return the numbers of the rows of some sources."""
    return [number for number, row in enumerate(rows) if row.source in sources]
