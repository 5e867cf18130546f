"""Lessons: Markdown files with panels and questions, read with their lines."""
