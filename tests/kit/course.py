"""A small course for tests: a lesson with all that a page has to show, and one more.

The model of each panel is scripted, so that it can be told what to say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

# With this model what one types comes back.
ECHO: Final = "plain-echo"

_TRACK: Final = """\
title: Basics
story: You can make a model *repeat* you.
place: 1
"""
_FIRST: Final = """\
---
title: Say it again
idea: A model can give back what it is given.
minutes: 5
gates: [{gate}]
can_do: make a model repeat a word
read_more: ["About toucans https://example.org/toucans"]
---
Some models only **echo**.

> [!tip]
> Read the task first.

??? What an echo is
Something that says what you said.
???

```question predict guess
ask: What will it say?
choices: [nothing, the same, something else]
answer: the same
why: It is an *echo*.
```

```panel say
task: Make the model say *toucan*, whatever else you write.
model: {model}
system: none
messages:
  - user: "{{words}} ({{nth}})"
slots:
  words: {{start: "Say a bird.", lines: 2, label: Your words}}
vary: {{nth: [first, second, third]}}
samples: 2 of 3
show: [probabilities, tokens, request]
sample: {{text: "Say a bird.", model: an echo, made: 2026-01-31}}
checks:
  - icontains: toucan
    say: There is no such bird in the reply.
    why: An echo says only what it hears.
mistakes:
  - when: {{icontains: penguin, of: words}}
    say: That is a bird, but another one.
    example: {{words: penguin}}
hints:
  - {{title: The idea, text: It gives back what *you* write.}}
  - {{title: Where to look, text: Look at your own words.}}
solution: {{words: "toucan, please"}}
proof:
  solved_by: [{{words: "toucan, please"}}]
  not_solved_by: [{{words: "Say a bird."}}]
```

So it was.

    [{{"role": "user", "content": "A line that is wider than any telephone"}}]

| | before | after |
|---|---|---|
| echo | a toucan | a toucan |

```question reflect why
ask: Why did it work?
```
"""
_SECOND: Final = """\
---
title: In order
idea: Order matters.
minutes: 3
after: [basics/say]
can_do: put lines in order
---
Now in order.

```question order steps
ask: How does one boil an egg?
lines: [boil water, put the egg in, take it out]
why: Water first.
```

```panel order
task: Put *toucan* first, and be kind.
model: {model}
messages:
  - user: "{{lines}}"
  - assistant: Yes.
  - user: "{{mood}}"
slots:
  lines: {{items: [a wren, a toucan]}}
  mood: {{choices: [Be quick., Be kind.]}}
checks:
  - equals: Be kind.
proof:
  solved_by: [{{lines: [2, 1], mood: Be kind.}}]
  not_solved_by: [{{lines: [1, 2], mood: Be quick.}}]
```
"""


def write_lessons(root: Path, *, gate: str, model: str = ECHO) -> Path:
    """Write the course under a content root, with a gate that it helps with."""
    folder = root / "lessons" / "basics"
    folder.mkdir(parents=True)
    (folder / "track.yaml").write_text(_TRACK)
    first = _FIRST.format(gate=gate, model=model)
    (folder / "01-say.md").write_text(first)
    (folder / "02-order.md").write_text(_SECOND.format(model=model))
    return root
