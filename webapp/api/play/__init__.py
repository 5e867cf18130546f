"""Calls of the game."""
