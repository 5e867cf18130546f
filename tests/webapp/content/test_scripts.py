"""Content in every script: word lists, words in texts, and titles that can be read."""

from __future__ import annotations

import unicodedata
from itertools import product

import pytest

from tests.webapp.content.trees import ContentTree

HINDI = tuple(f"{a}ा{b}ी{c}ु" for a, b, c in product("कगचजटडतदनपबमरल", repeat=3))
THAI = tuple(f"{a}า{b}ี้{c}" for a, b, c in product("กขคงจชดตนบปมรล", repeat=3))
KOREAN = tuple("".join(s) for s in product("가나다라마바사아자차카타파하", repeat=3))
IDEOGRAPHS = (
    "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结"
    "为霜金生丽水玉出昆冈剑号巨阙珠称夜光"
)
CHINESE = tuple("".join(s) for s in product(IDEOGRAPHS, repeat=2))
ARABIC = tuple("".join(s) for s in product("بتثجحخدذرزسشصض", repeat=3))


@pytest.mark.parametrize("words", [HINDI, THAI, KOREAN, CHINESE, ARABIC])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_list_may_be_in_any_script(
    tree: ContentTree, words: tuple[str, ...], form: str
) -> None:
    text = unicodedata.normalize(form, "\n".join(words))  # type: ignore[arg-type]
    tree.words.write_text(text)
    assert tree.problems() == []


NOT_ONE = "is not one word of 3 to 30 letters; write one word a line"
UNSEEN = "has the invisible character U+200B; write it without"


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("घर", NOT_ONE),
        ("门", NOT_ONE),
        ("पानी है", NOT_ONE),
        ("wa\u200blnut", UNSEEN),
        ("काकी\u200bकु", UNSEEN),
        ("काकीकु", "appears twice; the first is on line 1"),
    ],
)
def test_words_that_do_not_fit(tree: ContentTree, word: str, problem: str) -> None:
    tree.words.write_text("\n".join([*HINDI, word]))
    line = len(HINDI) + 1
    assert tree.problems() == [f'words/plain.txt:{line}: "{word}" {problem}']


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("पानी", "यहाँ पानी नहीं है"),
        ("réponse", "La RE\u0301PONSE est ici."),
        ("รหัสผ่าน", "ขอรหัสผ่านหน่อย"),
        ("秘密城", "那是秘密城的门"),
    ],
)
def test_a_password_in_a_text_is_found(tree: ContentTree, word: str, text: str) -> None:
    with tree.words.open("a") as words:
        words.write(f"\n{word}\n")
    tree.edit(tree.level, "story: A gate.", f"story: {text}")
    line = len(tree.words.read_text().splitlines())
    assert tree.problems() == [
        f'game/keep/one.yaml:3: "{word}" is a password in the list "plain"; use '
        f"another word here, or delete it from words/plain.txt:{line}"
    ]


@pytest.mark.parametrize("text", ["यहाँ पाना नहीं है", "नमकीन", "La reponse est ici."])
def test_another_word_is_not_a_password(tree: ContentTree, text: str) -> None:
    with tree.words.open("a") as words:
        words.write("\nपानी\nनमक\nréponse\n")
    tree.edit(tree.level, "story: A gate.", f"story: {text}")
    assert tree.problems() == []


UNREADABLE = [
    (r'"\u3164\u3164"', "it has nothing in it that can be seen"),
    (r'"   "', "it has nothing in it that can be seen"),
    (r'"The\u2800Gate"', "it has the invisible character U+2800"),
    (r'"The \u202eGate"', "it has the invisible character U+202E"),
    (r'"The\aGate"', "it has the control character U+0007"),
    (r'"The\nGate"', "it has the control character U+000A"),
    (r'"Ze\u0301\u0301\u0301\u0301\u0301"', "it has more than 4 accents on one letter"),
]


@pytest.mark.parametrize(("title", "fault"), UNREADABLE)
def test_a_title_that_cannot_be_read(tree: ContentTree, title: str, fault: str) -> None:
    tree.edit(tree.level, "title: The Gate", f"title: {title}")
    tree.edit(tree.level, "title: A hint", f"title: {title}")
    tree.edit(tree.ladder, "title: The Keep", f"title: {title}")
    assert tree.problems() == [
        f'game/keep/ladder.yaml:2: "title": {fault}',
        f'game/keep/one.yaml:2: "title": {fault}',
        f'game/keep/one.yaml:13: "hints[1].title": {fault}',
    ]


def test_a_text_with_nothing_to_read(tree: ContentTree) -> None:
    tree.edit(tree.level, "story: A gate.", r'story: "\u3164"')
    tree.edit(tree.level, "explain: It works.", r'explain: "It\x07 works."')
    assert tree.problems() == [
        'game/keep/one.yaml:3: "story": it has nothing in it that can be seen',
        'game/keep/one.yaml:15: "explain": it has the control character U+0007',
    ]


@pytest.mark.parametrize(
    "title", ["दरवाज़ा", "شهرزاد", "دروازه\u200cها", "👩\u200d🚀 gate"]
)
def test_titles_of_all_languages_are_welcome(tree: ContentTree, title: str) -> None:
    tree.edit(tree.level, "title: The Gate", f"title: {title}")
    assert tree.problems() == []
