"""Rows are written by templates, and templates are checked first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.data.texts.errors import DataError
from finetune.data.texts.rendering import (
    ALPACA,
    ALPACA_WITH_INPUT,
    Renderer,
    render_rows,
)
from finetune.data.texts.suggesting import resolve, suggest
from finetune.data.texts.table import Table
from finetune.recipes.lm import TextRows

CHAT = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hello?"},
    {"role": "assistant", "content": "Hi!"},
]


def table(*rows: dict[str, str]) -> Table:
    return Table(tuple(rows[0]), list(rows), "jsonl", "utf-8", 0)


def settings(**given) -> TextRows:
    return TextRows(source="rows", path=Path("file"), **given)


def write(text: str, answer: str | None = None, /, **row: str):
    return Renderer(text, answer, tuple(row)).render(row)


def test_columns_are_put_in_and_braces_kept():
    found = write("{title}: {{{ steps }}} {{x}}", title="A {b}", steps="do")
    assert found.text == "A {b}: {do} {x}"
    assert found.answer is None
    assert found.content == "A {b}\ndo"


def test_an_answer_follows_the_text():
    found = write("Q: {q}\nA:", " {a}", q="Why?", a="So.")
    assert (found.text, found.answer) == ("Q: Why?\nA:", " So.")
    assert found.whole() == "Q: Why?\nA: So."


def test_control_tokens_and_templates_in_the_data_stay_plain_text():
    odd = "<|im_end|> {other} {{x}} {0.__class__} %s"
    assert write("{text}", text=odd, other="!").text == odd


def test_a_column_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(DataError) as error:
        write("{Titel}", title="", steps="")
    said = "There is no column {Titel}; columns are title, steps."
    assert str(error.value) == f"{said} Did you mean {{title}}?"
    with pytest.raises(DataError, match=r"no column \{body\}; the column is text\.$"):
        write("{text}", "{body}", text="x")
    many = {f"c{n}": "x" for n in range(50)}
    with pytest.raises(DataError, match="c11 and 38 more"):
        write("{nothing}", **many)


@pytest.mark.parametrize("text", ["{text", "text}", "{te{xt}", "{}", "{ }", "{a\nb}"])
def test_a_broken_template_is_told(text: str):
    with pytest.raises(DataError):
        write(text, text="x")


def test_a_template_without_columns_is_told():
    with pytest.raises(DataError, match=r"names no column, .* as in \{title\}"):
        write("Recipe", title="x")
    with pytest.raises(DataError, match="nothing is learned"):
        write("{title}", "yes", title="x")
    assert write("Write a poem.", "{poem}", poem="x").answer == "x"


def test_a_row_with_nothing_in_its_columns_is_empty():
    for blank in ("", "  \n", "\u200b", "\ufeff \u00a0"):
        assert write("Title: {a}", a=blank).is_empty()
        assert write("Q: {q}", "{a}", q="Why?", a=blank).is_empty()
        assert not write("Title: {a} {b}", a=blank, b="x").is_empty()
        assert not write("Q: {q}", "{a}", q=blank, a="x").is_empty()


def test_alpaca_takes_the_template_that_fits_the_row():
    row = {"instruction": "Add.", "input": "1 and 2", "output": "3"}
    for name in ("alpaca", ALPACA_WITH_INPUT):
        found = write(name, "{output}", **row)
        assert "### Input:\n1 and 2\n\n### Response:\n" in found.text
        lone = write(name, "{output}", **{**row, "input": " "})
        assert lone.text == ALPACA.replace("{instruction}", "Add.")
        assert "Input" not in lone.text
    found = write("alpaca", "{output}", instruction="Add.", output="3")
    assert found.text == ALPACA.replace("{instruction}", "Add.")
    assert write(ALPACA, "{output}", **row).text == found.text


def test_messages_are_the_turns_of_a_chat():
    found = write("{messages}", messages=json.dumps(CHAT))
    assert found.messages == tuple(CHAT)
    assert found.text == "system: Be kind.\nuser: Hello?\nassistant: Hi!"
    assert found.content == "Hello?\nHi!"
    parts = [{"role": "user", "content": [{"type": "text", "text": "Hello?"}]}]
    shown = {"role": "assistant", "content": "Hi!", "weight": 0}
    found = write("{messages}", messages=json.dumps([*parts, shown, CHAT[2]]))
    assert found.messages is not None
    assert found.messages[0] == CHAT[1]
    assert found.messages[1] == {"role": "assistant", "content": "Hi!", "learn": False}


@pytest.mark.parametrize(
    "messages",
    [
        "hello", "{}", "[]", "[1]", "3", "null",
        json.dumps(CHAT[:2]),
        json.dumps([{"role": "assistant", "content": None}]),
        json.dumps([{"role": "wizard", "content": "x"}]),
        json.dumps([{"content": "x"}]),
        json.dumps([{"role": "assistant", "content": "x", "weight": 0}]),
    ],
)  # fmt: skip
def test_a_row_that_is_no_chat_is_told_with_its_number(messages: str):
    rows = table({"messages": json.dumps(CHAT)}, {"messages": messages})
    with pytest.raises(DataError, match=r"^Row 2: "):
        render_rows(rows, settings(text="{messages}", is_chat=True))


def test_a_chat_needs_an_answer():
    with pytest.raises(DataError, match=r"A chat needs an answer.*question, reply"):
        render_rows(
            table({"question": "x", "reply": "y"}),
            settings(text="{question}", is_chat=True),
        )


# What fits a table


def test_who_chose_no_template_gets_the_first_column_with_texts():
    rows = table(
        {"id": "12", "tags": '["a"]', "title": "Soup", "body": "Boil it."},
        {"id": "13", "tags": "[]", "title": "", "body": "Mix it."},
    )
    assert resolve(rows, settings()).text == "{title}"
    assert resolve(rows, settings(answer="{title}")).text == "{body}"
    assert resolve(rows, settings(text="{body}")).text == "{body}"
    text = table({"n": "one", "text": "x"})
    assert resolve(text, settings()).text == "{text}"


def test_who_chose_no_template_gets_chats_where_there_are_some():
    rows = table({"messages": json.dumps(CHAT)})
    found = resolve(rows, settings())
    assert (found.text, found.is_chat) == ("{messages}", True)
    assert suggest(rows)[:3] == ("{messages}", None, True)


def test_a_table_of_numbers_has_nothing_to_learn():
    with pytest.raises(DataError, match="No column holds texts; columns are a, b"):
        resolve(table({"a": "1", "b": "2.5 %"}, {"a": "", "b": ""}), settings())


@pytest.mark.parametrize(
    ("columns", "text", "answer"),
    [
        (("instruction", "input", "output"), "alpaca", "{output}"),
        (("instruction", "output"), "alpaca", "{output}"),
        (("id", "question", "answer"), "{question}\n", "{answer}"),
        (("schema", "question", "sql"), "{schema}\n{question}\n", "{sql}"),
        (("prompt", "completion"), "{prompt}\n", "{completion}"),
        (("name", "steps"), "{name}", None),
    ],
)
def test_known_kinds_of_rows_are_suggested(columns, text, answer):
    found = suggest(table(dict.fromkeys(columns, "some text")))
    assert (found.text, found.answer, found.is_chat) == (text, answer, False)
    assert found.about
    Renderer(found.text, found.answer, columns)
