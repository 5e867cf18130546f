"""Lessons: panels that are run and judged, questions, hints, progress, proofs."""
