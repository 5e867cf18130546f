"""The forms of the bench of tokenizers."""

from __future__ import annotations

from wtforms import (
    BooleanField,
    IntegerField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)

from webapp.domain.lab.merging import SENTENCE_CHARS, SIZES, TEXT_BYTES
from webapp.domain.lab.tokenizers import CHARS, MOST_LENGTH, MOST_LINES
from webapp.web.forms import LabForm

MARKS_HINT = (
    "On: a name such as <|im_start|> in the text is one special token, and the "
    "tokenizer adds its own around the text. Off: it is text as any other."
)


class PiecesForm(LabForm):
    """A text, and which tokenizers cut it."""

    typed = TextAreaField("Your text", description=f"Up to {CHARS:,} characters.")
    use = SelectMultipleField("Tokenizers", validate_choice=False)
    marks = BooleanField("Special tokens", description=MARKS_HINT)


class NumbersForm(LabForm):
    """Numbers of tokens, and which tokenizers read them."""

    numbers = TextAreaField(
        "Numbers of tokens", description="With blanks or commas between them."
    )
    use = SelectMultipleField("Read them with", validate_choice=False)


class BatchForm(LabForm):
    """Lines that are made equally long."""

    lines = TextAreaField(
        "Lines", description=f"Each line is one text, up to {MOST_LINES} of them."
    )
    use = StringField("Tokenizer")
    longest = IntegerField(
        "Longest length", description=f"In tokens, from 1 to {MOST_LENGTH}."
    )
    padding = StringField("Fill up short lines")
    truncation = StringField("Cut long lines")
    marks = BooleanField("Special tokens", description=MARKS_HINT)


class LearnForm(LabForm):
    """A text to learn a tokenizer from."""

    corpus = TextAreaField(
        "A text to learn from",
        description=f"Up to {TEXT_BYTES // 1000} KB. The text is not kept, but the "
        "pieces that are learned show its commonest words: leave out what is private.",
    )
    size = IntegerField(
        "Vocabulary",
        description=f"How many tokens it may have, from {SIZES[0]} to {SIZES[1]:,}. "
        "257 are there before it learns anything.",
    )


class SentenceForm(LabForm):
    """A sentence to step through."""

    sentence = StringField(
        "A sentence", description=f"Up to {SENTENCE_CHARS} characters."
    )
    step = IntegerField("Step")
