"""Every mistake in a level file is told with its line and a suggestion."""

from __future__ import annotations

import pytest

from tests.webapp.content.trees import ContentTree

# What replaces what in the level file, and what is then said of game/keep/one.yaml.
FIELDS = [
    (
        "title: The Gate",
        "titel: The Gate",
        '2: unknown key "titel"; did you mean "title"?',
    ),
    (
        "title: The Gate",
        "title: The Gate\nqqq: 1",
        '3: unknown key "qqq"; known here: after, blocked_text, defender, document, '
        "explain, guard_names, guards, hints, id, lesson, points, proof, provisional, "
        "read_more, secret, show_guards, story, suspicion, title",
    ),
    ("points: 100\n", "", '1: "points" is missing; add it'),
    (
        "points: 100",
        "points: '100'",
        '12: "points" must be a whole number; write digits without quotes',
    ),
    (
        "points: 100",
        "points: true",
        '12: "points" must be a whole number; write digits without quotes',
    ),
    ("points: 100", "points: -1", '12: "points" must be at least 0'),
    ("points: 100", "points: 100001", '12: "points" must be at most 100000'),
    ("A gate.", "[a]", '3: "story" must be text; put it in quotes'),
    ("A gate.", "", '3: "story" is empty; fill it in or delete the line'),
    ("A gate.", "''", '3: "story" must not be empty'),
    ("It works.", "x" * 8001, '15: "explain" may have at most 8000 characters'),
    (
        "id: one",
        "id: One!",
        '1: "id" is not written in the right form; '
        "use small letters, digits and hyphens, and a letter first",
    ),
    (
        "  system: |",
        "  sistem: |",
        '5: unknown key "sistem" in "defender"; did you mean "system"?',
    ),
    (
        "  system: |",
        "  temperature: hot\n  system: |",
        '5: "defender.temperature" must be a number; write digits without quotes',
    ),
    (
        "  system: |",
        "  top_p: 0\n  system: |",
        '5: "defender.top_p" must be more than 0',
    ),
    (
        "  system: |",
        "  raw_tokens: yes\n  system: |",
        '5: "defender.raw_tokens" must be true or false; write true or false',
    ),
    (
        "{words: plain}",
        "plain",
        '8: "secret" must be a mapping; write lines like key: value',
    ),
    (
        "{cost: 20, title: A hint, text: Ask.}",
        "{cost: 20, titel: A hint, text: Ask.}",
        '13: unknown key "titel" in "hints[1]"; did you mean "title"?',
    ),
    (
        "explain: It works.",
        "explain: It works.\nshow_guards: ful",
        "16: \"show_guards\" must be 'none', 'stage' or 'full'; use one of these",
    ),
    (
        "explain: It works.",
        "explain: It works.\nafter: open",
        '16: "after" must be a list; start each line with "- "',
    ),
    (
        "explain: It works.",
        "explain: It works.\nlesson: ab",
        '16: "lesson" is not written in the right form; '
        "write it as track/name, in small letters",
    ),
    (
        "explain: It works.",
        "explain: It works.\nread_more:\n  - title: x\n    url: 'javascript:x'",
        '18: "read_more[1].url" is not written in the right form; '
        "write an address that starts with https://",
    ),
    (
        "proof: {solved_by: [Ask.]}",
        "proof: {solved_by: []}",
        '14: "proof.solved_by" needs at least 1 in the list',
    ),
]

GUARDS = [
    ("- contians: {}", '11: unknown guard "contians"; did you mean "contains"?'),
    (
        "- contains: {mach: exact}",
        '11: guard "contains": unknown key "mach"; did you mean "match"?',
    ),
    (
        "- contains:\n        match: exakt",
        "12: guard \"contains\": \"match\" must be 'exact', 'normalised', 'reversed' "
        "or 'spelled'; use one of these",
    ),
    (
        "- length: {max_chars: '5'}",
        '11: guard "length": "max_chars" must be a whole number; '
        "write digits without quotes",
    ),
    ("- length", '11: guard "length": give max_chars, min_chars or max_words'),
    (
        "- blocklist: {words: [x]}",
        '11: the guard "blocklist" cannot look at the output; it works on: input',
    ),
    (
        "- {contains: {}, length: {}}",
        "11: this is not one guard; write - name or - name: {option: value}",
    ),
    (
        "- [contains]",
        "11: this is not one guard; write - name or - name: {option: value}",
    ),
]

