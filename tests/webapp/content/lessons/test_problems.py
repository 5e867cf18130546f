"""Every problem of a lesson is told with its line in the Markdown file."""

from __future__ import annotations

import pytest

from tests.webapp.content.lessons.samples import LessonTree

PROSE = "Easy for you."
TELL_CHECK = '  - not-contains: "{word}zo"\n    whole_word: true\n'
SHOW_CHECK = '  - contains: "{word}zo"\n    say: \'The model'
SOLVED = "  - {rule: In Zo you put zo at the end of every word. cat becomes catzo.}"


def only(tree: LessonTree) -> str:
    (said,) = tree.said()
    return said


def at(line: int, text: str) -> str:
    return f"{line}: {text}"


# Old text, new text, a text on the line that is told, and what is told.
CASES = [
    # The shape of the file.
    ("---\ntitle: Show", "title: Show", 1, "the front matter is missing; begin with"),
    (
        "title: Show, don't tell",
        "titel: Show, don't tell",
        "titel",
        'unknown key "titel"; did you mean "title"?',
    ),
    ("minutes: 6", "minutes: 60", "minutes", '"minutes" must be at most 30'),
    (
        "task: Explain Zo in",
        "task: [Explain Zo in",
        "task: [",
        "not readable as YAML",
    ),
    ("```panel tell", "```pannel tell", "```pannel", 'unknown block "pannel"; did you'),
    ("```panel tell", "```panel", "```panel\n", "this panel has no name behind"),
    ("```panel tell", "```panel tell me", "```panel tell me", "this panel has more"),
    ("```panel tell", " ```panel tell", " ```panel", "this panel does not begin at"),
    ("```question predict", "```question guess", "question guess", "unknown kind of"),
    (
        "```question reflect last",
        "```question reflect show",
        "flect show",
        "two bl",
    ),
    # What prose may not hold.
    (PROSE, "<script>alert(1)</script>", "<script>", "a lesson may not contain HTML"),
    (PROSE, "Hey <b onclick=x>you</b>", "<b onclick", "a lesson may not contain HTML"),
    (PROSE, "![x](https://a.example/x.png)", "![x]", "a lesson may not contain images"),
    (PROSE, "[x](javascript:alert(1))", "[x]", "a link may not begin with javascript:"),
    (PROSE, "[x](&#106;avascript:x)", "[x]", "a link may not begin with javascript:"),
    (PROSE, "[x](data:text/html,x)", "[x]", "a link may not begin with data:"),
    (PROSE, "[x](//evil.example)", "[x]", "a link may not begin with //"),
    (PROSE, "[x][y]\n\n[y]: vbscript:x\n", "[x][y]", "a link may not begin with vbscr"),
    (PROSE, "left \u202e right", "\u202e", "the character U+202E changes the direct"),
    ("> [!note]", "> [!note-]", "[!note-]", 'unknown callout "note-"; did you mean'),
    ("model has read about it.\n\n???\n", "model.\n", "??? Why", "this folded block"),
    ("??? Why this language?\n", "", "\n???\n", "this closes a folded block, but"),
    (
        "text: Each line must look",
        "text: Each <b>line</b> must look",
        "<b>line",
        "a lesson may not contain HTML",
    ),
    # Records.
    ("system: none", "sistem: none", "sistem", 'unknown key "sistem"; did you mean'),
    ("samples: 4 of 5", "samples: 6 of 5", "samples: 6", "6 of 5 samples can never"),
    ("samples: 4 of 5", "samples: 3 of 4", "samples: 3 of 4", "vary has 5 sets of val"),
    (
        "samples: 4 of 5",
        "samples: most",
        "samples: most",
        '"samples" must be a',
    ),
    (
        "samples: 4 of 5",
        "samples: 4 of 15",
        "samples: 4 of",
        '"samples" must be at most',
    ),
    (
        "max_tokens: 24",
        "max_tokens: 61",
        "max_tokens: 61",
        "5 samples of 61 tok",
    ),
    ("max_tokens: 24", "max_tokens: lots", ": lots", '"max_tokens" must be a whole'),
    (
        "max_tokens: 24",
        "max_tokens: 24\nchoices: [yes, no, yes]",
        "choices: [yes",
        '"yes" stands twice among the choices',
    ),
    # Prompts.
    ("talk: complete", "talk: chat", "talk: chat", "talk: chat needs messages; add"),
    (
        "system: none",
        "talk: complete",
        "talk: complete\nmess",
        "talk: complete",
    ),
    ("  - user: |", "  - assistant: |", "- assistant", "the last message must be the"),
    (
        "      {rule}\n",
        "",
        "  rule: {start",
        'the slot "rule" is no',
    ),
    (
        "max_tokens: 24",
        "max_tokens: 24\nstop: [zo]\nstart_reply: 7",
        "start_reply",
        '"start_reply" must be text',
    ),
    # Values.
    (SOLVED, "  - {rulle: Zo}", "rulle: Zo", 'this panel has no slot "rulle"; did you'),
    (SOLVED, "  - {}", "  - {}", "nothing is typed here; write {slot: text}"),
    (
        "example: {examples: cat -> catzo}",
        "example: {exampels: cat -> catzo}",
        "exampels",
        'this panel has no slot "exampels"; did you mean "examples"?',
    ),
    (
        'examples: {start: "cat -> catzo", lines: 8',
        'examples: {start: "cat -> catzo", chars: 20, lines: 8',
        "treezo\\nfish",
        '"examples" may have at most 20 characters',
    ),
    # Checks.
    (
        "  - size: {min: 5, of: rule}",
        "  - sise: {min: 5, of: rule}",
        "- sise",
        'unknown check "sise"; did you mean "size"?',
    ),
    (
        "  - size: {min: 5, of: rule}",
        "  - size: {mim: 5, of: rule}",
        "- size: {mim",
        'check "size": unknown key "mim"; did you mean "min"?',
    ),
    (
        "  - size: {min: 5, of: rule}",
        '  - size: {min: "5", of: rule}',
        '{min: "5"',
        'check "size": "min" must be a whole number',
    ),
    (
        "  - size: {min: 5, of: rule}",
        "  - size: {min: 5, of: rul}",
        "of: rul}",
        'check "size": there is no slot "rul"; did you mean "rule"?',
    ),
    (
        "  - size: {min: 5, of: rule}",
        "  - size: {min: 5, of: runs}",
        "of: runs",
        'check "size" cannot look at "runs"; it works on: prompt, reply, request, rule',
    ),
    (
        "  - size: {min: 5, of: rule}",
        "  - size: {min: 0, of: rule}",
        "min: 0",
        'check "size": with min: 0 everything passes',
    ),
    (
        "  - size: {min: 5, of: rule}",
        "  - size: {min: 5, of: rule, weight: 0}",
        "weight: 0",
        'check "size": a weight of 0 counts for nothing',
    ),
    (
        "  - size: {min: 5, of: rule}",
        "  - size: 5",
        "- size: 5",
        'check "size" has no short form',
    ),
    (
        SHOW_CHECK,
        SHOW_CHECK.replace("contains", "near"),
        "- near:",
        'check "near": this check may not be the only one',
    ),
    (
        SHOW_CHECK,
        "  - any-of: [near: a, contains: zos]\n    say: 'The model",
        "- any-of",
        'check "any-of": this check may not be the only one',
    ),
    (
        SHOW_CHECK,
        "  - contains: zos\n    required: false\n    say: 'The model",
        "- contains: zos",
        'check "contains": no check decides here',
    ),
    (
        SHOW_CHECK,
        "  - contains: ok\n    whole_word: false\n    say: 'The model",
        "- contains: ok",
        'check "contains": "ok" is part of many longer words',
    ),
    (
        SHOW_CHECK,
        "  - at-least: {n: 3, of: [contains: z, size: {min: 2}]}\n    say: 'The model",
        "- at-least",
        "3 of 2 checks can never pass",
    ),
    (
        SHOW_CHECK,
        "  - at-least: [contains: zos]\n    say: 'The model",
        "- at-least",
        'check "at-least": "n" is missing',
    ),
    (
        SHOW_CHECK,
        "  - all-of: contains\n    say: 'The model",
        "- all-of",
        '"all-of" needs a list of checks; write - all-of: [checks]',
    ),
    (SHOW_CHECK, "  - say: 'The model", "- say: 'The", "this is not one check; write"),
    # Questions.
    ("answer: two or three", "answer: three", "answer: th", "the answer is not one of"),
    (
        "answer: two or three",
        "lines: [one, two]",
        "lines: [one",
        "a question of the kind predict has no lines",
    ),
    (
        "?\n```\n",
        "?\nanswer: Mine\n```\n",
        "answer: Mine",
        "a question of",
    ),
    # Other files.
    (
        "[basics/next-word]",
        "[basics/next-wrd]",
        "after:",
        'there is no lesson "',
    ),
    (
        "[basics/next-word]",
        "[basics/show-dont-tell]",
        "after:",
        "this is the less",
    ),
    (
        "gates: [keep/one]",
        "gates: [keep/two]",
        "gates:",
        'there is no gate "keep',
    ),
    (
        "gates: [keep/one]",
        "was: [basics/guessing]",
        "was:",
        '"basics/next-word" was',
    ),
    (
        "gates: [keep/one]",
        "was: [basics/next-word]",
        "was:",
        '"basics/next-word" is',
    ),
]


