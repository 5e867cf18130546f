"""The commands behind `./wordkeep`, one module for each kind."""
