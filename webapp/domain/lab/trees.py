"""Trees: a text that grows token by token, with branches wherever one likes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain.lab.expected import (
    Cut,
    Expected,
    Word,
    expected,
    expected_at,
    from_row,
    read_word,
    text_of,
    word_of,
)
from webapp.domain.lab.looking import Look, Seen, look
from webapp.domain.lab.planting import LISTED, NAME_CHARS, Start, sampling
from webapp.domain.safety.answers import SiteAnswer
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.llm import gateway as llm
from webapp.rows import CHOSEN, DRAWN, LabNode, LabTree

MOST_NODES: Final = 400
NOTE_CHARS: Final = 60
# How many tokens a press of a button draws.
DRAWS: Final = (1, 10)


@dataclass(frozen=True, slots=True)
class NodeView:
    """A token of a tree; the root has none. `place` tells it from its siblings."""

    id: int
    parent_id: int | None
    word: Word | None
    rank: int | None
    how: str
    ahead: Expected | None
    is_marked: bool
    note: str

    @property
    def has_ended(self) -> bool:
        """Whether the model ended its reply here."""
        return self.word is not None and self.word.is_special


@dataclass(frozen=True, slots=True)
class TreeView:
    """A tree, with its nodes in the order in which they came."""

    id: int
    name: str
    model: str
    start: Start
    size: int
    nodes: tuple[NodeView, ...]

    @property
    def root(self) -> NodeView:
        """Where nothing was added yet."""
        return next(node for node in self.nodes if node.parent_id is None)

    def node(self, node_id: int) -> NodeView:
        """Return a node; raise NotFound."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise NotFound("This tree has no such branch. It may have been cut off.")

    def path(self, node: NodeView) -> tuple[NodeView, ...]:
        """Return the nodes from the first token to this one, without the root."""
        by_id = {each.id: each for each in self.nodes}
        found: list[NodeView] = []
        while node.parent_id is not None:
            found.append(node)
            node = by_id[node.parent_id]
        return tuple(reversed(found))

    def children(self, node: NodeView) -> tuple[NodeView, ...]:
        """Return what grew from a node."""
        return tuple(each for each in self.nodes if each.parent_id == node.id)

    @property
    def tips(self) -> tuple[NodeView, ...]:
        """The ends of all branches, and what is marked on the way to them."""
        parents = {node.parent_id for node in self.nodes}
        return tuple(
            node for node in self.nodes if node.id not in parents or node.is_marked
        )

    def text(self, node: NodeView) -> str:
        """Return what was added up to a node."""
        return text_of([each.word for each in self.path(node) if each.word])


@dataclass(frozen=True, slots=True)
class TreeInfo:
    """A tree as a list shows it."""

    id: int
    name: str
    model: str
    created_at: datetime


def mine(services: Services, *, player_id: int) -> tuple[TreeInfo, ...]:
    """Return a player's trees, the newest first."""
    query = (
        select(LabTree)
        .where(LabTree.player_id == player_id)
        .order_by(LabTree.id.desc())
    )
    with services.db.read() as session:
        return tuple(
            TreeInfo(tree.id, tree.name, tree.model, tree.created_at)
            for tree in session.scalars(query)
        )


def find(services: Services, *, player_id: int, tree_id: int) -> TreeView:
    """Return one's own tree; raise NotFound."""
    with services.db.read() as session:
        return _view(session, _require(session, player_id, tree_id))