@pytest.mark.parametrize(("old", "new", "where", "told"), CASES)
def test_an_error_is_told_at_its_line(
    tree: LessonTree, old: str, new: str, where: str | int, told: str
) -> None:
    tree.edit(tree.show, old, new)
    line = where if isinstance(where, int) else tree.line(where.lstrip("\n"))
    assert tree.said()[0].startswith(at(line, told))
    assert ": warning: " not in tree.said()[0]


def test_answers_are_not_given_away(tree: LessonTree) -> None:
    tree.edit(tree.show, "task: Explain Zo in", "task: Say lamp. Explain Zo in")
    line = tree.line("task: Say lamp")
    assert tree.said() == [
        f'{line}: warning: this gives away a hidden value: "lamp"; '
        "say what to look for, and not what to write"
    ]


def test_a_hint_does_not_hold_the_solution(tree: LessonTree) -> None:
    tree.edit(tree.show, "Is there a pattern yet?", "Write sun -> sunzo.")
    assert only(tree).startswith(
        f"{tree.line('title: The idea')}: "
        'warning: this gives away the solution: "sun -> sunzo"'
    )


def test_a_sentence_does_not_hold_the_expected_answer(tree: LessonTree) -> None:
    old = "say: 'The model wrote \"{reply}\". What would make the pattern clearer?'"
    tree.edit(tree.show, old, "say: It should write treezo.")
    assert only(tree).startswith(
        f"{tree.line('say: It should') - 1}: "
        'warning: this gives away a hidden value: "treezo"'
    )


