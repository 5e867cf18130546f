"""Plug-ins: where they register, what they may ask, and what a guard is."""
