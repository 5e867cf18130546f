"""Texts that people bring: from a file to parts to learn from and to judge by.

- `reading`: a file becomes a table of columns and rows, by way of `decoding` and then
  `cells` or `objects`.
- `suggesting`, `rendering`: what a row is written as.
- `splitting`, `duplicates`: three parts, with equal texts on one side.
- `report`, `verdicts`: what a person should know before training.

Nothing here runs or unpickles what it reads, and nothing needs torch.
"""
