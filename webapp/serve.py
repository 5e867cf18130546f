"""The site as a program: `python -m webapp.serve`, started by the supervisor."""

import gc

# Hardly anything of what a start builds is garbage, and looking for it takes a sixth of
# the start.
gc.disable()

from webapp.server import main  # noqa: E402

if __name__ == "__main__":
    main()
