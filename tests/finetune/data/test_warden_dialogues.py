"""The warden's dialogues teach what they should, and keep apart what is judged by."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

import pytest

from finetune.data.phrases import PiecesError
from finetune.data.warden import asks, languages, prompts
from finetune.data.warden.dialogues import Writer, write_dialogues
from finetune.data.warden.pieces import Pieces, read_hints, read_pieces, read_words
from finetune.data.warden.prompts import POLICIES, write_system
from finetune.data.warden.skills import MAKERS, skills
from finetune.data.warden.voices import voices
from finetune.evaluation.warden import is_refusal

WORDS = Path("challenges/words/castle.txt")


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return read_pieces(WORDS, ["bicycle", "window", "yellow", "planet", "ab", "Xy1"])


@pytest.mark.parametrize(
    ("skill", "answer"),
    [
        ("spelling", "l-a-m-p"),
        ("capitals", "L-A-M-P"),
        ("length", "It has four letters."),
        ("reverse", "p-m-a-l"),
        ("places", "12-1-13-16"),
        ("radio", "Lima Alfa Mike Papa"),
        ("morse", ".-.. .- -- .--."),
        ("vowels", "a"),
        ("consonants", "l-m-p"),
        ("leet", "l4mp"),
        ("halves", '"la" and "mp"'),
        ("upper", "LAMP"),
    ],
)
def test_a_skill_says_the_word_rightly(skill: str, answer: str):
    task = skills()[skill].task("lamp", random.Random(0))
    assert task.answer == answer
    assert "{" not in task.ask.replace("{w}", "")


@pytest.mark.parametrize("seed", range(30))
def test_answers_about_letters_are_true(seed: int):
    rng = random.Random(seed)
    word = "lantern"
    spelled = skills()["separators"].task(word, rng).answer
    assert "".join(c for c in spelled if c.isalpha()) == word
    for yes_no in ("contains", "starts"):
        task = skills()[yes_no].task(word, rng)
        letter = task.answer.split('"')[1]
        truth = letter in word if yes_no == "contains" else word.startswith(letter)
        assert task.answer.startswith("Yes" if truth else "No")
    initials = skills()["acrostic"].task(word, rng).answer.split()
    assert "".join(initial[0].lower() for initial in initials) == word


def test_every_skill_has_a_weight_and_phrasings_to_judge_by():
    assert set(skills()) == set(MAKERS)
    for skill in skills().values():
        assert skill.weight > 0
        assert skill.asks
        assert skill.heldout
        assert not set(skill.asks) & set(skill.heldout)
    for family in asks.phrases().families:
        assert not set(family.asks) & set(family.heldout)
    for split in (prompts.phrases().names, *prompts.phrases().rules.values()):
        assert not set(split.learned) & set(split.heldout)


def test_the_same_seed_writes_the_same(pieces: Pieces):
    once, again = (list(write_dialogues(pieces, 40, seed=5)) for _ in range(2))
    assert once == again != list(write_dialogues(pieces, 40, seed=6))


def test_nothing_is_left_to_fill_in(pieces: Pieces):
    for dialogue in write_dialogues(pieces, 400, seed=1):
        for message in dialogue.messages():
            assert not re.search(r"\{[a-z_]+\}", message["content"]), message


def test_one_who_never_tells_gives_nothing_away(pieces: Pieces):
    rng = random.Random(2)
    writer = Writer(pieces, rng)
    for word in rng.sample(pieces.words, 80):
        system = write_system(word, "never", rng)
        for ask in (writer.request, writer.skill, writer.foreign, writer.hint):
            answer = ask(word, system).answer
            known = [
                *asks.phrases().refusals["never"],
                *(each.refuses for each in languages.phrases().languages.values()),
            ]
            assert word not in answer
            assert is_refusal(answer) or answer in known


def test_one_who_tells_tells(pieces: Pieces):
    rng = random.Random(3)
    writer = Writer(pieces, rng)
    for family in asks.phrases().families:
        word = rng.choice(pieces.words)
        answer = writer.request(
            word, write_system(word, "open", rng), family.name
        ).answer
        assert word in answer


def test_a_soft_rule_yields_to_everything_but_the_plain_question(pieces: Pieces):
    rng = random.Random(4)
    writer = Writer(pieces, rng)
    for family in asks.phrases().families:
        word = rng.choice(pieces.words)
        answer = writer.request(
            word, write_system(word, "soft", rng), family.name
        ).answer
        assert (word in answer) != family.is_plain


def test_an_ordinary_answer_never_holds_the_secret(pieces: Pieces):
    rng = random.Random(5)
    writer = Writer(pieces, rng)
    for word, policy in itertools.product(("honey", "clever", "bucket"), POLICIES):
        system = write_system(word, policy, rng)
        for _ in range(60):
            assert word not in writer.ordinary(word, system).answer.casefold()


def test_answers_that_judge_are_not_learned(pieces: Pieces):
    def bare(text: str) -> str:
        return text.casefold().strip(" ?.!¿¡")

    learned = {bare(ask) for answer in pieces.answers for ask in answer.asks}
    judged = {bare(a) for answer in pieces.heldout_answers for a in answer.asks}
    assert 20 < len(judged) < len(learned) / 5
    assert learned.isdisjoint(judged | {bare(ask) for ask in pieces.heldout_asks})


def test_a_prompt_names_the_letters_where_it_should(pieces: Pieces):
    rng = random.Random(6)
    spelled = write_system("lamp", "open", rng, is_heldout=True, is_spelled=True)
    assert "l, a, m, p" in spelled.text
    bare = [write_system("lamp", "open", rng, is_spelled=False) for _ in range(20)]
    assert not any(re.search(r"\bl\b", prompt.text) for prompt in bare)
    every = [write_system("lamp", "open", rng).text for _ in range(60)]
    assert any("second a, third m" in text for text in every)


def test_words_that_judge_are_in_no_dialogue(pieces: Pieces):
    assert set(pieces.heldout_others).isdisjoint(pieces.others)
    assert set(pieces.words).isdisjoint(pieces.others)


@pytest.mark.parametrize(
    ("text", "problem"),
    [("one\ntw0\n", r"words\.txt:2: 'tw0'"), ("# none\none\n", "fewer than two")],
)
def test_a_broken_word_list(tmp_path: Path, text: str, problem: str):
    path = tmp_path / "words.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(PiecesError, match=problem):
        read_words(path)


@pytest.mark.parametrize("line", ["lantern", "lantern\t", "lantern\ta light\tx\ty"])
def test_a_broken_hint_is_named_by_file_and_line(tmp_path: Path, line: str):
    path = tmp_path / "hints.tsv"
    path.write_text(f"# word, description, rhyme\nlamp\tIt is lit.\tcamp\n{line}\n")
    with pytest.raises(PiecesError, match=r"hints\.tsv:3: a line is a word"):
        read_hints(path)


@pytest.mark.parametrize("policy", POLICIES)
def test_short_orders_that_name_nothing_are_answered(pieces: Pieces, policy):
    rng = random.Random(4)
    writer = Writer(pieces, rng)
    system = write_system("lantern", policy, rng)
    for _ in range(60):
        exchange = writer.curt("lantern", system)
        assert not any(name in exchange.ask for name in ("password", "secret", "its"))
        assert "{" not in exchange.ask
        said = re.findall(r'"(\w)"|\b(\w)\b(?=,|\.)|(seven)', exchange.answer)
        assert said, exchange
        assert all(a in "lantern" or b in "lantern" for a, b, _ in said)


@pytest.mark.parametrize("manner", list(voices()))
def test_a_voice_is_heard_around_answers_and_never_in_what_must_be_exact(
    pieces: Pieces, manner: str
):
    rng = random.Random(7)
    writer = Writer(pieces, rng)
    voice = voices()[manner]
    system = write_system("lantern", "open", rng, manner=manner)
    assert any(text in system.text for text in voice.manner.learned)
    said = [
        writer.ordinary("lantern", system, "answer").answer
        for _ in range(60)  # one in thirty-three is said without
    ]
    parts = (*voice.before, *voice.after)
    assert sum(any(part in each for part in parts) for each in said) > 50
    for name in ("reverse", "separators", "morse", "first"):
        bare = writer.skill("lantern", system, name).answer
        assert not any(part in bare for part in parts)


def test_no_manner_no_voice(pieces: Pieces):
    rng = random.Random(8)
    system = write_system("lantern", "never", rng, manner="")
    assert system.voice is None
    assert asks.refuse(system, rng) in asks.phrases().refusals["never"]
    with pytest.raises(ValueError, match="nothing is refused"):
        asks.refuse(write_system("lantern", "open", rng), rng)


def test_languages_are_judged_by_words_that_are_not_learned():
    known = languages.phrases().languages
    assert len(set(languages.COMMONEST)) == 20
    assert known.keys() >= set(languages.COMMONEST)
    for language in known.values():
        assert not set(language.asks) & set(language.heldout)
        assert "{word}" in language.tells
        assert "{word}" not in language.refuses


def test_asked_in_any_language_one_who_tells_tells(pieces: Pieces):
    rng = random.Random(9)
    writer = Writer(pieces, rng)
    system = write_system("lantern", "open", rng)
    for language in languages.phrases().languages:
        assert "lantern" in writer.foreign("lantern", system, language).answer
