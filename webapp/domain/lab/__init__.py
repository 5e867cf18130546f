"""The lab: what a language model does, seen from close by."""
