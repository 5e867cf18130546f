"""Two models compared row by row, on scripted models and a scripted trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.kit.judging import (
    LEARNED,
    Speakers,
    TrainingWithRows,
    add_model,
    with_speakers,
)
from tests.kit.world import World, counted_queries
from webapp.domain.people import classes
from webapp.domain.train import compared, comparing, learned, models
from webapp.domain.train.compared import ComparisonView
from webapp.domain.train.learned import Row
from webapp.domain.train.prompting import Wanted
from webapp.domain.train.sides import read_rows, sides
from webapp.errors import (
    BackendOverloaded,
    Conflict,
    InvalidInput,
    NotFound,
    QuotaExceeded,
)
from webapp.rows import CLASS, PUBLIC, TRAIN, ComparedRow, Generation

ROWS = (
    Row("How do I cook rice?", "Boil it in salted water."),
    Row("How do I fry onions?", LEARNED),
)


@pytest.fixture
def trainer() -> TrainingWithRows:
    return TrainingWithRows()


@pytest.fixture
def speakers() -> Speakers:
    return Speakers()


@pytest.fixture
def world(world: World, trainer: TrainingWithRows, speakers: Speakers) -> World:
    services = with_speakers(world.services, speakers, "soup", "bread")
    world.services = replace(services, training=trainer.client())
    world.limit(model_prompts_per_minute=1000)
    return world


@pytest.fixture
def ada(world: World) -> int:
    player = world.player()
    add_model(world.services, player, "soup")
    return player


def begin(
    world: World,
    player: int,
    rows: Sequence[Row] = ROWS,
    *,
    between: tuple[str, ...] = ("smollm2", "soup"),
    form: str = "form",
) -> int:
    return comparing.begin(
        world.services,
        player_id=player,
        name="soup",
        between=between,
        rows=rows,
        source="own",
        wanted=Wanted("", tokens=60, temperature=0.5, seed=3),
        form=form,
    )


def ask_all(world: World, player: int, comparison_id: int) -> ComparisonView:
    for _ in range(30):
        assert (
            comparing.ask_next(
                world.services, player_id=player, comparison_id=comparison_id
            )
            == ""
        )
        seen = find(world, player, comparison_id)
        if seen.is_judged:
            return seen
    raise AssertionError("it never ends")


def find(world: World, player: int, comparison_id: int) -> ComparisonView:
    return comparing.find(world.services, player_id=player, comparison_id=comparison_id)


def test_both_are_asked_the_same_with_the_same_seed_and_each_reply_is_a_row(
    world: World, ada: int, speakers: Speakers, trainer: TrainingWithRows
) -> None:
    trainer.rows["train"] = ({"text": "A text about ships.", "answer": None},)
    speakers.says["smollm2"].append("I like teh sea. " * 8)
    speakers.says["soup"].extend([" Boil it in salted water.\n", LEARNED])
    seen = ask_all(world, ada, begin(world, ada))
    asked = [(r.model, r.text, r.sampling.seed) for r in speakers.history]
    assert asked == [
        ("smollm2", ROWS[0].prompt, 3),
        ("soup", ROWS[0].prompt, 3),
        ("smollm2", ROWS[1].prompt, 3),
        ("soup", ROWS[1].prompt, 3),
    ]
    with world.db.read() as session:
        kept = session.scalars(select(Generation).order_by(Generation.id)).all()
    assert [(g.feature, g.status, g.player_id) for g in kept] == [
        (TRAIN, "finished", ada)
    ] * 4
    (before, after) = compared.totals(seen)
    assert (before.matches, after.matches) == (0, 2)
    assert after.similarity == pytest.approx(1.0)
    assert before.similarity is not None
    assert before.similarity < 0.5
    counts = {count.kind: count.counts for count in compared.errors(seen)}
    assert counts == {
        "misspelt": (2, 0),
        "repetitive": (2, 0),
        "too_long": (2, 0),
        "off_topic": (2, 0),
    }
    (worst, *_) = compared.examples(seen, "repetitive")
    assert (worst.place, worst.side.model) == (1, "smollm2")


def test_what_it_learned_from_is_marked_and_a_copy_is_found(
    world: World, ada: int, speakers: Speakers
) -> None:
    rows = (Row("What now?", "Sleep well."), Row("How do I fry onions?", LEARNED))
    speakers.says["smollm2"].append("Sleep.")
    speakers.says["soup"].append(f"Well, {LEARNED.lower()}")
    seen = ask_all(world, ada, begin(world, ada, rows))
    assert [row.is_learned for row in seen.rows] == [False, True]
    assert seen.learned == 1
    copied, _ = (row.answers[1] for row in seen.rows)
    (heart,) = [f for f in copied.errors if f.kind == "memorised"]
    assert heart.span == LEARNED.lower().removesuffix(".")
    # In the other row it is what was wanted: right, and no copy.
    kinds = {f.kind for f in seen.rows[1].answers[1].findings}
    assert "memorised" not in kinds
    assert seen.note == ""


def test_without_the_rows_of_the_job_the_file_is_read(
    world: World, ada: int, trainer: TrainingWithRows, speakers: Speakers
) -> None:
    trainer.rows = {}
    trainer.content = f'{{"a": "{LEARNED}"}}\n'.encode()
    speakers.says["smollm2"].append("No.")
    speakers.says["soup"].append(LEARNED)
    seen = ask_all(world, ada, begin(world, ada, [Row("Onions?", None)]))
    assert "memorised" in {f.kind for f in seen.rows[0].answers[1].errors}
    assert seen.note == learned.WHOLE_FILE


def test_a_trainer_that_is_away_leaves_only_that_open(
    world: World, ada: int, trainer: TrainingWithRows, speakers: Speakers
) -> None:
    trainer.is_down = True
    speakers.says["smollm2"].append("Boil it.")
    speakers.says["soup"].append("Boil it in salted water.")
    seen = ask_all(world, ada, begin(world, ada))
    assert seen.note == learned.UNKNOWN
    assert compared.totals(seen)[1].matches == 1
    assert all(f.kind != "memorised" for f in seen.rows[0].answers[1].findings)


def test_somebody_elses_training_text_is_not_compared_with(
    world: World, ada: int, speakers: Speakers, trainer: TrainingWithRows
) -> None:
    models.set_visibility(world.services, player_id=ada, name="soup", visibility=PUBLIC)
    eve = world.player("Eve")
    speakers.says["smollm2"].append("No.")
    speakers.says["soup"].append(LEARNED)
    seen = ask_all(world, eve, begin(world, eve))
    assert not any(row.is_learned for row in seen.rows)
    assert not any("rows" in path for _, path, _ in trainer.asked)


def test_the_same_form_begins_one_comparison(world: World, ada: int) -> None:
    assert begin(world, ada) == begin(world, ada)
    assert begin(world, ada, form="another") != begin(world, ada)


def test_two_models_are_chosen_among_those_that_one_may_see(
    world: World, ada: int
) -> None:
    eve = world.player("Eve")
    add_model(world.services, eve, "bread")
    for between in (("smollm2", "bread"), ("soup", "nothing"), ("soup",)):
        with pytest.raises(InvalidInput, match="Choose two models"):
            begin(world, ada, between=between)
    with pytest.raises(InvalidInput, match="same one twice"):
        begin(world, ada, between=("soup", "soup"))
    models.set_visibility(
        world.services, player_id=eve, name="bread", visibility=PUBLIC
    )
    run = models.openable(world.services, player_id=ada, name="soup")
    found = sides(world.services, player_id=ada, run=run)
    assert [side.model for side in found] == ["smollm2", "soup", "bread"]
    assert begin(world, ada, between=("soup", "bread"))


def test_a_model_from_nothing_has_no_base_to_compare_with(world: World) -> None:
    ada = world.player()
    add_model(world.services, ada, "bread", method="fresh")
    run = models.openable(world.services, player_id=ada, name="bread")
    assert [s.model for s in sides(world.services, player_id=ada, run=run)] == ["bread"]


def test_a_private_model_is_compared_by_its_owner_only(world: World, ada: int) -> None:
    comparison_id = begin(world, ada)
    eve = world.player("Eve")
    with pytest.raises(NotFound):
        begin(world, eve)
    for number in (comparison_id, 0, 2**40):
        with pytest.raises(NotFound):
            find(world, eve, number)
    with pytest.raises(NotFound):
        comparing.grade(
            world.services,
            player_id=eve,
            comparison_id=comparison_id,
            grades={(1, "first"): "good"},
            notes={},
        )
    with pytest.raises(NotFound):
        comparing.delete_one(world.services, player_id=eve, comparison_id=comparison_id)


def test_a_model_that_fails_is_told_and_can_be_asked_again(
    world: World, ada: int, speakers: Speakers
) -> None:
    speakers.enqueue(*[BackendOverloaded("Too many at once.")] * 3)
    speakers.says["smollm2"].append("Boil it.")
    speakers.says["soup"].append("Boil it in salted water.")
    comparison_id = begin(world, ada)
    problem = comparing.ask_next(
        world.services, player_id=ada, comparison_id=comparison_id
    )
    assert problem == "Too many at once."
    seen = ask_all(world, ada, comparison_id)
    assert seen.has_failed
    assert seen.rows[0].answers[0].error == problem
    assert seen.rows[0].answers[0].findings == ()
    comparing.ask_again(world.services, player_id=ada, comparison_id=comparison_id)
    again = ask_all(world, ada, comparison_id)
    assert not again.has_failed
    assert again.rows[0].answers[0].text == "Boil it."
    # What had been answered was not asked a second time.
    assert [r.model for r in speakers.history].count("soup") == 2


def test_a_limit_that_is_reached_keeps_what_is_there(
    world: World, ada: int, speakers: Speakers
) -> None:
    speakers.says["smollm2"].append("Boil it.")
    world.limit(model_prompts_per_minute=1)
    comparison_id = begin(world, ada)
    with pytest.raises(QuotaExceeded):
        comparing.ask_next(world.services, player_id=ada, comparison_id=comparison_id)
    seen = find(world, ada, comparison_id)
    assert [a.text for a in seen.rows[0].answers] == ["Boil it.", None]
    assert (seen.done, seen.is_judged) == (0, False)


def test_chat_models_are_asked_as_such(
    world: World, ada: int, speakers: Speakers
) -> None:
    add_model(
        world.services, ada, "bread", data={"is_chat": True, "system": "You bake."}
    )
    speakers.says["bread"].append("Hot.")
    speakers.says["soup"].append("Hot.")
    comparison_id = begin(world, ada, ROWS[:1], between=("soup", "bread"))
    ask_all(world, ada, comparison_id)
    soup, bread = speakers.history
    assert (soup.text, soup.messages) == (ROWS[0].prompt, ())
    assert bread.text is None
    assert [m["content"] for m in bread.messages] == ["You bake.", ROWS[0].prompt]


def test_grades_and_notes_are_kept_and_changed(world: World, ada: int) -> None:
    comparison_id = begin(world, ada)

    def grade(grades: dict[tuple[int, str], str], notes: dict[int, str]) -> None:
        comparing.grade(
            world.services,
            player_id=ada,
            comparison_id=comparison_id,
            grades=grades,
            notes=notes,
        )

    grade({(1, "first"): "bad", (1, "second"): "good"}, {1: " much better "})
    seen = find(world, ada, comparison_id)
    assert [a.grade for a in seen.rows[0].answers] == ["bad", "good"]
    assert seen.rows[0].note == "much better"
    assert compared.totals(seen)[1].grades == {"good": 1, "okay": 0, "bad": 0}
    grade({(1, "second"): "okay"}, {})
    seen = find(world, ada, comparison_id)
    assert [a.grade for a in seen.rows[0].answers] == ["", "okay"]
    assert seen.rows[0].note == "much better"
    with pytest.raises(InvalidInput, match="good, okay, bad"):
        grade({(1, "first"): "excellent"}, {})
    with pytest.raises(InvalidInput, match="more than 500"):
        grade({}, {2: "x" * 501})


def test_a_deleted_comparison_takes_its_rows_along(world: World, ada: int) -> None:
    name = comparing.delete_one(
        world.services, player_id=ada, comparison_id=begin(world, ada)
    )
    assert name == "soup"
    with world.db.read() as session:
        assert session.scalars(select(ComparedRow)).all() == []


def test_there_is_an_end_to_how_many_are_kept(
    world: World, ada: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "MOST_KEPT", 1)
    begin(world, ada)
    with pytest.raises(Conflict, match="Delete one first"):
        begin(world, ada, form="second")


def test_rows_that_were_kept_back_come_from_the_trainer(
    world: World, ada: int, trainer: TrainingWithRows
) -> None:
    run = models.openable(world.services, player_id=ada, name="soup")
    rows = learned.kept_back(world.services, run, count=1)
    assert rows == (Row("How do I cook rice?", "Boil it in salted water."),)
    text = "one two three four five six seven\neight nine"
    trainer.rows["validation"] = ({"text": text, "answer": None},)
    (row,) = learned.kept_back(world.services, run, count=1)
    assert row == Row("one two three", "four five six seven\neight nine")
    recipe = f"Recipe: Potato bake\nIngredients:\n- 200 g of {'potatoes ' * 30}"
    trainer.rows["validation"] = ({"text": recipe, "answer": None},)
    (row,) = learned.kept_back(world.services, run, count=1)
    assert row.prompt == "Recipe: Potato bake\nIngredients:"
    assert row.target is not None
    assert row.target.startswith("- 200 g of potatoes")
    long = " ".join(f"word{n}" for n in range(500))
    trainer.rows["validation"] = ({"text": long, "answer": None},)
    rows = learned.kept_back(world.services, run, count=4)
    assert [row.prompt.split()[0] for row in rows] == [
        "word0",
        "word125",
        "word250",
        "word375",
    ]
    assert all(len(f"{row.prompt} {row.target}".split()) == 52 for row in rows)
    trainer.rows = {}
    with pytest.raises(NotFound):
        learned.kept_back(world.services, run, count=1)


def test_rows_that_are_typed() -> None:
    text = "  How? => So.\r\n\r\nOnly this \nspread\tsheet\nA\\nB => C\\nD"
    assert read_rows(text) == (
        Row("How?", "So."),
        Row("Only this ", None),
        Row("spread", "sheet"),
        Row("A\nB", "C\nD"),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at least one prompt"),
        (" \n ", "at least one prompt"),
        ("fine\n => x", "Line 2 has no prompt"),
        ("x" * 2_001, "Line 1 is too long"),
        ("a\n" * 21, "These are 21 prompts, and 20"),
        ("a\x07b", "U\\+0007"),
    ],
)
def test_rows_that_cannot_be_asked(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read_rows(text)


def test_a_class_model_can_be_compared_by_the_class(world: World) -> None:
    code = classes.add_class(world.services, name="10b").join_code
    ada = world.player("Ada", class_code=code)
    bob = world.player("Bob", class_code=code)
    eve = world.player("Eve")
    add_model(world.services, ada, "soup", visibility=CLASS)
    assert begin(world, bob)
    with pytest.raises(NotFound):
        begin(world, eve)


@pytest.mark.parametrize("count", [1, 3])
def test_earlier_ones_are_listed_by_one_query(
    world: World, ada: int, count: int
) -> None:
    begun = [begin(world, ada, form=str(n)) for n in range(count)]
    run = models.openable(world.services, player_id=ada, name="soup")
    with counted_queries(world.db) as queries:
        found = comparing.of_model(world.services, player_id=ada, run=run)
    assert len(queries) == 1
    assert [one.id for one in found] == begun[::-1]
    assert [(one.rows, one.is_judged) for one in found] == [(2, False)] * count
