"""What a schema cannot say: rules inside one level, and between the files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import get_args

from webapp.content import prompts
from webapp.content.schema import GuardSpec, Ladder, Level
from webapp.content.wordlist import WordList
from webapp.plugins.guard import Stage
from webapp.reading.plain_words import did_you_mean
from webapp.reading.problems import Problem, Severity
from webapp.reading.tree import Node
from webapp.text.words import fold
from webapp.text.words import words as find_words


@dataclass(frozen=True, slots=True)
class Source:
    """Where a record was read: its file, its folder's name and its lines."""

    path: Path
    folder: str
    node: Node

    def problem(
        self, loc: tuple[int | str, ...], message: str, suggestion: str = ""
    ) -> Problem:
        """Return an error at the line of a value."""
        return Problem(self.path, self.node.find(loc).line, message, suggestion)


@dataclass(frozen=True, slots=True)
class Names:
    """Which names exist, even where their files are too broken to be read."""

    lessons: frozenset[str]
    levels: frozenset[str]
    # Folders with a level file that has no readable id: it may be any level.
    unclear_folders: frozenset[str]


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model that a level names, and where."""

    path: Path
    line: int
    name: str


def named_models(level: Level, source: Source) -> Iterator[NamedModel]:
    """Yield the models that a level and its guards name."""
    line = source.node.find(("defender", "model")).line
    yield NamedModel(source.path, line, level.defender.model)
    for stage in ("input", "output"):
        specs: tuple[GuardSpec, ...] = getattr(level.guards, stage)
        for number, spec in enumerate(specs):
            name = getattr(spec.options, "model", None)
            if name is not None:
                loc = ("guards", stage, number, spec.name, "model")
                yield NamedModel(source.path, source.node.find(loc).line, name)


def check_level(level: Level, source: Source) -> Iterator[Problem]:
    """Yield what is wrong inside one level."""
    yield from _check_prompts(level, source)
    costs = sum(hint.cost for hint in level.hints)
    if costs > level.points:
        yield source.problem(
            ("hints",),
            f"the hints cost {costs} together, but the level gives {level.points}",
            "make the hints cheaper or give more points",
        )
    if level.suspicion is not None and not level.guards.input + level.guards.output:
        yield source.problem(
            ("suspicion",),
            "suspicion counts blocked turns, but no guard of this level blocks",
            "add a guard or delete suspicion",
        )
    yield from _check_guard_names(level, source)
    yield from _check_document(level, source)
    yield from _check_secret_in_texts(source)
    yield from _check_proof(level, source)


def _check_document(level: Level, source: Source) -> Iterator[Problem]:
    if level.document is None:
        return
    for place in ("{question}", "{document}"):
        count = level.document.page.count(place)
        if count != 1:
            yield source.problem(
                ("document", "page"),
                f"{place} stands {count} times on the page",
                "write it once, where the model is to read it",
            )
    if level.defender.turns > 1:
        yield source.problem(
            ("defender", "turns"),
            f"{level.defender.turns} turns, but each document is read on its own",
            "delete defender.turns, or document",
        )


def _check_guard_names(level: Level, source: Source) -> Iterator[Problem]:
    stage: Stage
    for stage in get_args(Stage):
        names, specs = level.guard_names.at(stage), level.guards.at(stage)
        if names and len(names) != len(specs):
            yield source.problem(
                ("guard_names", stage),
                f"guard_names.{stage} has {_count(names, 'name')}, but "
                f"guards.{stage} has {_count(specs, 'guard')}",
                "give each guard one name, in the same order, or delete "
                f"guard_names.{stage}",
            )
        folded = [fold(name) for name in names]
        for number, name in enumerate(names):
            if folded[number] in folded[:number]:
                yield source.problem(
                    ("guard_names", stage, number),
                    f'two guards are called "{name}"',
                    "call one of them something else, so that players can tell them "
                    "apart",
                )


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _check_secret_in_texts(source: Source) -> Iterator[Problem]:
    """Yield each text that players would read with the placeholder in it."""
    for key, node in source.node.pairs.items():
        if key in {"defender", "guards", "proof"}:
            continue
        for text in _texts(node):
            line = prompts.placeholder_line(text.value)
            if line is not None:
                yield Problem(
                    source.path,
                    text.block_line + line - 1 if text.block_line else text.line,
                    "{{ secret }} is not filled in here: players would read it so",
                    "it works in defender.system and defender.examples only",
                    "warning",
                )


def _check_prompts(level: Level, source: Source) -> Iterator[Problem]:
    defender = level.defender
    texts: dict[tuple[int | str, ...], str] = {
        ("defender", "system"): defender.system,
    }
    for number, example in enumerate(defender.examples):
        texts["defender", "examples", number, "user"] = example.user
        texts["defender", "examples", number, "assistant"] = example.assistant
    are_clean = True
    for loc, text in texts.items():
        node = source.node.find(loc)
        for line, message, advice in prompts.find_mistakes(text):
            are_clean = False
            # In a literal block each line of the text is a line of the file.
            at = node.block_line + line - 1 if node.block_line else node.line
            yield Problem(source.path, at, message, advice)
    if are_clean and not any(map(prompts.has_secret, texts.values())):
        yield source.problem(
            ("defender", "system"),
            "the model is never told the password, so nobody can win",
            "write {{ secret }} in defender.system",
        )


def _check_proof(level: Level, source: Source) -> Iterator[Problem]:
    if level.proof is None:
        yield Problem(
            source.path,
            source.node.find(("id",)).line,
            "this level has no proof, so nothing shows that it can be won",
            "add proof: with a conversation that wins under solved_by:",
            "warning",
        )
        return
    turns, chars = level.defender.turns, level.defender.message_chars
    for key in ("solved_by", "not_solved_by"):
        conversations: tuple[tuple[str, ...], ...] = getattr(level.proof, key)
        for number, messages in enumerate(conversations):
            loc = ("proof", key, number)
            if len(messages) > turns:
                yield source.problem(
                    loc,
                    f"{len(messages)} messages, but the level allows {turns}",
                    "raise defender.turns or make the conversation shorter",
                )
            if any(len(message) > chars for message in messages):
                yield source.problem(
                    loc,
                    f"a message is longer than {chars} characters",
                    "raise defender.message_chars or shorten it",
                )


def check_ladders(
    ladders: Sequence[tuple[Ladder, Source]],
    levels: Sequence[tuple[Level, Source]],
    names: Names,
) -> Iterator[Problem]:
    """Yield what is wrong between ladders and the levels in their folders."""
    seen: dict[str, Path] = {}
    for ladder, source in ladders:
        if ladder.id in seen:
            yield source.problem(
                ("id",),
                f'two ladders have the id "{ladder.id}"',
                f"the other is in {seen[ladder.id].parent.name}/",
            )
        seen.setdefault(ladder.id, source.path)
        yield from _check_ladder(ladder, source, levels, names)


def _check_ladder(
    ladder: Ladder,
    source: Source,
    levels: Sequence[tuple[Level, Source]],
    names: Names,
) -> Iterator[Problem]:
    here = {level.id for level, its in levels if its.folder == source.folder}
    for number, level_id in enumerate(ladder.levels):
        loc = ("levels", number)
        if level_id in ladder.levels[:number]:
            yield source.problem(loc, f'"{level_id}" appears twice', "delete one")
        elif level_id not in here | _unread(names, source.folder, level_id):
            advice = did_you_mean(level_id, list(here))
            yield source.problem(
                loc, f'no level in this folder has the id "{level_id}"', advice
            )
    for level, its in levels:
        if its.folder == source.folder and level.id not in ladder.levels:
            yield its.problem(
                ("id",),
                f'the level "{level.id}" is not in a ladder',
                f"add it to the levels in {source.folder}/ladder.yaml",
            )


def _unread(names: Names, folder: str, level_id: str) -> frozenset[str]:
    if folder in names.unclear_folders:
        return frozenset({level_id})
    return names.levels


def check_levels(
    levels: Sequence[tuple[Level, Source]],
    words: Mapping[str, WordList],
    names: Names,
) -> Iterator[Problem]:
    """Yield what is wrong between levels, word lists and lessons."""
    first: dict[str, Path] = {}
    for level, source in levels:
        if level.id in first:
            other = first[level.id]
            yield source.problem(
                ("id",),
                f'two levels have the id "{level.id}"',
                f"the other is in {other.parent.name}/{other.name}",
            )
        first.setdefault(level.id, source.path)
        yield from _check_after(level, source, names)
        if level.secret.words not in words:
            yield source.problem(
                ("secret", "words"),
                f'there is no word list "{level.secret.words}"',
                did_you_mean(level.secret.words, list(words)),
            )
        if level.lesson is not None and level.lesson not in names.lessons:
            yield Problem(
                source.path,
                source.node.find(("lesson",)).line,
                f'there is no lesson "{level.lesson}" yet',
                f"write lessons/{_numbered(level.lesson)}.md or delete the line",
                "warning",
            )
    yield from _check_cycles(levels)


def _numbered(lesson_id: str) -> str:
    return lesson_id.replace("/", "/01-")


def _check_after(level: Level, source: Source, names: Names) -> Iterator[Problem]:
    if names.unclear_folders:
        return
    for number, needed in enumerate(level.after):
        if needed not in names.levels:
            advice = did_you_mean(needed, list(names.levels - {level.id}))
            yield source.problem(
                ("after", number), f'no level has the id "{needed}"', advice
            )


def _check_cycles(levels: Sequence[tuple[Level, Source]]) -> Iterator[Problem]:
    after = {level.id: level.after for level, _ in levels}
    for level, source in levels:
        if level.id in needed_by(level.id, after):
            yield source.problem(
                ("after",),
                f'"{level.id}" can never open, because it waits for itself',
                "delete an id from after, here or in the levels that it names",
            )


def needed_by(level_id: str, after: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return all that must come before: by name, and by the names of those."""
    needed: set[str] = set()
    waiting = list(after[level_id])
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += after.get(name, ())
    return needed


