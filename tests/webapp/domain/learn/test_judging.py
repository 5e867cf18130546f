"""What is common to all checks is done once, outside of them."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.kit.checks import CheckModels
from tests.kit.lessons import check, group, lesson, simple_panel, zo_panel
from webapp.content.lessons.schema import CheckSpec, Panel, Slot
from webapp.domain.learn import filling, judging, telling
from webapp.domain.learn.judging import Case, Tally, Verdict
from webapp.domain.learn.practice import plan_of
from webapp.plugins.check import Outcome, Sample, Status, Subject, checks


class Fixed:
    """A check that always says the same, or throws."""

    SHORT: ClassVar[str] = "value"
    Options: ClassVar[Any] = None

    def __init__(self, options: Any) -> None:
        self._options = options

    @staticmethod
    def quoted(value: str) -> str:
        return value


def fixed(status: str) -> type[Fixed]:
    class Says(Fixed):
        def judge(self, subject: Subject, ask: object) -> Outcome:
            if status == "throws":
                raise RuntimeError("no")
            return Outcome(status, f"it {status}", 0.5, None, 4)  # type: ignore[arg-type]

    return Says


@pytest.fixture(autouse=True)
def _fixed_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    check("equals", "x")
    known = {f"is-{s}": fixed(s) for s in ("passed", "failed", "ungraded", "throws")}
    monkeypatch.setattr(checks, "_items", {**checks._items, **known})


def case_of(panel: Panel, **typed: str) -> Case:
    return Case(panel, filling.typed(panel, typed), CheckModels())


def judged(panel: Panel, reply: str, **typed: str) -> Verdict:
    case = case_of(panel, **typed)
    plan = plan_of(panel, case.given, 7)
    sample = Sample(reply, plan.hidden[0])
    return judging.judge_sample(
        case, sample=sample, samples=(sample,), request=plan.requests[0]
    )


def before(panel: Panel, **typed: str) -> Verdict:
    case = case_of(panel, **typed)
    return judging.judge_before(case, plan_of(panel, case.given, 7).pairs)


def is_(status: str, **given: Any) -> CheckSpec:
    return CheckSpec(name=f"is-{status}", **given)


@pytest.mark.parametrize(
    ("status", "flipped"),
    [
        ("passed", "failed"),
        ("failed", "passed"),
        ("ungraded", "ungraded"),
        ("throws", "ungraded"),
    ],
)
def test_not_turns_round_what_was_judged_and_nothing_else(
    status: str, flipped: str
) -> None:
    spec = is_(status, negated=True)
    assert judged(simple_panel(checks=(spec,)), "x").status == flipped
    in_a_group = group("all-of", spec)
    assert judged(simple_panel(checks=(in_a_group,)), "x").status == flipped


@pytest.mark.parametrize("reply", ["", " \n", "\u200b"])
def test_a_reply_that_is_empty_passes_no_check_by_what_is_not_in_it(reply: str) -> None:
    spec = check("not-icontains", "zebra")
    for checked in (spec, group("all-of", spec), group("any-of", spec)):
        panel = simple_panel(checks=(checked,))
        assert judged(panel, reply).status == "failed"
        assert judged(panel, "a lamp").status == "passed"


def test_no_check_passes_on_an_empty_reply_by_being_turned_round() -> None:
    for name, kind in checks.items():
        if "reply" not in getattr(kind, "aspects", ()):
            continue
        for example in getattr(kind, "EXAMPLES", ()):
            panel = simple_panel(checks=(check(f"not-{name}", example.options),))
            for reply in ("", " \n\t", "\u200b"):
                assert judged(panel, reply).status != "passed", (name, example)


@pytest.mark.parametrize(("fewest", "words"), [(1, "1 word"), (2, "2 words")])
def test_a_box_says_how_many_words_it_needs(fewest: int, words: str) -> None:
    panel = simple_panel(slots={"ask": Slot(words=(fewest, 9))})
    seen = before(panel, ask="")
    assert seen.first_failing is not None
    assert f"at least {words};" in seen.first_failing.message


TASK = "Write an instruction so that the model says **yes** and nothing else."


@pytest.mark.parametrize(
    ("typed", "is_copied"),
    [
        (TASK, True),
        (f"please do this now: {TASK.upper()}", True),
        ("Write an instruction, so that the model says it", True),
        ("Write an instruction so that it says yes", False),
        ("Say yes and nothing else.", False),
        ("", False),
    ],
)
def test_a_task_that_is_pasted_is_nobodys_prompt(typed: str, is_copied: bool) -> None:
    seen = before(simple_panel(task=TASK), ask=typed)
    first = seen.first_failing
    told = first is not None and first.message == judging.COPIED_TASK
    assert told is is_copied


@pytest.mark.parametrize("given", [{"talk": "none"}, {"expect": "failure"}])
def test_where_no_prompt_is_asked_for_a_task_may_be_pasted(
    given: dict[str, Any],
) -> None:
    panel = simple_panel(task=TASK).model_copy(update=given)
    assert "own-words" not in {one.check for one in before(panel, ask=TASK).judged}


def test_not_flips_every_example_of_every_check() -> None:
    opposite: dict[Status, Status] = {"passed": "failed", "failed": "passed"}
    count = 0
    for name, kind in checks.items():
        for example in getattr(kind, "EXAMPLES", ()):
            panel = simple_panel(
                messages=({"user": "{ask}"},),
                checks=(check(f"not-{name}", example.options, of="ask"),),
                slots={"ask": Slot(chars=4000)},
            )
            case = Case(
                panel,
                filling.Typed({}, {"ask": example.subject.text}),
                CheckModels(),
            )
            spec = panel.checks[0]
            plain = spec.model_copy(update={"negated": False})
            seen = judging.judge(case, plain, example.subject, {}).status
            turned = judging.judge(case, spec, example.subject, {}).status
            assert turned == opposite.get(seen, "ungraded"), (name, example)
            count += 1
    assert count > 100


@pytest.mark.parametrize(
    ("name", "least", "statuses", "status"),
    [
        ("all-of", 0, ("passed", "passed"), "passed"),
        ("all-of", 0, ("passed", "ungraded"), "ungraded"),
        ("all-of", 0, ("failed", "ungraded"), "failed"),
        ("any-of", 0, ("failed", "passed"), "passed"),
        ("any-of", 0, ("failed", "ungraded"), "ungraded"),
        ("any-of", 0, ("failed", "failed"), "failed"),
        ("at-least", 2, ("passed", "failed", "passed"), "passed"),
        ("at-least", 2, ("passed", "failed", "ungraded"), "ungraded"),
        ("at-least", 2, ("failed", "failed", "ungraded"), "failed"),
    ],
)
def test_groups(name: str, least: int, statuses: tuple[str, ...], status: str) -> None:
    spec = group(name, *map(is_, statuses), least=least)
    assert judged(simple_panel(checks=(spec,)), "x").status == status


def test_an_authors_sentence_is_filled_once() -> None:
    spec = check("equals", "x", say='It wrote "{reply}" for {ask}: {count}{other}')
    seen = judged(simple_panel(checks=(spec,)), "{ask} no", ask="{reply}?")
    assert seen.first_failing is not None
    assert seen.first_failing.message == ('It wrote "{ask} no" for {reply}?: {other}')


def test_what_is_typed_into_a_pattern_is_a_text() -> None:
    panel = simple_panel(checks=(check("regex", "^{ask}$"),))
    assert judged(panel, "a.c", ask="a.c").status == "passed"
    assert judged(panel, "abc", ask="a.c").status == "failed"
    assert judged(panel, "x", ask="(").status == "failed"


def test_prompt_checks_look_at_every_hidden_value_and_name_none() -> None:
    options = {"value": "{word}zo", "whole_word": True}
    spec = check("not-icontains", options, of="examples", say="No {word}, please.")
    panel = zo_panel(checks=(spec, check("equals", "{word}zo")), mistakes=())
    seen = before(panel, examples="we say riverzo here")
    assert seen.status == "failed"
    assert seen.first_failing is not None
    assert seen.first_failing.message == "No …, please."
    assert before(panel, examples="we say riverzoo here").status == "passed"


def test_what_does_not_decide_is_told_all_the_same() -> None:
    spec = check("equals", "x", required=False, say="By the way.")
    seen = judged(simple_panel(checks=(spec, is_("passed"))), "y")
    assert seen.status == "passed"
    assert [one.message for one in seen.judged] == ["By the way.", "it passed"]


def test_scores_are_weighted() -> None:
    specs = (is_("passed", weight=3.0), is_("throws"), is_("failed", required=False))
    assert judged(simple_panel(checks=specs), "x").score == 0.5


@pytest.mark.parametrize(
    ("passed", "failed", "ungraded", "decided", "status"),
    [
        (3, 0, 0, "passed", "passed"),
        (2, 3, 0, "failed", "failed"),
        (3, 0, 2, "passed", "passed"),
        (2, 1, 2, None, "ungraded"),
        (0, 3, 2, "failed", "failed"),
        (0, 0, 5, None, "ungraded"),
    ],
)
def test_k_of_n_is_decided_by_what_was_judged(
    passed: int, failed: int, ungraded: int, decided: str | None, status: str
) -> None:
    tally = Tally(passed, failed, ungraded, 3, 5)
    assert (tally.decided, tally.status) == (decided, status)


def test_what_is_told_comes_back_from_its_row() -> None:
    panel = simple_panel()
    told = telling.outcome(
        panel,
        before=Verdict("passed", ()),
        samples=[judged(panel, "hello")],
        tally=Tally(1, 0, 0, 1, 1),
        after=None,
        is_helped=True,
    )
    assert (told.status, told.help, told.score) == ("passed", "solution", 1.0)
    assert telling.Told.of_row(told.as_row()) == told
    for one in judged(panel, "hello").judged:
        assert judging.Judged.of_row(one.as_row()) == one


def test_a_lesson_knows_its_panels() -> None:
    assert [p.name for p in lesson(zo_panel(), simple_panel()).panels] == [
        "show",
        "hello",
    ]
