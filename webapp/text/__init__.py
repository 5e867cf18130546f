"""What a character, a word and "the same word" are, in every script.

- `characters`: what a reader sees as one character, and what nobody can see.
- `words`: words, whether a text contains one, and what counts as the same guess.
- `finding`: where a piece stands in a text.
- `decoding`: ways in which a text can hide a word; `refusals`: what counts as one.
- `names`: which names can be read, and which look alike.

The sidecar has rules of its own for what its models read (`finetune/guards/text.py`);
a test keeps what both call an accent the same.
"""
