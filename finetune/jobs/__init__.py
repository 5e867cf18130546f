"""Files and training jobs: what they are, where they are kept, and whose turn it is."""
