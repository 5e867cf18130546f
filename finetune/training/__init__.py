"""Training loops: `lm` for language models, `gate` and `leak` for guards.

Begin with one of these three. All are told by `course` how far they are and when to
end, write `checkpoint`s, and tell `events`; `command` is what a person runs.
"""
