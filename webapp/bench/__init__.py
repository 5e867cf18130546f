"""Benches: what `./wordkeep bench` measures."""
