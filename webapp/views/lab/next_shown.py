"""A tree as its page shows it: the tokens so far, what may follow, and the branches."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from webapp.domain.lab.expected import Cut, Expected, Word
from webapp.domain.lab.given import Heard, TextView
from webapp.domain.lab.trees import NodeView, TreeView
from webapp.views.odds import Odds


@dataclass(frozen=True, slots=True)
class Rival:
    """A token that could have come. `pick` is what its button sends; "" for none."""

    odds: Odds
    pick: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A token of a text, and what could have been there in its place."""

    odds: Odds
    rank: int | None
    rivals: tuple[Rival, ...]
    others: Odds | None = None
    node_id: int | None = None
    how: str = ""
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A token that may come next: before and after the cut."""

    before: Odds
    after: Odds
    pick: str = ""
    is_grown: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether it cannot be drawn any more."""
        return self.after.probability <= 0


@dataclass(frozen=True, slots=True)
class Branch:
    """The end of a branch, or a mark on the way: how it reads, and how deep it is."""

    node_id: int
    text: str
    tokens: int
    note: str
    is_marked: bool
    is_here: bool
    has_ended: bool
    parent: str


@dataclass(frozen=True, slots=True)
class TreePage:
    """All that the page of a tree shows."""

    tree: TreeView
    here: NodeView
    chips: tuple[Chip, ...]
    rows: tuple[Row, ...]
    others: Row | None
    others_count: int | None
    entropy: float | None
    cut: Cut
    branches: tuple[Branch, ...]


def tree_page(tree: TreeView, here: NodeView) -> TreePage:
    """Return the page of a tree, at one of its nodes."""
    ahead = here.ahead
    return TreePage(
        tree=tree,
        here=here,
        chips=_chips(tree, here),
        rows=_rows(tree, here),
        others=_others(ahead),
        others_count=None if ahead is None else ahead.others,
        entropy=None if ahead is None else ahead.entropy,
        cut=Cut() if ahead is None else ahead.cut,
        branches=tuple(_branch(tree, tip, here) for tip in tree.tips),
    )


def text_chips(seen: TextView) -> tuple[Chip, ...]:
    """Return the tokens of a given text."""
    return tuple(_heard(one) for one in seen.tokens)


def _heard(one: Heard) -> Chip:
    odds = Odds(one.text, one.p or 0.0, True, one.data, one.is_special)
    rivals = tuple(Rival(Odds(r.text, r.p, data=r.data)) for r in one.rivals)
    return Chip(odds, one.rank, rivals)


def _chips(tree: TreeView, here: NodeView) -> tuple[Chip, ...]:
    path = (tree.root, *tree.path(here))
    return tuple(_chip(parent, node) for parent, node in pairwise(path))


def _chip(parent: NodeView, node: NodeView) -> Chip:
    word = node.word
    if word is None:
        raise ValueError("only the root has no token")
    ahead = parent.ahead
    words = ahead.words[:8] if ahead else ()
    return Chip(
        odds=_odds(word, word.p, is_picked=True),
        rank=node.rank,
        rivals=tuple(
            Rival(
                _odds(other, other.p, is_picked=other.id == word.id),
                "" if other.is_part or other.id == word.id else _pick(parent, other),
            )
            for other in words
        ),
        others=_rest(words, word),
        node_id=node.id,
        how=node.how,
        is_marked=node.is_marked,
    )


def _rest(words: tuple[Word, ...], picked: Word) -> Odds:
    listed = sum(word.p for word in words)
    own = 0.0 if any(word.id == picked.id for word in words) else picked.p
    return Odds("", max(0.0, 1 - listed - own))


def _rows(tree: TreeView, here: NodeView) -> tuple[Row, ...]:
    if here.ahead is None:
        return ()
    grown = {child.word.id for child in tree.children(here) if child.word}
    return tuple(
        Row(
            _odds(word, word.p),
            _odds(word, word.shaped),
            "" if word.is_part else _pick(here, word),
            is_grown=word.id in grown,
        )
        for word in here.ahead.words
    )


def _others(ahead: Expected | None) -> Row | None:
    if ahead is None:
        return None
    return Row(Odds("", ahead.others_p), Odds("", ahead.others_shaped))


def _branch(tree: TreeView, tip: NodeView, here: NodeView) -> Branch:
    path = tree.path(tip)
    text = tree.text(tip)
    before = [node for node in path[:-1] if node.is_marked]
    return Branch(
        node_id=tip.id,
        text=text,
        tokens=len(path),
        note=tip.note,
        is_marked=tip.is_marked,
        is_here=tip.id == here.id,
        has_ended=tip.has_ended,
        parent=(before[-1].note or tree.text(before[-1])) if before else "",
    )


def _odds(word: Word, share: float, *, is_picked: bool = False) -> Odds:
    return Odds(word.text, share, is_picked, word.data, word.is_special)


def _pick(node: NodeView, word: Word) -> str:
    return f"{node.id}:{word.id}"
