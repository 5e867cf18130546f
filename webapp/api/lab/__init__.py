"""Calls of the lab."""