def test_what_is_in_the_prompt_already_is_no_secret(tree: LessonTree) -> None:
    tree.edit(tree.show, "Is there a pattern yet?", "You wrote cat -> catzo.")
    assert tree.said() == []


def test_the_same_reply_many_times(tree: LessonTree) -> None:
    tree.edit(
        tree.next_word,
        "max_tokens: 5",
        "max_tokens: 5\ntemperature: 0\nsamples: 3 of 5",
    )
    (said,) = tree.problems()
    assert "warning: at temperature 0, all 5 samples are the same reply" in said


def test_a_long_lesson(tree: LessonTree) -> None:
    tree.edit(tree.show, PROSE, "word " * 400)
    assert only(tree).startswith("2: warning: this lesson has 4")


def test_a_lesson_with_one_panel(tree: LessonTree) -> None:
    text = tree.next_word.read_text()
    begin = text.index("```panel order")
    end = text.index("```question")
    tree.next_word.write_text(text[:begin] + text[end:])
    (said,) = tree.problems()
    assert "01-next-word.md:2: warning: this lesson has 1 panel; two or three" in said


def test_code_that_is_not_closed_is_one_error(tree: LessonTree) -> None:
    tree.edit(tree.show, 'shown")\n```\n', 'shown")\n')
    first, second = tree.line("```python"), tree.line("```question reflect")
    assert tree.said() == [
        f"{first}: this block of code is not closed, and another begins on line "
        f"{second}; write ``` alone on a line after it"
    ]


def test_a_panel_that_swallows_the_next_block(tree: LessonTree) -> None:
    tree.edit(tree.show, "```\n\n```question predict", "\n```question predict")
    first, second = tree.line("```panel tell"), tree.line("```question predict")
    assert tree.said() == [
        f"{first}: this panel is not closed, and another begins on line {second}; "
        "write ``` alone on a line after it"
    ]


def test_a_fence_at_the_end(tree: LessonTree) -> None:
    text = tree.show.read_text()
    tree.show.write_text(text.removesuffix("```\n"))
    line = tree.line("```question reflect")
    assert tree.said() == [
        f"{line}: this question is not closed; write ``` alone on a line after it"
    ]


def test_a_fence_may_show_what_a_panel_looks_like(tree: LessonTree) -> None:
    example = "````\n```panel tell\ntask: x\n```\n````"
    tree.edit(tree.show, PROSE, f"\n\n{example}\n\n")
    assert only(tree).startswith(f"{tree.line('````' + chr(10) + '```panel tell')}: ")


def test_safe_links_and_code_are_welcome(tree: LessonTree) -> None:
    tree.edit(
        tree.show,
        PROSE,
        "[a](https://example.org) <https://example.org> `<b>` [b](/keep) [c](#zo) {x}",
    )
    assert tree.said() == []


def test_all_problems_of_a_file_are_told(tree: LessonTree) -> None:
    tree.edit(tree.show, "minutes: 6", "minutes: 60")
    tree.edit(tree.show, "max_tokens: 24", "max_tokens: lots")
    tree.edit(tree.show, "max_tokens: 8", "max_tokens: few")
    tree.edit(tree.show, PROSE, "<hr>")
    assert len(tree.said()) == 4


def test_a_password_in_a_lesson_is_a_warning(tree: LessonTree) -> None:
    words = tree.words.read_text().split("\n")
    tree.words.write_text("\n".join([*words, "walrus"]))
    tree.edit(tree.show, PROSE, "Easy for\na walrus.")
    line = tree.line("a walrus")
    assert tree.said() == [
        f'{line}: warning: "walrus" is a password in the list "plain"; use another '
        f"word here, or delete it from words/plain.txt:{len(words) + 1}"
    ]
