"""Teaching: a class seen, led and shown on the wall."""
