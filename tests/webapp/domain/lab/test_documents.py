"""Documents are kept as passages, found by meaning, and put into a prompt."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests.kit.world import World
from webapp.domain.lab import documents, open_book
from webapp.domain.lab.documents import Cut
from webapp.domain.lab.open_book import Wanted
from webapp.domain.lab.pictures import picture
from webapp.errors import (
    BackendOverloaded,
    Conflict,
    InvalidInput,
    NotFound,
    QuotaExceeded,
)
from webapp.llm.gateway import Sampling
from webapp.rows import HELPED, LAB, Generation, LabPassage, LabQuestion

MUSEUM = "The museum opens at ten. Ida Brand is the head of the museum."
POOL = "The pool opens at seven. Bring a towel to the pool."


def bring(world: World, player: int, *texts: str) -> list[int]:
    return [
        documents.bring(world.services, player_id=player, name=f"Page {n}", text=text)
        for n, text in enumerate(texts, 1)
    ]


def ask(world: World, player: int, text: str, picked: int = 1) -> open_book.Asked:
    wanted = Wanted(text, "scribe", picked)
    found = open_book.ask(world.services, player_id=player, wanted=wanted)
    return open_book.find(world.services, player_id=player, question_id=found)


def test_documents_are_cut_all_alike(world: World) -> None:
    player = world.player()
    first, _ = bring(world, player, MUSEUM, POOL)
    documents.cut_again(world.services, player_id=player, how=Cut(5, 0))
    bring(world, player, "a b c d e f")
    mine = documents.mine(world.services, player_id=player)
    assert [(d.number, d.size, d.overlap, d.passages) for d in mine] == [
        (1, 5, 0, 3),
        (2, 5, 0, 3),
        (3, 5, 0, 2),
    ]
    passages = documents.passages_of(world.services, player_id=player)
    assert [p.text for p in passages if p.document.id == first] == [
        "The museum opens at ten.",
        "Ida Brand is the head",
        "of the museum.",
    ]


def test_the_same_question_without_the_page_and_with_it(world: World) -> None:
    player = world.player()
    bring(world, player, POOL, MUSEUM)
    world.backend.enqueue("I made this up.", "Ida Brand.")
    asked = ask(world, player, "Who is the head of the museum?")
    without, with_page = asked.sides
    assert (without.reply, with_page.reply) == ("I made this up.", "Ida Brand.")
    assert without.picked == ()
    assert [m["content"] for m in without.messages] == [
        "Who is the head of the museum?"
    ]
    (found,) = with_page.picked
    assert (found.number, found.place, found.text) == (2, 1, MUSEUM)
    assert [m["content"] for m in with_page.messages] == [
        f"{MUSEUM}\n\nWho is the head of the museum?"
    ]
    # What is shown is what was sent, and nothing samples behind one's back.
    sent = world.backend.history[-2:]
    assert [r.messages for r in sent] == [without.messages, with_page.messages]
    assert {(r.sampling, r.default_system) for r in sent} == {
        (Sampling(0.2, 0.95, 60, 7), False)
    }


def test_each_answer_is_a_generation_of_the_lab(world: World) -> None:
    player = world.player()
    bring(world, player, POOL)
    ask(world, player, "When does it open?")
    with world.db.read() as session:
        rows = session.scalars(select(Generation)).all()
    assert [(row.feature, row.seed, row.status) for row in rows] == [
        (LAB, 7, "finished"),
        (LAB, 7, "finished"),
    ]


def test_a_follow_up_alone_and_with_what_was_said(world: World) -> None:
    player = world.player()
    bring(world, player, POOL, MUSEUM)
    world.backend.enqueue("x", "At ten.", "No idea.", "Ida.")
    first = ask(world, player, "When does the museum of Ida open?")
    found = open_book.follow_up(
        world.services, player_id=player, question_id=first.id, text="And the pool?"
    )
    asked = open_book.find(world.services, player_id=player, question_id=found)
    alone, together = asked.sides
    assert asked.follows == first.id
    assert (alone.searched, alone.picked[0].number) == ("And the pool?", 1)
    assert together.searched == "When does the museum of Ida open? And the pool?"
    assert [m["content"] for m in alone.messages] == [f"{POOL}\n\nAnd the pool?"]
    assert [(m["role"], m["content"]) for m in together.messages[:2]] == [
        ("user", "When does the museum of Ida open?"),
        ("assistant", "At ten."),
    ]
    assert together.messages[-1]["content"].endswith("\n\nAnd the pool?")


def test_a_model_that_fails_says_so_on_its_side(world: World) -> None:
    player = world.player()
    bring(world, player, POOL)
    world.backend.enqueue("Hm.", *[BackendOverloaded("Too busy.")] * 3)
    asked = ask(world, player, "When?")
    assert [(s.reply, s.error) for s in asked.sides] == [
        ("Hm.", ""),
        ("", "Too busy."),
    ]
    assert not asked.can_be_followed
    with pytest.raises(Conflict, match="no answer to follow up"):
        open_book.follow_up(
            world.services, player_id=player, question_id=asked.id, text="And now?"
        )


def test_who_needs_a_person_gets_one_answer_and_no_model(world: World) -> None:
    player = world.player()
    # There is no document either: that does not matter now.
    asked = ask(world, player, "I want to kill myself")
    (side,) = asked.sides
    assert side.reply == world.services.content.current().help_texts.distress
    assert not asked.can_be_followed
    assert world.backend.history == []
    with world.db.read() as session:
        assert session.scalars(select(Generation.status)).all() == [HELPED]


def test_what_is_kept_has_limits(world: World) -> None:
    player = world.player()
    for text, said in (
        ("  ", "no text in it"),
        ("a\0b", "not text"),
        ("x" * 200_001, "larger than 200 KB"),
    ):
        with pytest.raises(InvalidInput, match=said):
            bring(world, player, text)
    bring(world, player, *["short"] * documents.MOST_DOCUMENTS)
    with pytest.raises(Conflict, match="20 documents"):
        bring(world, player, "one more")


def test_there_are_not_too_many_passages(world: World) -> None:
    player = world.player()
    bring(world, player, "a b c d e f")
    documents.cut_again(world.services, player_id=player, how=Cut(5, 0))
    with pytest.raises(Conflict, match="20,002 passages, and 2,000 fit"):
        bring(world, player, "w " * 100_000)
    with world.db.read() as session:
        assert session.scalar(select(func.count(LabPassage.id))) == 2


def test_only_the_last_questions_are_kept(world: World) -> None:
    player = world.player()
    bring(world, player, POOL)
    world.limit(lab_runs_per_minute=1_000)
    ids = [ask(world, player, f"Question {n}").id for n in range(22)]
    kept = open_book.earlier(world.services, player_id=player)
    assert [asked.id for asked in kept] == ids[:1:-1]


def test_nobody_sees_the_documents_of_others(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    (document,) = bring(world, ada, MUSEUM)
    asked = ask(world, ada, "Who?")
    assert documents.mine(world.services, player_id=bob) == ()
    for look in (documents.find, documents.delete_one):
        with pytest.raises(NotFound):
            look(world.services, player_id=bob, document_id=document)
    with pytest.raises(NotFound):
        open_book.find(world.services, player_id=bob, question_id=asked.id)
    with pytest.raises(Conflict, match="nothing to look in"):
        ask(world, bob, "Who?")


def test_a_deleted_document_is_gone(world: World) -> None:
    player = world.player()
    one, _ = bring(world, player, MUSEUM, POOL)
    documents.delete_one(world.services, player_id=player, document_id=one)
    passages = documents.passages_of(world.services, player_id=player)
    assert [(p.document.number, p.text) for p in passages] == [(1, POOL)]


def test_the_quota_of_the_lab_counts(world: World) -> None:
    player = world.player()
    bring(world, player, POOL)
    world.limit(lab_runs_per_minute=3)
    ask(world, player, "When?")
    with pytest.raises(QuotaExceeded):
        ask(world, player, "When?")
    with world.db.read() as session:
        assert session.scalar(select(func.count(LabQuestion.id))) == 1


@pytest.mark.parametrize(
    ("text", "model", "picked", "said"),
    [
        (" ", "scribe", "1", "question is empty"),
        ("x" * 401, "scribe", "1", "at most 400"),
        ("x", "gate", "1", "model of the list"),
        ("x", "scribe", "7", "from 1 to 6"),
        ("x", "scribe", "²", "from 1 to 6"),
    ],
)
def test_a_form_says_what_is_wrong(
    text: str, model: str, picked: str, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        open_book.read_wanted(text=text, model=model, picked=picked)


@pytest.mark.parametrize(
    ("size", "overlap", "said"),
    [
        ("4", "0", "from 5 to 150"),
        ("", "0", "from 5 to 150"),
        ("20", "11", "from 0 to 10"),
        ("20", "-1", "from 0 to 10"),
    ],
)
def test_a_cut_has_limits(size: str, overlap: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        documents.read_cut(size, overlap)


def test_the_nearest_come_first_in_the_picture(world: World) -> None:
    player = world.player()
    bring(world, player, POOL, MUSEUM)
    asked = ask(world, player, "Ida Brand, head of the museum")
    passages = documents.passages_of(world.services, player_id=player)
    drawn = picture(passages, asked.vector)
    assert [dot.passage.text for dot in drawn.dots] == [MUSEUM, POOL]
    assert drawn.dots[0].score > drawn.dots[1].score  # type: ignore[operator]
    assert drawn.question is not None
    assert picture(()) == picture((), asked.vector)
