"""The index gives content by name, and hashes that change with what is played."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.webapp.content.trees import WORDS, ContentTree
from webapp.content.index import Index
from webapp.content.loader import load
from webapp.errors import NotFound


def read(tree: ContentTree) -> Index:
    """Return the index of a tree that must be valid."""
    loaded = load((tree.root,))
    assert loaded.index is not None, loaded.problems
    return loaded.index


def test_everything_is_found_by_name(tree: ContentTree) -> None:
    tree.add_level("two", after="[one]")
    index = read(tree)
    assert list(index.ladders) == ["keep"]
    assert [level.id for level in index.levels("keep")] == ["one", "two"]
    assert index.level("two").after == ("one",)
    assert index.level("one").guards.output[0].name == "contains"
    assert index.words("plain") == WORDS
    assert index.ladder_of("two") == "keep"


def test_what_is_not_there(tree: ContentTree) -> None:
    index = read(tree)
    for look in (index.level, index.levels, index.words, index.ladder_of):
        with pytest.raises(NotFound):
            look("nowhere")


def test_the_order_is_the_ladder_s(tree: ContentTree) -> None:
    tree.add_level("two")
    tree.edit(tree.ladder, "  - one\n  - two\n", "  - two\n  - one\n")
    assert [level.id for level in read(tree).levels("keep")] == ["two", "one"]


def test_a_comment_changes_no_hash(tree: ContentTree) -> None:
    before = read(tree)
    tree.level.write_text("# a remark\n" + tree.level.read_text())
    after = read(tree)
    assert (after.hash, after.level_hash("one")) == (
        before.hash,
        before.level_hash("one"),
    )


@pytest.mark.parametrize(
    ("old", "new", "is_defence"),
    [
        ("title: The Gate", "title: A Gate", False),
        ("- contains: {match: exact}", "- contains: {match: reversed}", True),
        ("You keep a gate.", "You keep the gate.", True),
        ("points: 100", "points: 100\nguard_names: {output: [Tom]}", False),
    ],
)
def test_a_change_of_the_level_changes_its_hash(
    tree: ContentTree, old: str, new: str, is_defence: bool
) -> None:
    tree.add_level("two")
    before = read(tree)
    tree.edit(tree.level, old, new)
    after = read(tree)
    assert after.level_hash("one") != before.level_hash("one")
    assert after.level_hash("two") == before.level_hash("two")
    assert after.hash != before.hash
    # What was measured holds as long as the level defends itself in the same way.
    assert (after.defence_hash("one") != before.defence_hash("one")) is is_defence
    assert after.defence_hash("two") == before.defence_hash("two")


def test_other_words_change_the_hash_of_the_content_and_of_no_level(
    tree: ContentTree,
) -> None:
    before = read(tree)
    tree.words.write_text("\n".join(reversed(WORDS)))
    after = read(tree)
    assert after.level_hash("one") == before.level_hash("one")
    assert after.hash != before.hash


def test_another_list_changes_the_hash_of_the_level(tree: ContentTree) -> None:
    before = read(tree)
    tree.words.with_name("other.txt").write_text("\n".join(WORDS))
    tree.edit(tree.level, "{words: plain}", "{words: other}")
    assert read(tree).level_hash("one") != before.level_hash("one")


def test_a_document_is_part_of_the_defence_and_no_document_is_none(
    tree: ContentTree,
) -> None:
    # Reports that are older than documents know the level by this hash.
    body = read(tree).level("one").model_dump(mode="json")
    assert body.pop("document") is None
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    before = read(tree)
    assert before.level_hash("one") == hashlib.sha256(text.encode()).hexdigest()
    document = '\ndocument: {question: "When?", page: "{question} {document}"}\n'
    tree.level.write_text(tree.level.read_text() + document)
    assert read(tree).defence_hash("one") != before.defence_hash("one")


def test_ladders_stand_by_their_place(tree: ContentTree) -> None:
    folder = tree.root / "game" / "annex"
    folder.mkdir()
    (folder / "two.yaml").write_text(
        tree.level.read_text().replace("id: one", "id: two")
    )
    ladder = "id: annex\ntitle: The Annex\nstory: A house.\nlevels: [two]\n"
    (folder / "ladder.yaml").write_text(ladder)
    assert list(read(tree).ladders) == ["annex", "keep"]
    (folder / "ladder.yaml").write_text(f"{ladder}place: 2\n")
    assert list(read(tree).ladders) == ["keep", "annex"]
