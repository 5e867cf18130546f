"""What the playground can be begun with: each shows one thing about language models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from webapp.domain.lab.bench import Bench, Pane, Turn

GREEDY: Final = (Pane(temperature="0"),)

# For those who have no instructions of their own yet.
INSTRUCTIONS: Final = """\
You are a language model and write one word after the other, so think on paper: first \
the facts that you are sure of, then the answer. Do not tell me that you are an AI. Do \
not repeat my question. If you do not know something, say so in one sentence. If my \
message begins with vv, answer in as few words as you can. Write code as short as it \
can be read."""


@dataclass(frozen=True, slots=True)
class Starter:
    """A way to begin, and what to look for in what comes."""

    id: str
    title: str
    look: str
    bench: Bench
    instructions: str = ""


STARTERS: Final = (
    Starter(
        "panda",
        "The panda breeding facility",
        "No question is asked here: the model goes on with the text, word by word. Try "
        "other seeds, and then temperature 0.",
        Bench(
            mode="text",
            text="The director of the panda breeding facility opened the door and",
            max_tokens="40",
        ),
    ),
    Starter(
        "last-name",
        "What is your last name?",
        "As raw text nobody is being asked: the model goes on with what looks like a "
        "form. Switch to Chat, ask the same, and it replies.",
        Bench(mode="text", text="What is your last name?\n", max_tokens="40"),
    ),
    Starter(
        "hungary",
        "The capital of Hungary",
        "As a text, questions are followed by more questions. Switch to Chat and ask "
        "the same: what is put around your words makes the difference.",
        Bench(
            mode="text",
            text="What is the capital of Austria?\nWhat is the capital of Hungary?\n",
            panes=GREEDY,
            max_tokens="30",
        ),
    ),
    Starter(
        "seven-eights",
        "Seven times eight",
        "The model has not seen your own numbers, only text about numbers. Change the "
        "made-up reply, and see whether it believes itself.",
        Bench(
            turns=(
                Turn("user", "What is six times seven?"),
                Turn("assistant", "Six times seven is 42."),
                Turn("user", "And what is seven times eight?"),
            ),
            panes=GREEDY,
            max_tokens="30",
        ),
    ),
    Starter(
        "instructions",
        "A pack of custom instructions",
        "The same sentences go in front of every conversation. Ask something, switch "
        "them off, and ask again with the same seed.",
        Bench(with_instructions=True, message="vv Why is the sky blue?"),
        INSTRUCTIONS,
    ),
)


def starter(name: str) -> Starter | None:
    """Return a starter by its id."""
    return next((one for one in STARTERS if one.id == name), None)
