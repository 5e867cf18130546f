"""Dialogues of a warden who keeps a password, written from typed pieces."""
