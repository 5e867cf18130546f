"""Training loops, one for language models and one for classifiers."""
