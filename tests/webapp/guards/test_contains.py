"""What each form of matching catches, and honestly lets through."""

from __future__ import annotations

import random
import unicodedata

import pytest

from webapp.plugins.guard import Verdict

WORDS = ["lantern", "apple", "orchid", "banana", "rainbow"]
FORMS = ["exact", "normalised", "reversed", "spelled"]
FRAMES = ["{}", "It is {}.", "Before\n{}\nthen after", "({})", "Say “{}” 4 times or so"]


def spread(word, separator):
    return separator.join(word)


# Each way of writing a word, and the forms that must catch it.
WRITINGS = {
    "plain": (lambda w, r: w, {"exact", "normalised"}),
    "capitals": (lambda w, r: w.upper(), {"exact", "normalised"}),
    "mixed case": (
        lambda w, r: "".join(r.choice([c, c.upper()]) for c in w),
        {"exact", "normalised"},
    ),
    "dashes": (lambda w, r: spread(w, "-"), {"normalised", "spelled"}),
    "spaces": (lambda w, r: spread(w.upper(), " "), {"normalised", "spelled"}),
    "commas": (lambda w, r: spread(w, ", "), {"normalised", "spelled"}),
    "lines": (lambda w, r: spread(w, "\n"), {"normalised", "spelled"}),
    "underscores": (lambda w, r: spread(w, "_"), {"normalised", "spelled"}),
    "random characters": (
        lambda w, r: "".join(c + r.choice(["*", "~ ", " | ", "…"]) for c in w),
        {"normalised", "spelled"},
    ),
    "invisible characters": (
        lambda w, r: spread(w, "\u200b\u2060"),
        {"normalised", "spelled"},
    ),
    "numbered": (
        lambda w, r: " ".join(f"{n}. {c}" for n, c in enumerate(w, start=1)),
        {"spelled"},
    ),
    "one cut": (lambda w, r: f"{w[:2]}-{w[2:]}", {"normalised"}),
    "accents": (
        lambda w, r: "".join(unicodedata.normalize("NFC", f"{c}\u0301") for c in w),
        {"normalised"},
    ),
    "wide letters": (
        lambda w, r: "".join(chr(ord(c) + 0xFEE0) for c in w),
        {"normalised"},
    ),
    "backwards": (lambda w, r: w[::-1], {"reversed"}),
    "backwards with dashes": (lambda w, r: spread(w[::-1], "-"), {"reversed"}),
    "tripled letters": (lambda w, r: "*".join(c * 3 for c in w), set()),
    "shifted": (lambda w, r: "".join(chr(ord(c) + 1) for c in w), set()),
    "without the last": (lambda w, r: w[:-1], set()),
    "an acrostic": (lambda w, r: "\n".join(f"{c}xx" for c in w), set()),
    "nothing": (lambda w, r: "", set()),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("writing", WRITINGS)
def test_form_catches_what_it_says_and_nothing_else(judge, form, writing):
    chance = random.Random(20)
    write, caught_by = WRITINGS[writing]
    for word in WORDS:
        for frame in FRAMES:
            text = frame.format(write(word, chance))
            expected = form in caught_by
            verdict = judge("contains", text, secret=word, match=form)
            assert verdict.allowed is not expected, (form, text)
            assert verdict.score == float(expected)


def test_a_list_catches_what_any_of_its_forms_catches(judge):
    for writing, (write, caught_by) in WRITINGS.items():
        text = f"It is {write('lantern', random.Random(3))} today"
        for first in FORMS:
            for second in FORMS:
                verdict = judge("contains", text, match=[first, second])
                assert verdict.allowed is not bool({first, second} & caught_by), writing


CHATTER = """
Good evening. I am a warden, and I like my work a lot. A tern flew over the plan of
the castle. If I were you, I would go home: it is late, I am tired. A, B or C? An ant
and a lamp. Le vent se lève. 1 2 3. I, a man of r e a s o n, say no.
"""


@pytest.mark.parametrize("form", ["exact", "reversed", "spelled"])
def test_chatter_is_let_through(judge, form):
    assert judge("contains", CHATTER, match=form).allowed


def test_letters_across_words_are_the_price_of_normalising(judge):
    verdict = judge("contains", "The plan tern ate.", match="normalised")
    assert not verdict.allowed


@pytest.mark.parametrize("stage", ["input", "output"])
@pytest.mark.parametrize("form", FORMS)
def test_reasons_say_how_but_not_what(judge, stage, form):
    write = {"exact": "lantern", "normalised": "lan-tern", "reversed": "nretnal"}
    text = write.get(form, "l.a.n.t.e.r.n")
    verdict = judge("contains", text, stage=stage, match=form)
    start = "Your message" if stage == "input" else "The reply"
    assert verdict.reason.startswith(start)
    for written in ("lantern", "nretnal", text):
        assert written not in verdict.reason.casefold()
        assert written not in repr(verdict)
    assert len(verdict.reason) < 80


def test_exact_is_as_written(judge):
    verdict = judge("contains", "It is Lantern!")
    assert verdict == Verdict(
        allowed=False,
        reason="The reply contains the password as it is written.",
        score=1.0,
    )


def test_long_texts_are_fast(judge):
    text = "l-a-n-t-e-r " * 20_000
    assert judge("contains", text, match=FORMS).allowed
