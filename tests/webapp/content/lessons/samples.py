"""Two real lessons, small checks to read them with, and a tree to put them in."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from tests.webapp.content.trees import ContentTree
from webapp.plugins.check import (
    Aspect,
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Subject,
    failed,
    passed,
)
from webapp.plugins.registry import Registry

TRACK = "title: The basics\nstory: How models read.\nplace: 1\n"
OTHER_TRACK = "title: More\nstory: How models write.\nplace: 2\n"
SHOW = """\
---
title: Show, don't tell
idea: Examples teach a small model what explanations do not.
minutes: 6
after: [basics/next-word]
gates: [keep/one]
can_do: teach a model a new rule with examples
---
Here is a language nobody speaks: **Zo**. Every word gets *-zo* at its end, so *cat*
is *catzo*. Easy for you. Let us see how easy it is for a language model.

```panel tell
task: Explain Zo in your own words and make the model say "{word}" in Zo.
system: none
messages:
  - user: |
      {rule}
      What is {word} in Zo? {"zo": 1}
slots:
  rule: {start: "In Zo you ", lines: 3, words: [5, 40]}
vary: {word: [lamp, tree, fish, book, river]}
max_tokens: 24
samples: 4 of 5
expect: failure
checks:
  - not-contains: "{word}zo"
    whole_word: true
    say: It worked! Then yours is better than ours. Send it to the gallery.
  - size: {min: 5, of: rule}
    say: Explain the rule first; otherwise the test is not fair.
proof:
  solved_by:
    - {rule: In Zo you put zo at the end of every word. cat becomes catzo.}
```

```question predict
ask: How many examples will it take until the model gets it?
choices: [one, two or three, ten, it never will]
answer: two or three
```

??? Why this language?
It is in no book, so no model has read about it.

???

```panel show
task: Do not explain anything. Write examples above the last line.
talk: complete
text: |
  {examples}
  {word} ->
slots:
  examples: {start: "cat -> catzo", lines: 8, words: [3, 40]}
vary: {word: [lamp, tree, fish, book, river]}
stop: ["\\n"]
max_tokens: 8
samples: 3 of 5
sample: {text: lampzo, model: smollm2-135m, made: 2026-11-29}
checks:
  - contains: "{word}zo"
    say: 'The model wrote "{reply}". What would make the pattern clearer?'
mistakes:
  - when: {contains: [lampzo, treezo, fishzo, bookzo, riverzo], of: examples}
    say: You gave away an answer. Use other words; it has to find these itself.
    voids: true
    example: {examples: "lamp -> lampzo\\ntree -> treezo\\nfish -> fishzo"}
  - when:
      - size: {max: 2}
        of: examples
    say: That is {count} so far. One or two could be chance, even for a person.
    example: {examples: cat -> catzo}
hints:
  - title: The idea
    text: The model continues patterns. Is there a pattern yet?
  - title: Where to look
    text: Each line must look exactly like the last one.
proof:
  solved_by: [{examples: "cat -> catzo\\ndog -> dogzo\\nsun -> sunzo"}]
  not_solved_by: [{examples: add zo to every word}, {examples: cat -> catzo}]
```

> [!note]
> Nobody ever trained it on Zo. It saw a pattern and went on with it.

```python
print("code that is shown")
```

```question reflect last
ask: A friend writes longer and longer explanations for a chatbot. Your advice?
```
"""
NEXT_WORD = """\
---
title: The guessing machine
idea: A model only goes on with a text.
minutes: 5
can_do: tell what a model will probably write next
was: [basics/guessing]
read_more: ["A book about it https://example.org/book"]
---
A language model does one thing: it guesses the next word.

```panel sure
task: Write a beginning that has only one end.
talk: complete
text: "{beginning}"
slots: {beginning: {start: Once upon a, chars: 200}}
max_tokens: 5
checks: [contains: the]
proof: {solved_by: [{beginning: The capital of}]}
```

```panel order
task: Put the lines in order, and say which comes last.
talk: none
slots:
  story: {items: [He wakes up., He gets up., He goes out.]}
  last: {choices: [waking, going]}
checks:
  - any-of:
      - contains: going
        of: last
      - at-least: {n: 2, of: [contains: wakes, contains: gets, not-size: {min: 99}]}
        of: story
proof:
  solved_by:
    - {last: going, story: [He gets up., He wakes up., He goes out.]}
  not_solved_by: [{last: waking, story: [3, 2, 1]}]
```

```question order
ask: What happens first?
lines: [The text is cut up, The model guesses, A word is picked]
```
"""

checks: Registry[type[Check]] = Registry("check")
Words = Annotated[tuple[str, ...], Field(min_length=1)]


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


@checks.register("contains")
class Contains(Check):
    """Passes if one of the words is in the text."""

    class Options(_Options):
        """What to look for."""

        value: str | Words = Field(description="Words.")
        whole_word: bool | None = Field(None, description="Whole words only.")

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = ()

    def __init__(self, options: Options) -> None:
        self._wanted = options.value

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look for the words."""
        wanted = [self._wanted] if isinstance(self._wanted, str) else self._wanted
        return passed() if any(w in subject.text for w in wanted) else failed("No.")


@checks.register("size")
class Size(Check):
    """Passes if the text has as many words."""

    class Options(_Options):
        """How many."""

        min: int | None = Field(None, description="Fewest.")
        max: int | None = Field(None, description="Most.")

    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = ()

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Count."""
        return passed(count=len(subject.text.split()))


@checks.register("near")
class Near(Check):
    """Passes if the reply means nearly the same."""

    class Options(_Options):
        """How near."""

        value: str = Field(description="The meaning.")
        threshold: float = Field(0.7, description="How near.")
        model: Literal["minilm", "gate"] | None = Field(None, description="Who says.")

    SHORT: ClassVar[str] = "value"
    aspects: ClassVar[tuple[Aspect, ...]] = ("reply",)
    asks: ClassVar[bool] = True
    decides: ClassVar[bool] = False
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = ()

    def __init__(self, options: Any) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Say no."""
        return failed("No.")


class LessonTree(ContentTree):
    """A content tree with two lessons, to edit."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lessons = self.root / "lessons"
        self.basics = self.lessons / "basics"
        self.basics.mkdir(parents=True)
        self.track = self.basics / "track.yaml"
        self.track.write_text(TRACK)
        self.next_word = self.basics / "01-next-word.md"
        self.next_word.write_text(NEXT_WORD)
        self.show = self.basics / "02-show-dont-tell.md"
        self.show.write_text(SHOW)

    def line(self, part: str) -> int:
        """Return the line of the lesson on examples that contains a text."""
        text = self.show.read_text()
        assert text.count(part) == 1, f"{part!r} is there {text.count(part)} times"
        return text.count("\n", 0, text.index(part)) + 1

    def said(self) -> list[str]:
        """Return what is said of the lesson on examples, without its path."""
        path = "lessons/basics/02-show-dont-tell.md:"
        problems = self.problems()
        assert all(problem.startswith(path) for problem in problems), problems
        return [problem.removeprefix(path) for problem in problems]
