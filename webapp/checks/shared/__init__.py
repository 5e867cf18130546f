"""What several checks need. None of it is a check."""