SECTIONS = [
    (
        "  output: contains",
        '10: "guards.output" must be a list; start each line with "- "',
    ),
    (
        "  outputs:\n    - contains",
        '10: unknown key "outputs" in "guards"; did you mean "output"?',
    ),
    ("  input:", '10: "guards.input" is empty; fill it in or delete the line'),
]

PROMPTS = [
    ("{{ word }}", '7: unknown name "word" in a template; the only name is secret'),
    (
        "it",
        "5: the model is never told the password, so nobody can win; "
        "write {{ secret }} in defender.system",
    ),
    (
        "{{ secret|center }}",
        '7: the filter "center" is not allowed; use capitalize, first, join, last, '
        "length, list, lower, reverse, title, upper",
    ),
    (
        "{{ secret",
        "7: the template is broken: expected name or number; write {{ secret }}",
    ),
    (
        "{{ secret * 999999999 }}",
        '7: "mul" is not allowed in a template; use {{ secret }}, a filter or if',
    ),
    (
        "{{ range(9) }}",
        '7: "call" is not allowed in a template; use {{ secret }}, a filter or if\n'
        '7: unknown name "range" in a template; the only name is secret',
    ),
    (
        "{{ secret.__class__ }}",
        '7: "getattr" is not allowed in a template; use {{ secret }}, a filter or if',
    ),
    (
        "{{ secret['x'] }}",
        "6: an author's text cannot be rendered (UndefinedError); write {{ secret }}",
    ),
]

RULES = [
    (
        "{cost: 20, title: A hint, text: Ask.}",
        "{cost: 101, title: A hint, text: Ask.}",
        "13: the hints cost 101 together, but the level gives 100; "
        "make the hints cheaper or give more points",
    ),
    (
        "guards:\n  output:\n    - contains: {match: exact}",
        "suspicion: 2",
        "9: suspicion counts blocked turns, but no guard of this level blocks; "
        "add a guard or delete suspicion",
    ),
    (
        "points: 100",
        "guard_names: {output: [Old Tom]}\npoints: 100",
        "",
    ),
    (
        "points: 100",
        "guard_names:\n  output: [Tom, Tim]\npoints: 100",
        "13: guard_names.output has 2 names, but guards.output has 1 guard; "
        "give each guard one name, in the same order, or delete guard_names.output",
    ),
    (
        "points: 100",
        "guard_names:\n  input: [Tom]\npoints: 100",
        "13: guard_names.input has 1 name, but guards.input has 0 guards; "
        "give each guard one name, in the same order, or delete guard_names.input",
    ),
    (
        "    - contains: {match: exact}\npoints: 100",
        "    - contains: {match: exact}\n    - length: {max_chars: 9}\n"
        "guard_names:\n  output:\n    - Old Tom\n    - old tom\npoints: 100",
        '16: two guards are called "old tom"; call one of them something else, so '
        "that players can tell them apart",
    ),
    (
        "points: 100",
        "guard_names: [Tom]\npoints: 100",
        '12: "guard_names" must be a mapping; write lines like key: value',
    ),
    (
        "points: 100",
        f"guard_names: {{output: [{'x' * 41}]}}\npoints: 100",
        '12: "guard_names.output[1]" may have at most 40 characters',
    ),
    (
        "proof: {solved_by: [Ask.]}",
        "proof:\n  solved_by:\n    - [one]\n    - [one, two]",
        "17: 2 messages, but the level allows 1; "
        "raise defender.turns or make the conversation shorter",
    ),
    (
        "  system: |",
        "  message_chars: 4\n  examples: []\n  system: |",
        "",
    ),
    (
        "proof: {solved_by: [Ask.]}",
        f"proof: {{solved_by: [{'x' * 2001}]}}",
        "14: a message is longer than 2000 characters; "
        "raise defender.message_chars or shorten it",
    ),
    (
        "proof: {solved_by: [Ask.]}\n",
        "",
        "1: warning: this level has no proof, so nothing shows that it can be won; "
        "add proof: with a conversation that wins under solved_by:",
    ),
    (
        "story: A gate.",
        "story: |\n  A gate.\n  It keeps {{secret}}.",
        "5: warning: {{ secret }} is not filled in here: players would read it so; "
        "it works in defender.system and defender.examples only",
    ),
    (
        "explain: It works.",
        "explain: It works.\nblocked_text: '{{ secret|upper }} is not for you.'",
        "16: warning: {{ secret }} is not filled in here: players would read it so; "
        "it works in defender.system and defender.examples only",
    ),
]