def grow(
    services: Services,
    *,
    player_id: int,
    tree_id: int,
    node_id: int,
    tokens: int,
    cut: Cut,
    seed: int | None = None,
) -> int | SiteAnswer:
    """Draw tokens after a node; return the id of the last one.

    A token that grows there already is not added twice. Raises NotFound, InvalidInput,
    Conflict for a tree that is full, QuotaExceeded and BackendError.
    """
    if tokens not in DRAWS:
        raise InvalidInput("Draw one token or ten.")
    tree = find(services, player_id=player_id, tree_id=tree_id)
    node = _growing(tree, node_id)
    if len(tree.nodes) + tokens > MOST_NODES:
        raise _full()
    chosen = services.seed() if seed is None else seed
    told = _ask(services, player_id, tree, node, cut, draw=tokens, seed=chosen)
    if isinstance(told, SiteAnswer):
        return told
    after = [expected_at(one, cut) for one in told.drawn[1:]]
    ahead = [*after, expected(told, cut)]
    with services.db.write() as session:
        _require(session, player_id, tree_id, lock=True)
        parent = _require_node(session, tree_id, node_id)
        if told.drawn:
            parent.ahead = _kept(parent.ahead, expected_at(told.drawn[0], cut))
        for one, next_one in zip(told.drawn, ahead, strict=True):
            parent = _child(session, parent, word_of(one), rank=one.rank, how=DRAWN)
            parent.ahead = _kept(parent.ahead, next_one)
        return parent.id


def choose(
    services: Services,
    *,
    player_id: int,
    tree_id: int,
    node_id: int,
    token_id: int,
    cut: Cut,
) -> int | SiteAnswer:
    """Go on from a node with a token that was listed there; return its node.

    The model reads the ids that it read before, and this one. Raises what `grow` does.
    """
    tree = find(services, player_id=player_id, tree_id=tree_id)
    node = _growing(tree, node_id)
    listed = node.ahead.find(token_id) if node.ahead else None
    if listed is None:
        raise InvalidInput("This token is not in the list. Load the page again.")
    rank, word = listed
    if word.is_part:
        raise InvalidInput("A part of a character cannot be chosen by itself.")
    known = next(
        (c for c in tree.children(node) if c.word and c.word.id == word.id), None
    )
    if known is not None:
        return known.id
    if len(tree.nodes) >= MOST_NODES:
        raise _full()
    ahead = None
    if not word.is_special:
        told = _ask(services, player_id, tree, node, cut, token_id=token_id)
        if isinstance(told, SiteAnswer):
            return told
        ahead = expected(told, cut)
    with services.db.write() as session:
        _require(session, player_id, tree_id, lock=True)
        parent = _require_node(session, tree_id, node_id)
        child = _child(session, parent, word, rank=rank, how=CHOSEN)
        child.ahead = _kept(child.ahead, ahead)
        return child.id


def look_again(
    services: Services, *, player_id: int, tree_id: int, node_id: int, cut: Cut
) -> SiteAnswer | None:
    """Look at what may follow a node, with another cut. Raises what `grow` does."""
    tree = find(services, player_id=player_id, tree_id=tree_id)
    node = _growing(tree, node_id)
    told = _ask(services, player_id, tree, node, cut)
    if isinstance(told, SiteAnswer):
        return told
    ahead = expected(told, cut)
    with services.db.write() as session:
        _require(session, player_id, tree_id, lock=True)
        kept = _require_node(session, tree_id, node_id)
        kept.ahead = None if ahead is None else ahead.as_row()
    return None


def mark(
    services: Services,
    *,
    player_id: int,
    tree_id: int,
    node_id: int,
    note: str,
    is_marked: bool,
) -> None:
    """Mark a branch and give it a name, or take both away; raise InvalidInput."""
    text = " ".join(require_text(note, what="name").split())
    if len(text) > NOTE_CHARS:
        raise InvalidInput(f"The name of a branch has at most {NOTE_CHARS} characters.")
    with services.db.write() as session:
        _require(session, player_id, tree_id, lock=True)
        node = _require_node(session, tree_id, node_id)
        node.is_marked = is_marked
        node.note = text if is_marked else ""


def rename(services: Services, *, player_id: int, tree_id: int, name: str) -> None:
    """Give a tree a name; raise InvalidInput."""
    text = " ".join(require_text(name, what="name").split())
    if not 1 <= len(text) <= NAME_CHARS:
        raise InvalidInput(f"The name of a tree has 1 to {NAME_CHARS} characters.")
    with services.db.write() as session:
        _require(session, player_id, tree_id, lock=True).name = text