def check_words_in_texts(
    sources: Sequence[Source],
    words: Mapping[str, WordList],
    *,
    severity: Severity = "error",
) -> Iterator[Problem]:
    """Yield each secret word that occurs in an authored text.

    Such a word would not be a secret: it is on a page or in every prompt, and guards
    would block replies that merely quote it.
    """
    secret = [_Rows(wordlist) for wordlist in words.values()]
    for source in sources:
        for node in _texts(source.node):
            for rows in secret:
                for word in rows.spoken(node.value):
                    yield Problem(
                        source.path,
                        _line_of(node, word),
                        f'"{fold(word)}" is a password in the list "{rows.name}"',
                        "use another word here, or delete it from words/"
                        f"{rows.name}.txt:{rows.lines[word]}",
                        severity,
                    )


def first_words(wordlists: Iterable[WordList]) -> frozenset[str]:
    """Return what texts that contain a secret word contain as well."""
    rows = (row for words in wordlists for row in _by_row(words.words))
    return frozenset(row[0] for row in rows if row)


@lru_cache(maxsize=8)
def _by_row(words: tuple[str, ...]) -> Mapping[tuple[str, ...], str]:
    """Return the words by what is found of them in a text: mostly one word each."""
    return {tuple(find_words(word)): word for word in words}


class _Rows:
    """The words of a list as rows of what `words` makes of them: mostly of one."""

    def __init__(self, wordlist: WordList) -> None:
        self.name = wordlist.name
        self.lines = wordlist.lines
        self._by_row = _by_row(wordlist.words)
        self._sizes = {len(row) for row in self._by_row}

    def spoken(self, text: str) -> list[str]:
        """Return the words of the list that a text contains."""
        said = find_words(text)
        rows = {
            tuple(said[at : at + size])
            for size in self._sizes
            for at in range(len(said))
        }
        return sorted(self._by_row[row] for row in rows & self._by_row.keys())


def _texts(node: Node) -> Iterator[Node]:
    if isinstance(node.value, str):
        yield node
    for below in (*node.items, *node.pairs.values()):
        yield from _texts(below)


def _line_of(node: Node, word: str) -> int:
    if not node.block_line:
        return node.line
    before = fold(node.value).partition(fold(word))[0]
    return node.block_line + int(before.count("\n"))