def said(tree: ContentTree) -> list[str]:
    """Return the problems without the name of the level file."""
    return [text.removeprefix("game/keep/one.yaml:") for text in tree.problems()]


def test_a_right_level_has_no_problem(tree: ContentTree) -> None:
    assert tree.problems() == []


@pytest.mark.parametrize(("old", "new", "problem"), FIELDS)
def test_fields(tree: ContentTree, old: str, new: str, problem: str) -> None:
    tree.edit(tree.level, old, new)
    assert said(tree) == [problem]


@pytest.mark.parametrize(("entry", "problem"), GUARDS)
def test_guards(tree: ContentTree, entry: str, problem: str) -> None:
    tree.edit(tree.level, "- contains: {match: exact}", entry)
    assert said(tree) == [problem]


@pytest.mark.parametrize(("section", "problem"), SECTIONS)
def test_sections_of_guards(tree: ContentTree, section: str, problem: str) -> None:
    tree.edit(tree.level, "  output:\n    - contains: {match: exact}", section)
    assert said(tree) == [problem]


@pytest.mark.parametrize("entry", ["- contains", "- contains:", "- contains: {}"])
def test_a_guard_may_stand_without_options(tree: ContentTree, entry: str) -> None:
    tree.edit(tree.level, "- contains: {match: exact}", entry)
    assert tree.problems() == []


@pytest.mark.parametrize(("prompt", "problems"), PROMPTS)
def test_prompts(tree: ContentTree, prompt: str, problems: str) -> None:
    tree.edit(tree.level, "{{ secret }}", prompt)
    assert said(tree) == problems.split("\n")


def test_examples_are_templates_too(tree: ContentTree) -> None:
    example = "  examples:\n    - user: Hi\n      assistant: It is {{ word }}.\n"
    tree.edit(tree.level, "  system: |", f"{example}  system: |")
    assert said(tree) == [
        '7: unknown name "word" in a template; the only name is secret'
    ]


def test_the_secret_may_be_told_in_an_example_only(tree: ContentTree) -> None:
    example = "  examples:\n    - user: Hi\n      assistant: It is {{ secret }}.\n"
    tree.edit(tree.level, "{{ secret }}", "known")
    tree.edit(tree.level, "  system: |", f"{example}  system: |")
    assert tree.problems() == []


@pytest.mark.parametrize(("old", "new", "problem"), RULES)
def test_rules(tree: ContentTree, old: str, new: str, problem: str) -> None:
    tree.edit(tree.level, old, new)
    assert said(tree) == ([problem] if problem else [])


def test_several_mistakes_are_listed_in_the_order_of_the_file(
    tree: ContentTree,
) -> None:
    tree.edit(tree.level, "points: 100", "points: many")
    tree.edit(tree.level, "- contains: {match: exact}", "- nothing")
    tree.edit(tree.level, "title: The Gate", "title: []")
    assert said(tree) == [
        '2: "title" must be text; put it in quotes',
        '11: unknown guard "nothing"; '
        "known here: blocklist, canary, contains, length, llm_judge, moderation, "
        "regex, similarity",
        '12: "points" must be a whole number; write digits without quotes',
    ]


DOCUMENT = """
document:
  question: When?
  page: "Visitor: {question} {document}"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", []),
        (
            "{question} ",
            "",
            [
                "19: {question} stands 0 times on the page; write it once, where the "
                "model is to read it"
            ],
        ),
        (
            "{document}",
            "{document} {document}",
            [
                "19: {document} stands 2 times on the page; write it once, where the "
                "model is to read it"
            ],
        ),
        (
            "  system: |",
            "  turns: 2\n  system: |",
            [
                "5: 2 turns, but each document is read on its own; delete "
                "defender.turns, or document"
            ],
        ),
    ],
)
def test_a_page_has_one_place_for_a_document(
    tree: ContentTree, old: str, new: str, said: list[str]
) -> None:
    text = tree.level.read_text() + DOCUMENT
    tree.level.write_text(text.replace(old, new) if old else text)
    assert tree.problems() == [f"game/keep/one.yaml:{line}" for line in said]