def delete_one(services: Services, *, player_id: int, tree_id: int) -> None:
    """Delete a tree for good."""
    with services.db.write() as session:
        tree = _require(session, player_id, tree_id, lock=True)
        session.execute(delete(LabTree).where(LabTree.id == tree.id))


def _ask(
    services: Services,
    player_id: int,
    tree: TreeView,
    node: NodeView,
    cut: Cut,
    *,
    token_id: int | None = None,
    draw: int = 0,
    seed: int = 0,
) -> llm.NextTokens | SiteAnswer:
    with services.db.read() as session:
        beginning = _require(session, player_id, tree.id).ids
    ids = [*beginning, *(each.word.id for each in tree.path(node) if each.word)]
    request = llm.ChatRequest(
        tree.model,
        sampling=sampling(cut, seed),
        user=f"player-{player_id}",
        ids=tuple(ids if token_id is None else [*ids, token_id]),
    )

    def ask() -> Seen[llm.NextTokens]:
        told = services.gateway.next_tokens(llm.NextRequest(request, LISTED, draw))
        reply = text_of([word_of(one) for one in told.drawn])
        return Seen(told, len(told.prompt_ids), reply, len(told.drawn))

    wanted = Look(tree.model, ask, asdict(cut) | {"draw": draw}, seed)
    return look(services, player_id=player_id, wanted=wanted)


def _growing(tree: TreeView, node_id: int) -> NodeView:
    node = tree.node(node_id)
    if node.has_ended:
        raise InvalidInput("The reply has ended here. Go on from an earlier token.")
    return node


def _full() -> Conflict:
    return Conflict(
        f"This tree has {MOST_NODES} tokens, which is as many as one may have. Begin a"
        " new one."
    )


def _kept(
    old: dict[str, object] | None, new: Expected | None
) -> dict[str, object] | None:
    """Return what is known of the next token: the longer list of the two."""
    if new is None or (old is not None and len(from_row(old).words) > len(new.words)):
        return old
    return new.as_row()


def _child(
    session: Session, parent: LabNode, word: Word, *, rank: int, how: str
) -> LabNode:
    """Return the node of a token after another one; it is made if it is not there."""
    siblings = session.scalars(select(LabNode).where(LabNode.parent_id == parent.id))
    for node in siblings:
        if node.token is not None and node.token["id"] == word.id:
            return node
    node = LabNode(
        tree_id=parent.tree_id,
        parent_id=parent.id,
        how=how,
        token=asdict(word),
        rank=rank,
    )
    session.add(node)
    session.flush()
    return node


def _view(session: Session, tree: LabTree) -> TreeView:
    nodes = session.scalars(
        select(LabNode).where(LabNode.tree_id == tree.id).order_by(LabNode.id)
    )
    return TreeView(
        id=tree.id,
        name=tree.name,
        model=tree.model,
        start=Start(**tree.start),
        size=len(tree.ids),
        nodes=tuple(map(_node, nodes)),
    )


def _node(node: LabNode) -> NodeView:
    return NodeView(
        id=node.id,
        parent_id=node.parent_id,
        word=read_word(node.token) if node.token is not None else None,
        rank=node.rank,
        how=node.how,
        ahead=from_row(node.ahead) if node.ahead is not None else None,
        is_marked=node.is_marked,
        note=node.note,
    )


def _require(
    session: Session, player_id: int, tree_id: int, *, lock: bool = False
) -> LabTree:
    tree = find_row(session, LabTree, tree_id, lock=lock)
    if tree is None or tree.player_id != player_id:
        raise NotFound("You have no such tree. It may have been deleted.")
    return tree


def _require_node(session: Session, tree_id: int, node_id: int) -> LabNode:
    node = find_row(session, LabNode, node_id)
    if node is None or node.tree_id != tree_id:
        raise NotFound("This tree has no such branch. It may have been cut off.")
    return node
