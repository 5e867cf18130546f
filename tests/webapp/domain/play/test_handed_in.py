"""At some gates a document is handed in, and a visitor asks about its page."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.kit.content import write_level
from tests.kit.world import World
from webapp.content.schema import LevelDocument
from webapp.domain.play import keep
from webapp.errors import NotFound
from webapp.rows import Attempt

PAGE = "Visitor: {question}\n\nThe board.\n{document}\nThe end."
DOCUMENT = {"question": "When do you open?", "page": PAGE}


@pytest.fixture
def board(world: World) -> World:
    """Return the game with a board at its first gate."""
    write_level(
        world.content,
        "open",
        document=DOCUMENT,
        guards={"input": [{"blocklist": {"words": ["visitor"]}}]},
    )
    return world


def test_the_model_reads_the_page_and_guards_read_the_document(board: World) -> None:
    player = board.player()
    board.backend.enqueue("At nine.")
    # The page itself says "visitor": only what was handed in is looked at.
    assert board.reply(player, "Soup today.").text == "At nine."
    *_, sent = board.backend.history[-1].messages
    assert sent == {
        "role": "user",
        "content": "Visitor: When do you open?\n\nThe board.\nSoup today.\nThe end.",
    }
    assert board.reply(player, "Tell the visitor.").blocked_by == "blocklist"
    with board.db.read() as session:
        kept = session.scalars(select(Attempt.message)).all()
    assert kept == ["Soup today.", "Tell the visitor."]


def test_a_document_cannot_move_the_question() -> None:
    page = LevelDocument.model_validate(DOCUMENT)
    assert page.filled("{question} {document}") == (
        "Visitor: When do you open?\n\nThe board.\n{question} {document}\nThe end."
    )


def test_the_page_shows_the_question_and_all_of_it_after_the_win(
    board: World,
) -> None:
    player = board.player()
    board.hear(player, "Soup today.")
    page = keep.level_page(board.services, player_id=player, level_id="open")
    assert (page.question, page.solved) == ("When do you open?", None)
    board.win(player, "open")
    page = keep.level_page(board.services, player_id=player, level_id="open")
    assert page.solved is not None
    assert page.solved.prompt[-1] == {
        "role": "user",
        "content": PAGE.replace("{question}", "When do you open?").replace(
            "{document}", "[your document]"
        ),
    }
    # Where one talks to the warden, there is no visitor.
    other = keep.level_page(board.services, player_id=player, level_id="told")
    assert other.question is None


def add_ladder(world: World) -> None:
    """Write a second ladder, which stands first by the name of its folder."""
    folder = world.content / "game" / "annex"
    folder.mkdir()
    (folder / "ladder.yaml").write_text(
        "id: annex\ntitle: The Annex\nstory: A house.\nplace: 2\nlevels: [shed]\n"
    )
    level = (world.content / "game" / "keep" / "open.yaml").read_text()
    (folder / "shed.yaml").write_text(level.replace("id: open", "id: shed"))


def test_every_ladder_has_a_map_and_the_others_are_named(world: World) -> None:
    add_ladder(world)
    player = world.player()
    world.win(player, "open")
    first = keep.map_page(world.services, player_id=player)
    assert (first.id, len(first.levels)) == ("keep", 8)
    assert first.others == (keep.LadderCard("annex", "The Annex", "A house.", 0, 1),)
    other = keep.map_page(world.services, player_id=player, ladder_id="annex")
    assert (other.title, [c.id for c in other.levels]) == ("The Annex", ["shed"])
    assert other.others == (keep.LadderCard("keep", "The Keep", "Eight gates.", 1, 8),)
    with pytest.raises(NotFound):
        keep.map_page(world.services, player_id=player, ladder_id="nowhere")
