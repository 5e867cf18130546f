"""Wordkeep's sidecar: local models behind the OpenAI API, and later their training."""
