"""Calls about people."""
