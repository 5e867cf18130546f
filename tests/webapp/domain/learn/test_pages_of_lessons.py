"""The course, a lesson, hints, solutions, questions, the gallery, old things again."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from tests.kit.lessons import (
    ZO,
    begin,
    check,
    give_lessons,
    lesson,
    practise,
    simple_panel,
    told,
    zo,
    zo_panel,
)
from tests.kit.world import World, counted_queries
from webapp.content.lessons.proven import ProvenRow, by_key
from webapp.content.lessons.schema import Prose, Question, Slot
from webapp.domain.learn import (
    course,
    daily,
    events,
    following,
    gallery,
    hints,
    history,
    questions,
)
from webapp.domain.learn.lesson import LessonPage, PanelView, lesson_page
from webapp.domain.people import accounts, classes, guests, pieces
from webapp.domain.people.roster import COMMAND
from webapp.domain.teach import concerns
from webapp.errors import Conflict, Forbidden, InvalidInput, NotFound
from webapp.rows import GalleryPiece, Generation, PanelState, Practice, QuestionAnswer

PREDICT = Question(
    name="guess", kind="predict", ask="How many?", choices=("one", "two"), answer="two"
)
CHOOSE = Question(
    name="pick",
    kind="choose",
    ask="Which?",
    choices=("a", "b", "c", "d"),
    answer="b",
    why="Because.",
)
ORDER = Question(name="sort", kind="order", ask="Sort.", lines=("1", "2", "3"))
REFLECT = Question(name="think", kind="reflect", ask="Why?")


@pytest.fixture
def ada(world: World) -> int:
    give_lessons(
        world,
        lesson(Prose(markdown="Hi."), zo_panel(), CHOOSE, ORDER, REFLECT, PREDICT),
        lesson(simple_panel(), lesson_id="useful/hello", gates=("keep/told",)),
    )
    return world.player()


def page(world: World, player: int | None, run: int | None = None) -> LessonPage:
    return lesson_page(world.services, player, "basics/zo", run)


def panel(world: World, player: int | None, run: int | None = None) -> PanelView:
    return page(world, player, run).panel("show")


def pass_it(world: World, player: int) -> int:
    happened = practise(world, player, {"examples": ZO}, zo(3))
    assert told(happened).status == "passed"
    return next(e.id for e in happened if isinstance(e, events.Start))


def fail_it(world: World, player: int, examples: str) -> None:
    happened = practise(world, player, {"examples": examples}, ["no"] * 3)
    assert told(happened).status == "failed"


def test_a_visitor_reads_the_course_and_a_lesson(world: World, ada: int) -> None:
    home = course.course_page(world.services, None)
    assert [track.id for track in home.tracks] == ["basics", "useful"]
    assert (home.done, home.total, home.gates_won) == (0, 2, 0)
    assert home.next is not None
    assert home.next.id == "basics/zo"
    seen = page(world, None)
    assert [type(part).__name__ for part in seen.parts][:3] == [
        "ProseView",
        "PanelView",
        "QuestionView",
    ]
    assert seen.next is not None
    assert (seen.next.id, seen.previous) == ("useful/hello", None)
    assert panel(world, None).slot("examples").value == "cat -> catzo"
    assert world.backend.history == []


def test_opening_a_page_calls_no_model_and_writes_nothing(
    world: World, ada: int
) -> None:
    page(world, ada)
    with counted_queries(world.db) as statements:
        page(world, ada)
        course.course_page(world.services, ada)
    assert world.backend.history == []
    assert all(s.lstrip().startswith(("SELECT", "BEGIN")) for s in statements)


def test_a_lesson_is_begun_done_or_done_with_help(world: World, ada: int) -> None:
    assert page(world, ada).state == "new"
    fail_it(world, ada, "one two three\nfour")
    assert page(world, ada).state == "begun"
    assert panel(world, ada).state == "failed"
    pass_it(world, ada)
    assert page(world, ada).state == "done"
    home = course.course_page(world.services, ada)
    assert home.next is not None
    assert (home.done, home.next.id) == (1, "useful/hello")


def test_a_run_is_shown_again_with_what_was_typed_then(world: World, ada: int) -> None:
    first = pass_it(world, ada)
    fail_it(world, ada, "one two three\nfour")
    last = panel(world, ada)
    assert last.slot("examples").value == "one two three\nfour"
    assert last.run is not None
    assert last.previous is not None
    assert last.previous.id == first
    assert len(last.history) == 2
    again = panel(world, ada, first)
    assert again.slot("examples").value == ZO
    assert again.run is not None
    assert again.run.replies == tuple(zo(3))
    bob = world.player("Bob")
    with pytest.raises(NotFound):
        page(world, bob, first)
    with pytest.raises(NotFound):
        page(world, None, first)
    assert len(world.backend.history) == 6


def test_a_stored_sample_goes_with_the_first_run(world: World, ada: int) -> None:
    sample = {"text": "lampzo", "model": "smollm2", "made": "2026-11-29"}
    give_lessons(world, lesson(zo_panel(sample=sample)))
    assert panel(world, ada).sample is not None
    pass_it(world, ada)
    assert panel(world, ada).sample is None


def test_hints_open_one_by_one_with_a_pause(world: World, ada: int) -> None:
    def take(n: int) -> hints.HintView:
        return hints.take_hint(
            world.services, player_id=ada, lesson_id="basics/zo", panel="show", n=n
        )

    with pytest.raises(Conflict, match="Open hint 1 first"):
        take(2)
    assert take(1).text == "Is there a pattern yet?"
    assert take(1).text == "Is there a pattern yet?"
    with pytest.raises(hints.TooSoon, match="opens in 8 seconds") as caught:
        take(2)
    assert caught.value.retry_after == 8
    seen = panel(world, ada).hints
    assert (seen.next, seen.wait, seen.hints[1].text) == (2, 8, None)
    world.clock.move(seconds=8)
    assert take(2).n == 2
    assert panel(world, ada).hints.next is None
    with pytest.raises(NotFound):
        take(3)


def solution(world: World, player: int) -> hints.SolutionView:
    return hints.show_solution(
        world.services, player_id=player, lesson_id="basics/zo", panel="show"
    )


def test_a_solution_opens_after_three_different_prompts(world: World, ada: int) -> None:
    for prompt in ("a b c d\ne", "a b c d\nf", "a b c d\ne"):
        fail_it(world, ada, prompt)
        assert not panel(world, ada).may_see_solution
        with pytest.raises(Forbidden, match="three different"):
            solution(world, ada)
    fail_it(world, ada, "a b c d\ng")
    assert panel(world, ada).may_see_solution
    assert panel(world, ada).solution is None
    assert solution(world, ada).values == {"examples": ZO}
    assert panel(world, ada).solution is not None
    pass_it(world, ada)
    assert panel(world, ada).state == "helped"
    assert page(world, ada).state == "helped"
    # Some days later it is one's own again, and stays so.
    world.clock.move(days=2)
    pass_it(world, ada)
    assert panel(world, ada).state == "passed"


def test_a_solution_seen_after_the_pass_takes_nothing_away(
    world: World, ada: int
) -> None:
    pass_it(world, ada)
    solution(world, ada)
    pass_it(world, ada)
    assert panel(world, ada).state == "passed"


def test_a_choice_has_two_guesses_and_then_its_reason(world: World, ada: int) -> None:
    def choose(choice: str) -> questions.AnswerOutcome:
        return questions.answer(
            world.services,
            player_id=ada,
            lesson_id="basics/zo",
            question="pick",
            choice=choice,
        )

    first = choose("a")
    assert (first.status, first.right, first.why) == ("wrong", None, None)
    second = choose("c")
    assert (second.status, second.right, second.why) == ("wrong", "b", "Because.")
    choose("b")
    view = page(world, ada).parts[2]
    assert isinstance(view, questions.QuestionView)
    assert (view.is_right, view.right, view.tries) == (False, "b", 3)
    assert sorted(view.choices) == ["a", "b", "c", "d"]
    # Days later it may be answered afresh, and then it stays right.
    world.clock.move(days=3)
    assert choose("b").status == "right"
    choose("a")
    view = page(world, ada).parts[2]
    assert isinstance(view, questions.QuestionView)
    assert view.is_right is True
    with pytest.raises(InvalidInput):
        choose("e")


def test_lines_are_mixed_and_put_in_order(world: World, ada: int) -> None:
    view = page(world, ada).parts[3]
    assert isinstance(view, questions.QuestionView)
    assert view.lines != ("1", "2", "3")
    assert view.lines == page(world, ada).parts[3].lines  # type: ignore[union-attr]

    def put(*order: str) -> questions.AnswerOutcome:
        return questions.answer(
            world.services,
            player_id=ada,
            lesson_id="basics/zo",
            question="sort",
            order=order,
        )

    assert put("2", "1", "3").status == "wrong"
    assert put("1", "2", "3").right == ("1", "2", "3")
    with pytest.raises(InvalidInput):
        put("1", "1", "3")


def think(world: World, player: int, text: str) -> questions.AnswerOutcome:
    return questions.answer(
        world.services,
        player_id=player,
        lesson_id="basics/zo",
        question="think",
        text=text,
    )


def test_a_sentence_is_kept_and_distress_is_heard(world: World, ada: int) -> None:
    kept = think(world, ada, "Examples show.")
    assert (kept.status, kept.site_answer) == ("kept", None)
    with pytest.raises(InvalidInput):
        think(world, ada, " ")
    with pytest.raises(InvalidInput):
        think(world, ada, "x" * 2001)
    assert think(world, ada, "I want to kill myself").site_answer
    practise(world, ada, {"examples": "I want to kill myself now"})
    found = concerns.concerns(world.services, actor=COMMAND)
    assert {concern.message for concern in found} == {
        "I want to kill myself",
        "I want to kill myself now",
    }


def test_a_renamed_lesson_keeps_what_was_reached(world: World, ada: int) -> None:
    pass_it(world, ada)
    solution(world, ada)
    give_lessons(
        world,
        lesson(zo_panel(), lesson_id="basics/new", was=("basics/zo",)),
    )
    seen = page(world, ada)
    assert (seen.id, seen.state) == ("basics/new", "done")
    assert len(seen.panel("show").history) == 1
    pass_it(world, ada)
    with world.db.read() as session:
        assert session.scalar(select(func.count()).select_from(PanelState)) == 2
    assert len(panel(world, ada).history) == 2
    # A lesson that is gone is no mistake of anybody.
    give_lessons(world, lesson(simple_panel(), lesson_id="basics/other"))
    assert course.course_page(world.services, ada).done == 0
    assert history.all_runs(world.services, player_id=ada)[0].lesson_id == "basics/new"


def test_another_model_or_panel_marks_a_pass_and_takes_nothing(
    world: World, ada: int
) -> None:
    pass_it(world, ada)
    assert panel(world, ada).passed_on_other is None
    with world.db.write() as session:
        session.execute(update(PanelState).values(passed_version="older"))
    assert panel(world, ada).passed_on_other == "model"
    give_lessons(world, lesson(zo_panel(max_tokens=9)))
    seen = panel(world, ada)
    assert (seen.state, seen.passed_on_other) == ("passed", "panel")


@pytest.mark.parametrize("verdict", ["proven", "too easy", "broken"])
def test_a_panel_says_whether_it_is_proven(
    world: World, ada: int, verdict: str
) -> None:
    assert panel(world, ada).badge == "unproven"
    index = world.services.content.current()
    row = ProvenRow(
        panel="basics/zo#show",
        panel_hash=index.panel_hash("basics/zo", "show"),
        model="warden",
        model_version="scripted",
        verdict=verdict,
        plays=20,
        solved_by=(0.95,),
        made_at=world.clock.time,
    )
    index.proven = by_key([row])
    assert panel(world, ada).badge == verdict


def test_the_gallery_is_for_those_who_passed(world: World) -> None:
    give_lessons(world, lesson(zo_panel()))
    code = classes.add_class(world.services, name="10b").join_code
    ada, bob = (world.player(name, class_code=code) for name in ("Ada", "Bob"))
    eve = world.player("Eve")

    def look(player: int) -> list[tuple[str, str]]:
        shown = gallery.class_gallery(
            world.services, player_id=player, lesson_id="basics/zo", panel="show"
        )
        return [(one.piece.name, one.piece.note) for one in shown]

    run = pass_it(world, ada)
    gallery.hand_in(world.services, player_id=ada, run_id=run, note="Look!")
    gallery.hand_in(world.services, player_id=ada, run_id=run, note="Look here!")
    with pytest.raises(Forbidden):
        look(bob)
    fail_it(world, bob, "a b c d\ne")
    with pytest.raises(Conflict):
        gallery.hand_in(world.services, player_id=bob, run_id=run + 1)
    with pytest.raises(NotFound):
        gallery.hand_in(world.services, player_id=bob, run_id=run)
    pass_it(world, bob)
    pass_it(world, eve)
    assert look(bob) == look(ada) == [("Ada", "Look here!")]
    assert look(eve) == []
    (shown,) = gallery.taught_gallery(
        world.services, actor=COMMAND, lesson_id="basics/zo", panel="show"
    )
    pieces.hide(world.services, actor=COMMAND, piece_id=shown.piece.id)
    assert (look(bob), look(ada)) == ([], [("Ada", "Look here!")])
    with pytest.raises(NotFound):
        pieces.hide(world.services, actor=COMMAND, piece_id=99)
    gallery.take_back(
        world.services, player_id=ada, lesson_id="basics/zo", panel="show"
    )
    assert look(ada) == []


def test_old_panels_and_questions_come_again(world: World, ada: int) -> None:
    pass_it(world, ada)
    questions.answer(
        world.services,
        player_id=ada,
        lesson_id="basics/zo",
        question="pick",
        choice="b",
    )

    def today() -> list[tuple[str, bool]]:
        found = daily.daily(world.services, player_id=ada)
        return [(one.panel, one.is_done) for one in found]

    def old() -> list[str]:
        found = daily.old_questions(world.services, player_id=ada, track_id="useful")
        return [one.view.name for one in found]

    assert (today(), old()) == ([], [])
    world.clock.move(days=2)
    assert (today(), old()) == ([("show", False)], ["pick"])
    pass_it(world, ada)
    assert today() == [("show", True)]
    world.clock.move(days=1)
    assert today() == []
    assert daily.old_questions(world.services, player_id=ada, track_id="basics") == ()


def test_a_run_is_read_again_from_its_record(world: World, ada: int) -> None:
    run = pass_it(world, ada)
    events_again = list(following.follow(world.services, player_id=ada, run_id=run))
    assert [event.name for event in events_again] == [
        "start",
        *["sample", "judged"] * 3,
        "outcome",
        "end",
    ]
    assert told(events_again).status == "passed"
    with pytest.raises(NotFound):
        following.follow(world.services, player_id=ada + 1, run_id=run)


def test_a_run_goes_on_without_its_page_and_can_be_stopped(
    world: World, ada: int
) -> None:
    over: list[int] = []
    world.backend.enqueue(*zo())
    run = begin(world, ada, {"examples": ZO})
    reader = following.keep_going(
        world.services, run, at_end=lambda: over.append(run.id)
    )
    next(reader)
    reader.close()
    again = list(following.follow(world.services, player_id=ada, run_id=run.id))
    assert again[-1].name == "end"
    following.stop(world.services, player_id=ada, run_id=run.id)
    assert over == [run.id]


def test_a_note_and_the_export(world: World, ada: int) -> None:
    run = pass_it(world, ada)
    history.set_note(world.services, player_id=ada, run_id=run, note=" mine ")
    (kept,) = history.export(world.services, player_id=ada)
    assert kept.as_dict()["note"] == "mine"
    assert kept.as_dict()["replies"] == zo(3)
    profile = accounts.profile(world.services, player_id=ada)
    assert profile["panels"][0]["panel"] == "show"


def test_a_guest_is_made_once_for_a_form_and_is_on_no_board(world: World) -> None:
    first = guests.become_guest(world.services, form="mark")
    again = guests.become_guest(world.services, form="mark")
    assert first.player_id == again.player_id
    assert first.name.startswith("Guest ")
    info = accounts.player_info(world.services, first.player_id)
    assert info is not None
    assert not info.is_listed
    other = guests.become_guest(world.services, form="other")
    assert other.player_id != first.player_id


def test_nothing_is_left_of_a_player_who_goes(world: World, ada: int) -> None:
    run = pass_it(world, ada)
    gallery.hand_in(world.services, player_id=ada, run_id=run)
    think(world, ada, "Well.")
    accounts.delete_player(world.services, player_id=ada)
    with world.db.read() as session:
        for table in (Practice, PanelState, QuestionAnswer, GalleryPiece, Generation):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_gates_are_named_with_what_was_won(world: World, ada: int) -> None:
    world.win(ada, "open", "told")
    seen = lesson_page(world.services, ada, "useful/hello")
    assert [(gate.level, gate.is_won) for gate in seen.gates] == [("told", True)]
    assert course.course_page(world.services, ada).gates_won == 2
    lines = course.lessons_for_gate(world.services, "keep/told", ada)
    assert [line.id for line in lines] == ["useful/hello"]


def test_a_lesson_of_questions_is_done_with_its_answers(world: World, ada: int) -> None:
    give_lessons(world, lesson(REFLECT))
    assert page(world, ada).state == "new"
    think(world, ada, "Well.")
    assert page(world, ada).state == "done"


def test_a_voice_is_named(world: World, ada: int) -> None:
    give_lessons(
        world,
        lesson(
            zo_panel(
                talk="complete", text="{examples}\n{word} ->", messages=(), name="show"
            ),
            simple_panel(
                talk="none", messages=(), checks=(check("icontains", "x", of="ask"),)
            ),
        ),
    )
    voices = [panel.voice for panel in page(world, ada).panels]
    assert voices == ["warden · goes on with the text", "no model"]


def test_what_is_only_checked_has_its_boxes_too(world: World, ada: int) -> None:
    slots = {"one": Slot(lines=1), "two": Slot(choices=("a", "b"))}
    looks = (check("icontains", "x", of="one"),)
    give_lessons(
        world, lesson(simple_panel(talk="none", messages=(), slots=slots, checks=looks))
    )
    (panel,) = page(world, ada).panels
    boxes = [piece.text for message in panel.messages for piece in message.pieces]
    assert boxes == ["one", "two"]
    give_lessons(world, lesson(simple_panel()))
    (panel,) = page(world, ada).panels
    assert "typed" not in {message.role for message in panel.messages}
