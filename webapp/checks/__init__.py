"""Checks of lessons, one plug-in a file: what a run of a panel is judged by.

`shared/` has what several of them need: options, limits, and how JSON is read.
"""
