"""Dialogues that the scribe learns from: prompts of small tasks, and answers."""
